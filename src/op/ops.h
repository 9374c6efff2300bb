/* The nodes that networks are built of. Each appends to the tape and returns its output tensor;
 * `layer` is the name that parameters, errors and bench use. */
#ifndef CLC_OP_OPS_H
#define CLC_OP_OPS_H

#include "device/gemm.h"
#include "graph/graph.h"

/* Positions of a window of `kernel` along `size` pixels; 0 or less when it doesn't fit once. */
static inline int clc_window_positions(int size, int kernel, int stride, int pad) {
    return size + 2 * pad < kernel ? 0 : (size + 2 * pad - kernel) / stride + 1;
}

/* Convolution without bias: `k` filters of kernel x kernel. in (N,H,W,C), out (N,OH,OW,K). */
clc_status clc_conv2d(clc_graph *graph, const char *layer, clc_tensor *in, int k, int kernel,
                      int stride, int pad, clc_tensor **out);

/* Batch normalisation over all but the channels (Ioffe and Szegedy, arXiv 1502.03167), eps 1e-5,
 * running averages with momentum 0.1 and unbiased variance; then + residual (may be NULL), then
 * ReLU. */
clc_status clc_batchnorm(clc_graph *graph, const char *layer, clc_tensor *in, clc_tensor *residual,
                         bool relu, clc_tensor **out);

/* Fully connected: in (N,1,1,C), out (N,1,1,outputs); then ReLU if asked for. */
clc_status clc_linear(clc_graph *graph, const char *layer, clc_tensor *in, int outputs, bool bias,
                      bool relu, clc_tensor **out);

/* Cosine similarities with `count` prototypes (SwAV, arXiv 2006.09882; DINO's last layer,
 * 2104.14294): in (N,1,1,C), out (N,1,1,count). */
clc_status clc_prototypes(clc_graph *graph, const char *layer, clc_tensor *in, int count,
                          clc_tensor **out);

/* Appends the scaling of the prototypes to length 1, as SwAV does after each update. */
clc_status clc_prototypes_renormalize(clc_sequence *sequence, clc_device *device,
                                      const clc_param *weight);

/* Maximum over windows; padding never wins. */
clc_status clc_maxpool(clc_graph *graph, const char *layer, clc_tensor *in, int kernel, int stride,
                       int pad, clc_tensor **out);

/* Mean over height and width: out (N,1,1,C). */
clc_status clc_avgpool(clc_graph *graph, const char *layer, clc_tensor *in, clc_tensor **out);

#endif
