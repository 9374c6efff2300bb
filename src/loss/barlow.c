/* Barlow Twins (Zbontar et al., arXiv 2103.03230): L = sum (1 - C_ii)^2 + lambda sum_{i != j}
 * C_ij^2 with C = x1^T x2 / N, x being the columns standardised by mean and biased variance +
 * epsilon (1e-5, as batch-norm's). */
#include "loss/columns.h"

static clc_status check(const clc_loss_shape *shape, const clc_config_loss *options) {
    (void)options;
    return clc_columns_check("barlow", shape);
}

static clc_columns place(const clc_device *device, const clc_loss_shape *shape) {
    return clc_columns_place(device, "barlow", shape, 1, (size_t)shape->dim);
}

static size_t workspace(const clc_device *device, const clc_loss_shape *shape,
                        const clc_config_loss *options) {
    (void)options;
    return place(device, shape).floats * sizeof(float);
}

/* C, and later dx1 = x2 G^T and dx2 = x1 G with G = dL/dC / N in C's place. */
static clc_status multiply(clc_sequence *sequence, clc_device *device, const clc_columns *c,
                           const clc_loss_buffers *b, int which) {
    const size_t rows = (size_t)c->rows, dim = (size_t)c->dim, view = rows * dim;
    const clc_gemm products[3] = {
        {.transpose_a = true,
         .m = dim,
         .n = dim,
         .k = rows,
         .a = b->workspace,
         .b = b->workspace,
         .c = b->workspace,
         .a_offset = c->base,
         .b_offset = c->base + view,
         .c_offset = c->matrices},
        {.transpose_b = true,
         .m = rows,
         .n = dim,
         .k = dim,
         .a = b->workspace,
         .b = b->workspace,
         .c = b->dz,
         .a_offset = c->base + view,
         .b_offset = c->matrices},
        {.m = rows,
         .n = dim,
         .k = dim,
         .a = b->workspace,
         .b = b->workspace,
         .c = b->dz,
         .a_offset = c->base,
         .b_offset = c->matrices,
         .c_offset = view},
    };
    return clc_gemm_build(sequence, device, CLC_GEMM_AUTO, &products[which], b->workspace,
                          "barlow_products", "loss");
}

static clc_status build(clc_sequence *sequence, clc_device *device, const clc_loss_shape *shape,
                        const clc_config_loss *o, const clc_loss_buffers *b) {
    clc_status status = CLC_OK;
    const clc_columns c = place(device, shape);
    clc_launch_spec spec = clc_columns_spec(&c, "columns_center", c.groups, 2);
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->z), CLC_MEM(b->workspace),
                       CLC_INT(c.base), CLC_INT(c.rows), CLC_FLOAT(c.rows),
                       CLC_FLOAT(o->variance_epsilon), CLC_INT(1)));
    CLC_TRY(multiply(sequence, device, &c, b, 0));
    spec = clc_columns_spec(&c, "barlow_weigh", (size_t)c.dim, 1);
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_INT(c.base),
                       CLC_INT(c.rows), CLC_INT(c.shares), CLC_FLOAT(o->lambda)));
    CLC_TRY(multiply(sequence, device, &c, b, 1));
    CLC_TRY(multiply(sequence, device, &c, b, 2));
    spec = clc_columns_spec(&c, "barlow_backward", c.groups, 2);
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_MEM(b->dz),
                       CLC_INT(c.base), CLC_INT(c.rows), CLC_FLOAT(o->weight)));
    CLC_TRY(clc_columns_merge(sequence, device, &c, b, (size_t)c.dim, o->weight));
fail:
    return status;
}

const clc_loss clc_loss_barlow = {
    .name = "barlow", .check = check, .workspace = workspace, .build = build};
