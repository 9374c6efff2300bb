/* What stands on feature maps: a linear or a small convolutional head. */
#ifndef CLC_DENSE_HEAD_H
#define CLC_DENSE_HEAD_H

#include "core/config.h"
#include "net/net.h"

/* Maps are standardised (batch-norm), each goes through a linear layer of its own, and coarse ones,
 * interpolated, are added to finer ones (as in feature pyramids, arXiv 1612.03144). Of the linear
 * head that is all; conv: a 3x3 convolution with batch-norm and ReLU and a linear layer follow. out
 * (N,H,W,outputs) has the size of the finest map. Parameters are "head.*". */
clc_status clc_head_build(clc_graph *graph, const clc_config_dense *config, const clc_taps *taps,
                          int outputs, clc_tensor **out);

/* Of the linear layer that gives the outputs. */
const char *clc_head_last_bias(const clc_config_dense *config);

#endif
