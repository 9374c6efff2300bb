#include "loss/columns.h"

#include <stdio.h>

/* The largest of the products that the losses make. */
static size_t gemm_floats(const clc_device *device, size_t rows, size_t dim) {
    const clc_gemm square = {.transpose_a = true, .m = dim, .n = dim, .k = rows};
    const clc_gemm tall = {.transpose_b = true, .m = rows, .n = dim, .k = dim};
    const size_t a = clc_gemm_workspace(device, CLC_GEMM_AUTO, &square);
    const size_t b = clc_gemm_workspace(device, CLC_GEMM_AUTO, &tall);
    return (a > b ? a : b) / sizeof(float);
}

clc_columns clc_columns_place(const clc_device *device, const char *name,
                              const clc_loss_shape *shape, size_t matrices, size_t shares) {
    const size_t rows = (size_t)shape->images, dim = (size_t)shape->dim;
    const unsigned width = clc_item_width(device, dim);
    clc_columns c = {.name = name,
                     .rows = shape->images,
                     .dim = shape->dim,
                     .items = device->group_size,
                     .groups = clc_column_groups(device, dim)};
    c.base = gemm_floats(device, rows, dim);
    c.matrices = c.base + 2 * (rows + 1) * dim;
    c.shares = c.matrices + matrices * dim * dim;
    c.floats = c.shares + shares;
    snprintf(c.options, sizeof c.options, "-DD=%d -DVW=%u", shape->dim, width);
    return c;
}

clc_status clc_columns_check(const char *name, const clc_loss_shape *shape) {
    if (shape->views != 2)
        return clc_fail(CLC_INVALID, "%s compares two views, not %d", name, shape->views);
    if (shape->images < 2 || shape->dim < 1)
        return clc_fail(CLC_INVALID,
                        "%s: %d images of %d dimensions; at least 2 images are needed, more for a "
                        "useful correlation",
                        name, shape->images, shape->dim);
    return CLC_OK;
}

clc_launch_spec clc_columns_spec(const clc_columns *c, const char *kernel, size_t groups,
                                 size_t views) {
    const double floats = (double)c->rows * c->dim * (double)views;
    return (clc_launch_spec){.source = "loss/columns.cl",
                             .kernel = kernel,
                             .options = c->options,
                             .groups = {groups, views},
                             .local = {c->items},
                             .layer = "loss",
                             .flops = 4 * floats,
                             .bytes = 12 * floats};
}

clc_status clc_columns_merge(clc_sequence *sequence, clc_device *device, const clc_columns *c,
                             const clc_loss_buffers *b, size_t shares, double weight) {
    clc_launch_spec spec = clc_columns_spec(c, "columns_merge", 1, 1);
    spec.flops = spec.bytes = 0;
    return CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_MEM(b->value),
                      CLC_INT(c->shares), CLC_INT(shares), CLC_FLOAT(weight));
}
