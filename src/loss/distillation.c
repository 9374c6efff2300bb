/* A student's scores against those of a teacher, softened; see cl/loss/distillation.cl. */
#include "loss/loss.h"

#include <stdio.h>

static clc_status check(const clc_loss_shape *shape, const clc_config_loss *options) {
    if (shape->images < 1 || shape->views < 1 || shape->dim < 2)
        return clc_fail(CLC_INVALID,
                        "distillation: %d images, %d views, %d scores; at least 1, 1 and 2 are "
                        "needed",
                        shape->images, shape->views, shape->dim);
    if (!shape->targets)
        return clc_fail(CLC_INVALID,
                        "distillation: needs scores of a teacher; use finetune.teacher");
    if (options->label_weight > 0 && (!shape->labels || shape->classes != shape->dim))
        return clc_fail(CLC_INVALID,
                        "loss.label_weight = %g: needs labels and scores of their classes; use 0, "
                        "or finetune.teacher with labelled samples",
                        options->label_weight);
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
    clc_launch_spec spec = {.source = "loss/distillation.cl",
                            .kernel = "distillation_rows",
                            .options = options,
                            .groups = {groups},
                            .local = {device->group_size},
                            .layer = "loss",
                            .flops = 16 * numbers,
                            .bytes = 12 * numbers};
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->z), CLC_MEM(b->target),
                       CLC_MEM(b->labels), CLC_MEM(b->dz), CLC_MEM(b->workspace),
                       CLC_INT(shape->images), CLC_INT(shape->views), CLC_FLOAT(1 / o->temperature),
                       CLC_FLOAT(o->weight), CLC_FLOAT(o->label_weight)));
    spec = (clc_launch_spec){.source = "loss/distillation.cl",
                             .kernel = "distillation_merge",
                             .options = options,
                             .local = {device->group_size},
                             .layer = "loss"};
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_MEM(b->value),
                       CLC_INT(groups)));
fail:
    return status;
}

const clc_loss clc_loss_distillation = {
    .name = "distillation", .check = check, .workspace = clc_loss_parts, .build = build};
