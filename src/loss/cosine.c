/* BYOL's and SimSiam's regression of one view's targets from the other's predictions; see
 * cl/loss/cosine.cl. */
#include "loss/loss.h"

#include <stdio.h>

static clc_status check(const clc_loss_shape *shape, const clc_config_loss *options) {
    (void)options;
    if (shape->views < 1 || shape->images < 1 || shape->dim < 1)
        return clc_fail(
            CLC_INVALID,
            "cosine: %d images, %d views of %d dimensions; at least 1 of each is needed",
            shape->images, shape->views, shape->dim);
    return CLC_OK;
}

static clc_status build(clc_sequence *sequence, clc_device *device, const clc_loss_shape *shape,
                        const clc_config_loss *o, const clc_loss_buffers *b) {
    clc_status status = CLC_OK;
    const size_t groups = clc_loss_groups(device, shape);
    const double rows = (double)shape->views * shape->images;
    char options[32];
    snprintf(options, sizeof options, "-DD=%d -DVW=1", shape->dim);
    clc_launch_spec spec = {.source = "loss/cosine.cl",
                            .kernel = "cosine_rows",
                            .options = options,
                            .groups = {groups},
                            .local = {device->group_size},
                            .layer = "loss",
                            .flops = 12 * rows * shape->dim,
                            .bytes = 12 * rows * shape->dim};
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->z), CLC_MEM(b->target), CLC_MEM(b->dz),
                       CLC_MEM(b->dtarget), CLC_MEM(b->workspace), CLC_INT(shape->images),
                       CLC_INT(shape->views), CLC_FLOAT(o->weight)));
    spec = (clc_launch_spec){.source = "loss/cosine.cl",
                             .kernel = "cosine_merge",
                             .options = options,
                             .local = {device->group_size},
                             .layer = "loss"};
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_MEM(b->value),
                       CLC_INT(groups), CLC_FLOAT(o->weight / rows)));
fail:
    return status;
}

const clc_loss clc_loss_cosine = {.name = "cosine",
                                  .needs_targets = true,
                                  .moves_targets = true,
                                  .check = check,
                                  .workspace = clc_loss_parts,
                                  .build = build};
