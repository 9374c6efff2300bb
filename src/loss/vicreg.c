/* VICReg (Bardes, Ponce and LeCun, arXiv 2105.04906): invariance times the mean squared difference
 * of the views, variance times the mean over views and dimensions of max(0, 1 - sqrt(Var + 1e-4)),
 * covariance times the sum over views of sum_{i != j} C_ij^2 / D; variances and covariances are
 * unbiased. */
#include "loss/columns.h"

static clc_status check(const clc_loss_shape *shape, const clc_config_loss *options) {
    (void)options;
    return clc_columns_check("vicreg", shape);
}

static clc_columns place(const clc_device *device, const clc_loss_shape *shape) {
    return clc_columns_place(device, "vicreg", shape, 2, 3 * (size_t)shape->dim);
}

static size_t workspace(const clc_device *device, const clc_loss_shape *shape,
                        const clc_config_loss *options) {
    (void)options;
    return place(device, shape).floats * sizeof(float);
}

/* x^T x of one view, or dz = x times the matrix in its place. */
static clc_status multiply(clc_sequence *sequence, clc_device *device, const clc_columns *c,
                           const clc_loss_buffers *b, size_t view, bool gradient) {
    const size_t rows = (size_t)c->rows, dim = (size_t)c->dim;
    const size_t x = c->base + view * rows * dim, matrix = c->matrices + view * dim * dim;
    const clc_gemm product = {.transpose_a = !gradient,
                              .m = gradient ? rows : dim,
                              .n = dim,
                              .k = gradient ? dim : rows,
                              .a = b->workspace,
                              .b = b->workspace,
                              .c = gradient ? b->dz : b->workspace,
                              .a_offset = x,
                              .b_offset = gradient ? matrix : x,
                              .c_offset = gradient ? view * rows * dim : matrix};
    return clc_gemm_build(sequence, device, CLC_GEMM_AUTO, &product, b->workspace,
                          "vicreg_products", "loss");
}

static clc_status build(clc_sequence *sequence, clc_device *device, const clc_loss_shape *shape,
                        const clc_config_loss *o, const clc_loss_buffers *b) {
    clc_status status = CLC_OK;
    const clc_columns c = place(device, shape);
    const clc_arg divisor = CLC_FLOAT(c.rows - 1);
    clc_launch_spec spec = clc_columns_spec(&c, "columns_center", c.groups, 2);
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->z), CLC_MEM(b->workspace),
                       CLC_INT(c.base), CLC_INT(c.rows), divisor, CLC_FLOAT(1e-4), CLC_INT(0)));
    for (size_t view = 0; view < 2; view++)
        CLC_TRY(multiply(sequence, device, &c, b, view, false));
    spec = clc_columns_spec(&c, "vicreg_weigh", (size_t)c.dim, 2);
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_INT(c.base),
                       CLC_INT(c.rows), CLC_INT(c.shares), divisor, CLC_FLOAT(o->covariance)));
    for (size_t view = 0; view < 2; view++)
        CLC_TRY(multiply(sequence, device, &c, b, view, true));
    spec = clc_columns_spec(&c, "vicreg_finish", c.groups, 1);
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_MEM(b->z),
                       CLC_MEM(b->dz), CLC_INT(c.base), CLC_INT(c.rows),
                       CLC_INT(c.shares + 2 * (size_t)c.dim), divisor, CLC_FLOAT(o->invariance),
                       CLC_FLOAT(o->variance), CLC_FLOAT(o->weight)));
    CLC_TRY(clc_columns_merge(sequence, device, &c, b, 2 * (size_t)c.dim + c.groups, o->weight));
fail:
    return status;
}

const clc_loss clc_loss_vicreg = {
    .name = "vicreg", .check = check, .workspace = workspace, .build = build};
