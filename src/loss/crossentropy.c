/* Cross-entropy of a classifier's scores with the labels, smoothed or not; see
 * cl/loss/crossentropy.cl. */
#include "loss/loss.h"

#include <stdio.h>

static clc_status check(const clc_loss_shape *shape, const clc_config_loss *options) {
    (void)options;
    if (shape->images < 1 || shape->views < 1)
        return clc_fail(CLC_INVALID, "crossentropy: %d images, %d views; at least 1 is needed",
                        shape->images, shape->views);
    if (!shape->labels || shape->classes < 2 || shape->classes != shape->dim)
        return clc_fail(CLC_INVALID, "crossentropy: needs scores of at least 2 classes and labels; "
                                     "use method supervised");
    return CLC_OK;
}

static clc_status build(clc_sequence *sequence, clc_device *device, const clc_loss_shape *shape,
                        const clc_config_loss *o, const clc_loss_buffers *b) {
    clc_status status = CLC_OK;
    const size_t groups = clc_loss_groups(device, shape);
    const double numbers = (double)shape->views * shape->images * shape->dim;
    char options[48];
    snprintf(options, sizeof options, "-DK=%d -DVW=%u", shape->dim,
             clc_item_width(device, (size_t)shape->dim));
    clc_launch_spec spec = {.source = "loss/crossentropy.cl",
                            .kernel = "crossentropy_rows",
                            .options = options,
                            .groups = {groups},
                            .local = {device->group_size},
                            .layer = "loss",
                            .flops = 8 * numbers,
                            .bytes = 8 * numbers};
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->z), CLC_MEM(b->labels), CLC_MEM(b->dz),
                       CLC_MEM(b->workspace), CLC_INT(shape->images), CLC_INT(shape->views),
                       CLC_FLOAT(o->smoothing), CLC_FLOAT(o->weight)));
    spec = (clc_launch_spec){.source = "loss/crossentropy.cl",
                             .kernel = "crossentropy_merge",
                             .options = options,
                             .local = {device->group_size},
                             .layer = "loss"};
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_MEM(b->value),
                       CLC_INT(groups)));
fail:
    return status;
}

const clc_loss clc_loss_crossentropy = {
    .name = "crossentropy", .check = check, .workspace = clc_loss_parts, .build = build};
