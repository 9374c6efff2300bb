/* The implementations of clc_conv2d_impl, one a file. */
#ifndef CLC_OP_CONV2D_IMPLS_H
#define CLC_OP_CONV2D_IMPLS_H

#include "op/conv2d.h"

/* By clc_conv2d_pass: what bench calls a pass. */
extern const char *const clc_conv2d_pass_names[];

extern const clc_conv2d_impl clc_conv2d_implicit_gemm, clc_conv2d_pointwise, clc_conv2d_direct, clc_conv2d_winograd, clc_conv2d_winograd_staged, clc_conv2d_im2col;

#endif
