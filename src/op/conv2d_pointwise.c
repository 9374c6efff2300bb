/* 1x1 convolution with stride 1: a matrix product of pixels and channels, by whatever kernel
 * multiplies best. */
#include "op/conv2d_impls.h"

/* Forward y (pixels,K) = x w; dx (pixels,C) = dy w^T; dw (C,K) = x^T dy. */
static clc_gemm product(const clc_conv2d_shape *s, clc_conv2d_pass pass, const clc_conv2d_args *a) {
    const size_t pixels = (size_t)s->n * (size_t)s->h * (size_t)s->w, c = (size_t)s->c,
                 k = (size_t)s->k;
    if (pass == CLC_CONV2D_FORWARD)
        return (clc_gemm){.m = pixels, .n = k, .k = c, .a = a->x, .b = a->w, .c = a->y};
    if (pass == CLC_CONV2D_BACKWARD_DATA)
        return (clc_gemm){.transpose_b = true,
                          .accumulate = a->accumulate,
                          .m = pixels,
                          .n = c,
                          .k = k,
                          .a = a->y,
                          .b = a->w,
                          .c = a->x};
    return (clc_gemm){
        .transpose_a = true, .m = c, .n = k, .k = pixels, .a = a->x, .b = a->y, .c = a->w};
}

static bool supports(const clc_device *device, const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    (void)device;
    (void)pass;
    return s->kh == 1 && s->kw == 1 && s->stride == 1 && s->pad == 0;
}

static size_t workspace(const clc_device *device, const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    const clc_conv2d_args none = {0};
    const clc_gemm gemm = product(s, pass, &none);
    return clc_gemm_workspace(device, CLC_GEMM_OWN, &gemm); /* enough for any kernel */
}

static clc_status build(clc_sequence *sequence, clc_device *device, const clc_conv2d_shape *s,
                        clc_conv2d_pass pass, const clc_conv2d_args *args) {
    const clc_gemm gemm = product(s, pass, args);
    return clc_gemm_build(sequence, device, args->gemm, &gemm, args->workspace,
                          clc_conv2d_pass_names[pass], args->layer);
}

const clc_conv2d_impl clc_conv2d_pointwise = {CLC_CONV2D_POINTWISE, "pointwise", supports,
                                              workspace, build};
