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

/* A linear layer whose parameters have names and a layout of their own. */
typedef struct clc_linear {
    const char *layer;
    const char *weight, *bias; /* names behind the layer's; bias NULL: there is none */
    clc_param_kind kind;       /* LINEAR_WEIGHT; TABLE: (C,outputs) outside, too; CONV_WEIGHT: over
                                  patches       of window x window pixels */
    int window, outputs;
    bool relu;
    clc_tensor *residual; /* (..,outputs), added; or NULL. Not with relu */
    float deviation;      /* of the weight's first values; 0: as PyTorch's layer */
} clc_linear;

clc_status clc_op_linear_as(clc_graph *graph, const clc_linear *linear, clc_tensor *in,
                            clc_tensor **out);

/* Layer normalisation over the channels (Ba et al., arXiv 1607.06450). */
clc_status clc_op_layernorm(clc_graph *graph, const char *layer, clc_tensor *in, float eps,
                            clc_tensor **out);

/* GELU (Hendrycks and Gimpel, arXiv 1606.08415), exact, or `quick`: x sigmoid(1.702 x). */
clc_status clc_op_gelu(clc_graph *graph, const char *layer, clc_tensor *in, bool quick,
                       clc_tensor **out);

/* Drops elements with probability `rate` and scales the others up, then + residual (may be NULL).
 * Which ones, graph->dropout_state and the node's place in the graph decide. */
clc_status clc_op_dropout(clc_graph *graph, const char *layer, clc_tensor *in, double rate,
                          clc_tensor *residual, clc_tensor **out);

/* Rows of the table "<layer>.weight" (vocabulary,width): ids int32 (N,T), out (N,T,width). */
clc_status clc_op_embedding(clc_graph *graph, const char *layer, clc_tensor *ids, int vocabulary,
                            int width, clc_tensor **out);

/* A table of a row for each position. */
typedef struct clc_positions {
    const char *name; /* behind the layer's */
    int rank;         /* 2: (rows,C); 3: (1,rows,C) */
    int rows;
    float deviation; /* of its first values */
} clc_positions;

/* Adds row t of a table to step t: in (N,T,C). Refuses more steps than rows. */
clc_status clc_op_position(clc_graph *graph, const char *layer, const clc_positions *table,
                           clc_tensor *in, clc_tensor **out);

/* Puts the parameter "<layer>.<name>" (1,1,C) in front: in (N,T,C), out (N,T+1,C). */
clc_status clc_op_class_token(clc_graph *graph, const char *layer, const char *name, clc_tensor *in,
                              clc_tensor **out);

/* Takes the first step away: in (N,T,C), out (N,T-1,C). */
clc_status clc_op_without_class_token(clc_graph *graph, const char *layer, clc_tensor *in,
                                      clc_tensor **out);

/* The same as a map: out (N,height,width,C) of height x width patches in rows. */
clc_status clc_op_token_map(clc_graph *graph, const char *layer, clc_tensor *in, int height,
                            int width, clc_tensor **out);

/* Cuts images into patches, row by row: in (N,H,W,C), out (N,H/side W/side,side side C). */
clc_status clc_op_patches(clc_graph *graph, const char *layer, clc_tensor *in, int side,
                          clc_tensor **out);

typedef struct clc_attention {
    int heads;
    bool causal; /* a step sees none behind it */
    int front;   /* steps in front that lengths don't count */
} clc_attention;

/* Scaled dot-product attention (Vaswani et al., arXiv 1706.03762): qkv (N,T,3 C), the queries of
 * all heads, then keys, then values; out (N,T,C). Steps from a sample's length on (lengths NULL:
 * there are none) have no part in it and are 0 in `out`. */
clc_status clc_op_attention(clc_graph *graph, const char *layer, const clc_attention *settings,
                            clc_tensor *qkv, clc_tensor *lengths, clc_tensor **out);

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

/* Bilinear interpolation to height x width, as torch's with align_corners=False: in (N,H,W,C), out
 * (N,height,width,C). */
clc_status clc_op_upsample(clc_graph *graph, const char *layer, clc_tensor *in, int height,
                           int width, clc_tensor **out);

/* Mean over height and width: in (N,H,W,C), out (N,C). */
clc_status clc_op_avgpool(clc_graph *graph, const char *layer, clc_tensor *in, clc_tensor **out);

#endif
