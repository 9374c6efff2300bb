#include "loss/codes.h"

#include <stdio.h>

clc_status clc_codes_check(const char *name, const clc_loss_shape *s) {
    if (s->images < 1 || s->dim < 1 || s->large < 1 || s->views < 2 || s->large > s->views)
        return clc_fail(
            CLC_INVALID,
            "%s: %d images, %d views of which %d have codes, %d scores; at least 2 views "
            "are needed",
            name, s->images, s->views, s->large, s->dim);
    return CLC_OK;
}

size_t clc_codes_workspace(const clc_loss_shape *s) {
    const size_t images = (size_t)s->images, large = (size_t)s->large, queue = (size_t)s->queue;
    const size_t scores = (size_t)s->dim, views = (size_t)s->views;
    return ((large * images + queue) * scores + large * (images + queue) + large * scores +
            views * images) *
           sizeof(float);
}

clc_launch_spec clc_codes_spec(const clc_device *device, const clc_loss_shape *s,
                               const char *kernel, size_t x, size_t y, char options[48]) {
    const double floats = (double)x * (double)y * s->dim;
    snprintf(options, 48, "-DK=%d -DVW=%u", s->dim, clc_item_width(device, (size_t)s->dim));
    return (clc_launch_spec){.source = "loss/codes.cl",
                             .kernel = kernel,
                             .options = options,
                             .groups = {x, y},
                             .local = {device->group_size},
                             .layer = "loss",
                             .flops = 4 * floats,
                             .bytes = 8 * floats};
}

clc_status clc_codes_finish(clc_sequence *sequence, clc_device *device, const clc_loss_shape *s,
                            const clc_config_loss *o, const clc_loss_buffers *b) {
    clc_status status = CLC_OK;
    const size_t images = (size_t)s->images, views = (size_t)s->views;
    const double pairs = (double)s->large * (s->views - 1);
    const clc_arg factor = CLC_FLOAT(o->weight / (pairs * s->images));
    char options[48];
    clc_launch_spec spec = clc_codes_spec(device, s, "codes_loss", images, views, options);
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->z), CLC_MEM(b->dz),
                       CLC_MEM(b->workspace), CLC_CODES_SHAPE(s), CLC_FLOAT(1 / o->temperature),
                       factor));
    spec = clc_codes_spec(device, s, "codes_merge", 1, 1, options);
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_MEM(b->value),
                       CLC_CODES_SHAPE(s), CLC_INT(images * views), factor));
fail:
    return status;
}
