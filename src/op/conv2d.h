/* 2-D convolution (cross-correlation, as PyTorch's) without bias. Several implementations share
 * this interface; which one runs is chosen by shape, device and configuration. */
#ifndef CLC_OP_CONV2D_H
#define CLC_OP_CONV2D_H

#include "core/words.h"
#include "device/gemm.h"
#include "device/sequence.h"

/* x (n,h,w,c), weights (kh,kw,c,k), y (n,oh,ow,k); zero padding `pad` on every side. */
typedef struct clc_conv2d_shape {
    int n, h, w, c, k, kh, kw, stride, pad;
} clc_conv2d_shape;

static inline int clc_conv2d_oh(const clc_conv2d_shape *s) {
    return (s->h + 2 * s->pad - s->kh) / s->stride + 1;
}
static inline int clc_conv2d_ow(const clc_conv2d_shape *s) {
    return (s->w + 2 * s->pad - s->kw) / s->stride + 1;
}

typedef enum clc_conv2d_pass {
    CLC_CONV2D_FORWARD,         /* reads x and w, writes y */
    CLC_CONV2D_BACKWARD_DATA,   /* reads y (holding dL/dy) and w, writes x (dL/dx) */
    CLC_CONV2D_BACKWARD_WEIGHTS /* reads x and y (holding dL/dy), writes w (dL/dw) */
} clc_conv2d_pass;

typedef enum clc_conv2d_kind { CLC_CONVOLUTIONS(CLC_WORD_VALUE, CLC_CONV2D_) } clc_conv2d_kind;

typedef struct clc_conv2d_args {
    cl_mem x, w, y;
    cl_mem workspace;   /* of at least clc_conv2d_workspace bytes; NULL if 0 */
    bool accumulate;    /* BACKWARD_DATA only: add to x instead of writing it */
    clc_gemm_kind gemm; /* for im2col */
    const char *layer;
} clc_conv2d_args;

/* One way of computing a pass. */
typedef struct clc_conv2d_impl {
    clc_conv2d_kind kind;
    const char *name;
    bool (*supports)(const clc_device *device, const clc_conv2d_shape *shape, clc_conv2d_pass pass);
    size_t (*workspace)(const clc_device *device, const clc_conv2d_shape *shape,
                        clc_conv2d_pass pass);
    clc_status (*build)(clc_sequence *sequence, clc_device *device, const clc_conv2d_shape *shape,
                        clc_conv2d_pass pass, const clc_conv2d_args *args);
} clc_conv2d_impl;

/* All implementations; *count receives their number. */
const clc_conv2d_impl *const *clc_conv2d_impls(size_t *count);

/* The implementation for a pass: `kind` where it applies, else the best by rule (never NULL:
 * im2col applies everywhere). */
const clc_conv2d_impl *clc_conv2d_choose(const clc_device *device, const clc_conv2d_shape *shape,
                                         clc_conv2d_pass pass, clc_conv2d_kind kind);

/* An implementation and the vector width that its kernels are made with. */
typedef struct clc_conv2d_choice {
    const clc_conv2d_impl *impl;
    unsigned width;
} clc_conv2d_choice;

/* The choice for a pass: `kind` where that is not AUTO, else what device->tuning says, else
 * clc_conv2d_choose's. */
clc_conv2d_choice clc_conv2d_select(const clc_device *device, const clc_conv2d_shape *shape,
                                    clc_conv2d_pass pass, clc_conv2d_kind kind);

/* As the implementation's functions; building notes the choice in device->tuning. */
bool clc_conv2d_choice_supports(const clc_conv2d_choice *choice, const clc_device *device,
                                const clc_conv2d_shape *shape, clc_conv2d_pass pass);
size_t clc_conv2d_choice_workspace(const clc_conv2d_choice *choice, const clc_device *device,
                                   const clc_conv2d_shape *shape, clc_conv2d_pass pass);
clc_status clc_conv2d_choice_build(const clc_conv2d_choice *choice, clc_sequence *sequence,
                                   clc_device *device, const clc_conv2d_shape *shape,
                                   clc_conv2d_pass pass, const clc_conv2d_args *args);

/* A problem's name for device->tuning, "conv2d_forward NxHxWxC KHxKWxK sS pP", and back; a choice's
 * words, "winograd/16". `size` of at least 96. */
void clc_conv2d_key(const clc_conv2d_shape *shape, clc_conv2d_pass pass, char *key, size_t size);
bool clc_conv2d_parse_key(const char *key, clc_conv2d_shape *shape, clc_conv2d_pass *pass);
void clc_conv2d_choice_words(const clc_conv2d_choice *choice, char *words, size_t size);

/* Multiply-adds counted as two: the same for all passes and implementations. */
double clc_conv2d_flops(const clc_conv2d_shape *shape);

#endif
