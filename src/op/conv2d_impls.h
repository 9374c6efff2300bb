/* The implementations of clc_conv2d_impl, one a file. */
#ifndef CLC_OP_CONV2D_IMPLS_H
#define CLC_OP_CONV2D_IMPLS_H

#include "op/conv2d.h"

/* By clc_conv2d_pass: what bench calls a pass. */
extern const char *const clc_conv2d_pass_names[];

extern const clc_conv2d_impl clc_conv2d_direct, clc_conv2d_im2col, clc_conv2d_implicit_gemm,
    clc_conv2d_pointwise, clc_conv2d_winograd, clc_conv2d_winograd_gemm, clc_conv2d_winograd_staged;

/* Channels read and written: exchanged in the backward pass over data. */
static inline void clc_conv2d_channels(const clc_conv2d_shape *shape, clc_conv2d_pass pass, int *c,
                                       int *k) {
    const bool turned = pass == CLC_CONV2D_BACKWARD_DATA;
    *c = turned ? shape->k : shape->c;
    *k = turned ? shape->c : shape->k;
}

/* Of cl/op/product.h: results an item along each side of a tile, and terms that are gathered at a
 * time. */
enum { CLC_PRODUCT_RESULTS = 4, CLC_PRODUCT_STEP = 16 };

/* Items along each side of a group: 16 where the device allows 256. */
static inline int clc_product_side(const clc_device *device) {
    return device->info.max_group >= 256 ? 16 : 8;
}

#endif
