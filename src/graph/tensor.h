/* What stands on a tape: its shape, and where value and gradient lie. */
#ifndef CLC_GRAPH_TENSOR_H
#define CLC_GRAPH_TENSOR_H

#include "device/device.h"

enum { CLC_TENSOR_RANK = 4 };

/* How a tensor is stored, 4 bytes an element either way. Only FLOAT32 has gradients. */
typedef enum clc_type { CLC_TYPE_FLOAT32, CLC_TYPE_INT32 } clc_type;

/* The first dimension is that of the samples, the last one that of the channels. */
typedef struct clc_shape {
    clc_type type;
    int rank; /* 0: no tensor at all */
    int dims[CLC_TENSOR_RANK];
} clc_shape;

/* (N,H,W,C) */
static inline clc_shape clc_shape_images(int n, int h, int w, int c) {
    return (clc_shape){CLC_TYPE_FLOAT32, 4, {n, h, w, c}};
}

/* (N,C) */
static inline clc_shape clc_shape_rows(int n, int c) {
    return (clc_shape){CLC_TYPE_FLOAT32, 2, {n, c}};
}

/* (N,T,C) */
static inline clc_shape clc_shape_sequences(int n, int t, int c) {
    return (clc_shape){CLC_TYPE_FLOAT32, 3, {n, t, c}};
}

/* int32 (N,T) */
static inline clc_shape clc_shape_tokens(int n, int t) {
    return (clc_shape){CLC_TYPE_INT32, 2, {n, t}};
}

/* int32 (N) */
static inline clc_shape clc_shape_lengths(int n) {
    return (clc_shape){CLC_TYPE_INT32, 1, {n}};
}

/* The same with another number of channels. */
static inline clc_shape clc_shape_channels(clc_shape shape, int channels) {
    shape.dims[shape.rank - 1] = channels;
    return shape;
}

typedef struct clc_tensor {
    char name[64];
    clc_shape shape;
    size_t count;
    int producer;      /* node index, -1 for an input */
    int last_consumer; /* node index, -1 if none */
    int kept_until;    /* time up to which the value must live */
    bool wants_grad;   /* an input's gradient is computed only if asked for */
    bool external;     /* an input whose buffer the caller provides in `value` */
    bool exposed,
        exposed_grad; /* the loss reads the value, writes a gradient, although nodes read it too */
    int slot, grad_slot;
    cl_mem value, grad; /* borrowed from the slots */
} clc_tensor;

static inline int clc_tensor_samples(const clc_tensor *tensor) {
    return tensor->shape.dims[0];
}

static inline int clc_tensor_channels(const clc_tensor *tensor) {
    return tensor->shape.dims[tensor->shape.rank - 1];
}

/* Elements of a channel: all dimensions but the last. */
static inline int clc_tensor_rows(const clc_tensor *tensor) {
    return (int)(tensor->count / (size_t)clc_tensor_channels(tensor));
}

static inline size_t clc_tensor_bytes(const clc_tensor *tensor) {
    return tensor->count * 4;
}

#endif
