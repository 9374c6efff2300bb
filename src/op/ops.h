/* The nodes that networks are built of. Each appends to the tape and returns its output tensor;
 * `layer` is the name that parameters, errors and bench use. */
#ifndef CLC_OP_OPS_H
#define CLC_OP_OPS_H

#include "graph/graph.h"

/* Positions of a window of `kernel` along `size` pixels; 0 or less when it doesn't fit once. */
static inline int clc_window_positions(int size, int kernel, int stride, int pad) {
    return size + 2 * pad < kernel ? 0 : (size + 2 * pad - kernel) / stride + 1;
}

/* Convolution without bias, with filters of kernel x kernel pixels. in (N,H,W,C), out
 * (N,OH,OW,filters). */
clc_status clc_op_conv2d(clc_graph *graph, const char *layer, clc_tensor *in, int filters,
                         int kernel, int stride, int pad, clc_tensor **out);

/* Batch normalisation over all but the channels (Ioffe and Szegedy, arXiv 1502.03167), eps 1e-5,
 * running averages with momentum 0.1 and unbiased variance; then + residual (may be NULL), then
 * ReLU. */
clc_status clc_op_batchnorm(clc_graph *graph, const char *layer, clc_tensor *in,
                            clc_tensor *residual, bool relu, clc_tensor **out);

/* Fully connected: in (..,C), out (..,outputs); then ReLU if asked for. */
clc_status clc_op_linear(clc_graph *graph, const char *layer, clc_tensor *in, int outputs,
                         bool bias, bool relu, clc_tensor **out);

/* Cosine similarities with `count` prototypes (SwAV, arXiv 2006.09882; DINO's last layer,
 * 2104.14294): in (..,C), out (..,count). */
clc_status clc_op_prototypes(clc_graph *graph, const char *layer, clc_tensor *in, int count,
                             clc_tensor **out);

/* Appends the scaling of the prototypes to length 1, as SwAV does after each update. */
clc_status clc_prototypes_renormalize(clc_sequence *sequence, clc_device *device,
                                      const clc_param *weight);

/* Maximum over windows; padding never wins. */
clc_status clc_op_maxpool(clc_graph *graph, const char *layer, clc_tensor *in, int kernel,
                          int stride, int pad, clc_tensor **out);

/* A layer of PyTorch's nn.GRU or nn.LSTM. */
typedef struct clc_recurrent {
    bool lstm;
    int hidden;
    bool bidirectional;
    int index; /* in the stack, part of its parameters' names: "<layer>.weight_ih_l0_reverse" */
} clc_recurrent;

/* in (N,T,C), lengths int32 (N) or NULL, out (N,T,hidden), or (N,T,2 hidden): forward's states,
 * then those of the other direction, which begins at the last valid step. Beyond the lengths the
 * output is 0; what the input holds there doesn't matter as long as it is finite, and gets gradient
 * 0. */
clc_status clc_op_recurrent(clc_graph *graph, const char *layer, clc_tensor *in,
                            clc_tensor *lengths, const clc_recurrent *settings, clc_tensor **out);

typedef struct clc_conv1d {
    int filters, kernel, stride, pad, dilation;
    bool relu; /* behind the bias */
} clc_conv1d;

/* Convolution over steps, with bias: in (N,T,C), lengths int32 (N) or NULL, out (N,OT,filters). The
 * input counts as 0 beyond its length. */
clc_status clc_op_conv1d(clc_graph *graph, const char *layer, clc_tensor *in, clc_tensor *lengths,
                         const clc_conv1d *settings, clc_tensor **out);

/* How valid steps become one row. ENDS: of the first half of the channels the last step, of the
 * second half the first one, as the two directions of a recurrent layer end. */
typedef enum clc_pooling {
    CLC_POOLING_MEAN,
    CLC_POOLING_LAST,
    CLC_POOLING_FIRST,
    CLC_POOLING_ENDS
} clc_pooling;

/* in (N,T,C), lengths int32 (N) or NULL, out (N,C). */
clc_status clc_op_pool_tokens(clc_graph *graph, const char *layer, clc_tensor *in,
                              clc_tensor *lengths, clc_pooling pooling, clc_tensor **out);

/* Rows scaled to length 1: in (..,C), out (..,C). */
clc_status clc_op_normalize(clc_graph *graph, const char *layer, clc_tensor *in, clc_tensor **out);

/* Mean over height and width: in (N,H,W,C), out (N,C). */
clc_status clc_op_avgpool(clc_graph *graph, const char *layer, clc_tensor *in, clc_tensor **out);

#endif
