/* What nodes of the tape carry as their attr, for whoever reads a tape. Of conv1d and attention it
 * is the settings of op/ops.h. */
#ifndef CLC_OP_ATTR_H
#define CLC_OP_ATTR_H

#include "op/ops.h"

typedef struct clc_conv2d_attr {
    int filters, kernel, stride, pad;
} clc_conv2d_attr;

typedef struct clc_batchnorm_attr {
    bool relu;
} clc_batchnorm_attr;

typedef struct clc_linear_attr {
    int outputs;
    bool bias, relu;
} clc_linear_attr;

typedef struct clc_layernorm_attr {
    float eps;
} clc_layernorm_attr;

typedef struct clc_gelu_attr {
    bool quick;
} clc_gelu_attr;

typedef struct clc_patches_attr {
    int side;
} clc_patches_attr;

/* Of without_class_token. */
typedef struct clc_map_attr {
    int height, width; /* 0: the output is a sequence */
} clc_map_attr;

typedef struct clc_maxpool_attr {
    int kernel, stride, pad;
} clc_maxpool_attr;

typedef struct clc_pool_tokens_attr {
    clc_pooling pooling;
} clc_pool_tokens_attr;

typedef struct clc_recurrent_attr {
    int hidden, gates, directions; /* 3 gates: GRU, 4: LSTM */
} clc_recurrent_attr;

#endif
