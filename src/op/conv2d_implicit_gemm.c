/* Convolution on GPUs as a matrix product without stored patches: see
 * cl/op/conv2d_implicit_gemm.cl. */
#include "core/math.h"
#include "op/conv2d_impls.h"

#include <stdio.h>

enum { MOST_SPLITS = 64 };

typedef struct product {
    size_t rows, columns, depth;
    size_t tiles_m, tiles_n, splits, per;
} product;

static product product_of(const clc_device *device, const clc_conv2d_shape *s,
                          clc_conv2d_pass pass) {
    const size_t x = (size_t)s->n * (size_t)s->h * (size_t)s->w,
                 taps = (size_t)s->kh * (size_t)s->kw;
    const size_t y = (size_t)s->n * (size_t)clc_conv2d_oh(s) * (size_t)clc_conv2d_ow(s);
    const size_t tile = (size_t)(clc_product_side(device) * CLC_PRODUCT_RESULTS), c = (size_t)s->c,
                 k = (size_t)s->k;
    product p = pass == CLC_CONV2D_FORWARD ? (product){.rows = y, .columns = k, .depth = taps * c}
                : pass == CLC_CONV2D_BACKWARD_DATA
                    ? (product){.rows = x, .columns = c, .depth = taps * k}
                    : (product){.rows = taps * c, .columns = k, .depth = y};
    p.tiles_m = clc_ceil_div(p.rows, tile);
    p.tiles_n = clc_ceil_div(p.columns, tile);
    /* The gradient of few weights sums many pixels: split the sum, so that every compute unit has a
     * part. */
    const size_t tiles = p.tiles_m * p.tiles_n, wanted = clc_ceil_div(device->groups, tiles);
    p.splits =
        pass == CLC_CONV2D_BACKWARD_WEIGHTS ? (wanted < MOST_SPLITS ? wanted : MOST_SPLITS) : 1;
    p.per = clc_ceil_div(clc_ceil_div(p.depth, p.splits), CLC_PRODUCT_STEP) * CLC_PRODUCT_STEP;
    p.splits = clc_ceil_div(p.depth, p.per);
    return p;
}

static bool supports(const clc_device *device, const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    const product p = product_of(device, s, pass);
    return device->profile == CLC_PROFILE_GPU && device->info.max_group >= 64 &&
           p.rows <= INT32_MAX && p.depth <= INT32_MAX - p.per;
}

static size_t workspace(const clc_device *device, const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    const product p = product_of(device, s, pass);
    return p.splits > 1 ? p.splits * p.rows * p.columns * sizeof(float) : 0;
}

static clc_status build(clc_sequence *sequence, clc_device *device, const clc_conv2d_shape *s,
                        clc_conv2d_pass pass, const clc_conv2d_args *a) {
    clc_status status = CLC_OK;
    const product p = product_of(device, s, pass);
    const size_t side = (size_t)clc_product_side(device);
    char options[192];
    snprintf(options, sizeof options,
             "-DPASS=%d -DH=%d -DW=%d -DC=%d -DOH=%d -DOW=%d -DK=%d -DKH=%d -DKW=%d -DSTRIDE=%d "
             "-DPAD=%d -DGS=%zu",
             (int)pass, s->h, s->w, s->c, clc_conv2d_oh(s), clc_conv2d_ow(s), s->k, s->kh, s->kw,
             s->stride, s->pad, side);
    clc_launch_spec spec = {.source = "op/conv2d_implicit_gemm.cl",
                            .kernel = "conv2d_implicit_gemm",
                            .options = options,
                            .groups = {p.tiles_n, p.tiles_m, p.splits},
                            .local = {side, side},
                            .op = clc_conv2d_pass_names[pass],
                            .layer = a->layer,
                            .flops = clc_conv2d_flops(s),
                            .bytes = 4.0 * (double)(p.rows * p.columns)};
    const cl_mem to = pass == CLC_CONV2D_FORWARD         ? a->y
                      : pass == CLC_CONV2D_BACKWARD_DATA ? a->x
                                                         : a->w;
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec,
                       CLC_MEM(pass == CLC_CONV2D_BACKWARD_DATA ? a->y : a->x),
                       CLC_MEM(pass == CLC_CONV2D_BACKWARD_WEIGHTS ? a->y : a->w),
                       CLC_MEM(p.splits > 1 ? a->workspace : to), CLC_INT(p.rows), CLC_INT(p.depth),
                       CLC_INT(p.per), CLC_INT(pass == CLC_CONV2D_BACKWARD_DATA && a->accumulate)));
    if (p.splits > 1) {
        spec.kernel = "conv2d_sum_splits";
        spec.groups[0] = clc_ceil_div(p.rows * p.columns, device->group_size);
        spec.groups[1] = spec.groups[2] = 1;
        spec.local[0] = device->group_size;
        spec.local[1] = 1;
        spec.flops = 0;
        CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(a->workspace), CLC_MEM(to),
                           CLC_INT(p.rows * p.columns), CLC_INT(p.splits)));
    }
fail:
    return status;
}

const clc_conv2d_impl clc_conv2d_implicit_gemm = {CLC_CONV2D_IMPLICIT_GEMM, "implicit_gemm",
                                                  supports, workspace, build};
