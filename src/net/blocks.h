/* The residual blocks of transformers, with layer normalisation in front of attention and of the
 * two linear layers (pre-norm). */
#ifndef CLC_NET_BLOCKS_H
#define CLC_NET_BLOCKS_H

#include "core/config.h"
#include "op/ops.h"

/* What the ecosystem calls a block's layers. */
typedef struct clc_block_names {
    const char *block; /* a format: prefix and number */
    const char *norm_1, *attention, *norm_2, *mlp_in, *mlp_out;
} clc_block_names;

typedef struct clc_blocks {
    const clc_block_names *names;
    int width, depth, heads, hidden;
    bool quick_gelu, causal;
    int front; /* steps in front that lengths don't count */
    float eps;
    double dropout;
    bool picks;          /* the last block goes on with one step of each sample behind attention: */
    clc_pooling pooling; /* that one; features are then (N,C) */
} clc_blocks;

/* Settings of the encoder, with the network's own where it says 0. What fits nothing is CLC_INVALID
 * and named as of `section`. */
clc_status clc_blocks_settings(const char *section, const clc_config_encoder *encoder,
                               clc_blocks *blocks);

/* in (N,T,C), lengths (N) or NULL, out (N,T,C), or (N,C) where one step is picked. */
clc_status clc_blocks_build(clc_graph *graph, const char *prefix, const clc_config_encoder *encoder,
                            const clc_blocks *blocks, clc_tensor *in, clc_tensor *lengths,
                            clc_tensor **out);

/* Dropout with the blocks' rate in training, `residual` (may be NULL) added. */
clc_status clc_blocks_drop(clc_graph *graph, const char *layer, const clc_blocks *blocks,
                           clc_tensor *in, clc_tensor *residual, clc_tensor **out);

#endif
