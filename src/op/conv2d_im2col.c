/* Convolution as im2col and a matrix product: runs anywhere, and by CLBlast on GPUs. */
#include "op/conv2d_impls.h"

#include <stdio.h>

/* Floats of the matrix of patches; as many images at a time as fit. */
enum { COLUMN_FLOATS = 8 << 20 };

static size_t row_floats(const clc_conv2d_shape *s) {
    return (size_t)s->kh * (size_t)s->kw * (size_t)s->c;
}

static size_t pixels(const clc_conv2d_shape *s) {
    return (size_t)clc_conv2d_oh(s) * (size_t)clc_conv2d_ow(s);
}

static int images_at_once(const clc_conv2d_shape *s) {
    const size_t one = pixels(s) * row_floats(s);
    const size_t n = one < COLUMN_FLOATS ? COLUMN_FLOATS / one : 1;
    return n < (size_t)s->n ? (int)n : s->n;
}

/* The product for `images` images beginning with `first`; the patches lie at `offset` of the
 * workspace. */
static clc_gemm product(const clc_conv2d_shape *s, clc_conv2d_pass pass, const clc_conv2d_args *a,
                        int first, int images, size_t offset) {
    const size_t rows = (size_t)images * pixels(s), k = (size_t)s->k;
    const size_t y_offset = (size_t)first * pixels(s) * k;
    if (pass == CLC_CONV2D_FORWARD)
        return (clc_gemm){.m = rows,
                          .n = k,
                          .k = row_floats(s),
                          .a = a->workspace,
                          .a_offset = offset,
                          .b = a->w,
                          .c = a->y,
                          .c_offset = y_offset};
    if (pass == CLC_CONV2D_BACKWARD_DATA)
        return (clc_gemm){.transpose_b = true,
                          .m = rows,
                          .n = row_floats(s),
                          .k = k,
                          .a = a->y,
                          .a_offset = y_offset,
                          .b = a->w,
                          .c = a->workspace,
                          .c_offset = offset};
    return (clc_gemm){.transpose_a = true,
                      .accumulate = first > 0,
                      .m = row_floats(s),
                      .n = k,
                      .k = rows,
                      .a = a->workspace,
                      .a_offset = offset,
                      .b = a->y,
                      .b_offset = y_offset,
                      .c = a->w};
}

/* Workspace: that of the product, whichever kernel makes it, then the patches. */
static size_t column_offset(const clc_device *device, const clc_conv2d_shape *s,
                            clc_conv2d_pass pass) {
    const clc_conv2d_args none = {0};
    const clc_gemm gemm = product(s, pass, &none, 0, images_at_once(s), 0);
    return clc_gemm_workspace(device, CLC_GEMM_OWN, &gemm) / sizeof(float);
}

static bool supports(const clc_device *device, const clc_conv2d_shape *shape,
                     clc_conv2d_pass pass) {
    (void)device;
    (void)shape;
    (void)pass;
    return true;
}

static size_t workspace(const clc_device *device, const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    size_t columns = (size_t)images_at_once(s) * pixels(s) * row_floats(s);
    return (column_offset(device, s, pass) + columns) * sizeof(float);
}

typedef struct im2col_build {
    clc_sequence *sequence;
    clc_device *device;
    const clc_conv2d_shape *shape;
    const clc_conv2d_args *args;
    clc_conv2d_pass pass;
    const char *op;
    char options[160];
    size_t offset;
} im2col_build;

static clc_launch_spec spec(const im2col_build *b, const char *kernel, int images) {
    const double moved = (double)images * (double)pixels(b->shape) * (double)row_floats(b->shape);
    return (clc_launch_spec){.source = "op/conv2d_im2col.cl",
                             .kernel = kernel,
                             .options = b->options,
                             .groups = {b->device->groups * 4},
                             .local = {b->device->group_size},
                             .op = b->op,
                             .layer = b->args->layer,
                             .bytes = 8 * moved};
}

static clc_status build_chunk(const im2col_build *b, int first, int images) {
    clc_status status = CLC_OK;
    const clc_conv2d_args *a = b->args;
    const clc_gemm gemm = product(b->shape, b->pass, a, first, images, b->offset);
    if (b->pass != CLC_CONV2D_BACKWARD_DATA) {
        clc_launch_spec im2col = spec(b, "conv2d_im2col", images);
        CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &im2col, CLC_MEM(a->x), CLC_MEM(a->workspace),
                           CLC_INT(b->offset), CLC_INT(first), CLC_INT(images)));
    }
    CLC_TRY(clc_gemm_build(b->sequence, b->device, a->gemm, &gemm, a->workspace, b->op, a->layer));
    if (b->pass == CLC_CONV2D_BACKWARD_DATA) {
        clc_launch_spec col2im = spec(b, "conv2d_col2im", images);
        CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &col2im, CLC_MEM(a->workspace), CLC_MEM(a->x),
                           CLC_INT(b->offset), CLC_INT(first), CLC_INT(images),
                           CLC_INT(a->accumulate)));
    }
fail:
    return status;
}

static clc_status build(clc_sequence *sequence, clc_device *device, const clc_conv2d_shape *s,
                        clc_conv2d_pass pass, const clc_conv2d_args *args) {
    im2col_build b = {sequence, device,
                      s,        args,
                      pass,     clc_conv2d_pass_names[pass],
                      "",       column_offset(device, s, pass)};
    const int step = images_at_once(s);
    snprintf(b.options, sizeof b.options,
             "-DVW=%u -DH=%d -DW=%d -DC=%d -DOH=%d -DOW=%d -DKH=%d -DKW=%d -DSTRIDE=%d -DPAD=%d",
             clc_item_width(device, (size_t)s->c), s->h, s->w, s->c, clc_conv2d_oh(s),
             clc_conv2d_ow(s), s->kh, s->kw, s->stride, s->pad);
    for (int first = 0; first < s->n; first += step) {
        clc_status status = build_chunk(&b, first, first + step < s->n ? step : s->n - first);
        if (status != CLC_OK)
            return status;
    }
    return CLC_OK;
}

const clc_conv2d_impl clc_conv2d_im2col = {CLC_CONV2D_IM2COL, "im2col", supports, workspace, build};
