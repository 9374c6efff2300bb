#include "net/blocks.h"

#include "core/text.h"
#include "net/net.h"

#include <math.h>

enum { LAYER_BYTES = 64, HEAD_WIDTH = 64 };

clc_status clc_blocks_settings(const char *section, const clc_config_encoder *encoder,
                               clc_blocks *b) {
    if (encoder->width)
        b->width = encoder->width;
    if (encoder->depth)
        b->depth = encoder->depth;
    if (encoder->heads)
        b->heads = encoder->heads;
    else if (!b->heads || b->width % b->heads || encoder->width)
        b->heads = b->width % HEAD_WIDTH ? 1 : b->width / HEAD_WIDTH;
    b->hidden = (int)(encoder->mlp_ratio * b->width + 0.5);
    b->quick_gelu = encoder->activation == CLC_CONFIG_ACTIVATION_QUICK_GELU;
    b->dropout = encoder->dropout;
    if (b->width % b->heads)
        return clc_fail(CLC_INVALID,
                        "%s.heads = %d doesn't divide %s.width = %d; choose one that does", section,
                        b->heads, section, b->width);
    if (b->hidden < 1)
        return clc_fail(CLC_INVALID,
                        "%s.mlp_ratio = %g of %s.width = %d leaves no hidden layer; "
                        "raise it",
                        section, encoder->mlp_ratio, section, b->width);
    return CLC_OK;
}

clc_status clc_blocks_drop(clc_graph *graph, const char *layer, const clc_blocks *b, clc_tensor *in,
                           clc_tensor *residual, clc_tensor **out) {
    *out = in;
    if (!clc_graph_trains(graph) || !(b->dropout > 0))
        return CLC_OK;
    return clc_op_dropout(graph, layer, in, b->dropout, residual, out);
}

/* A linear layer whose output, behind dropout, is added to `residual`. */
static clc_status add_to(clc_graph *graph, const char *layer, const clc_blocks *b,
                         clc_tensor *residual, clc_tensor *in, clc_tensor **out) {
    clc_status status = CLC_OK;
    const bool drops = clc_graph_trains(graph) && b->dropout > 0;
    const clc_linear l = {.layer = layer,
                          .weight = "weight",
                          .bias = "bias",
                          .kind = CLC_PARAM_LINEAR_WEIGHT,
                          .outputs = b->width,
                          .residual = drops ? NULL : residual,
                          .deviation = (float)sqrt(1.0 / (2.0 * b->depth * b->width))};
    CLC_TRY(clc_op_linear_as(graph, &l, in, out));
    if (drops)
        CLC_TRY(clc_blocks_drop(graph, layer, b, *out, residual, out));
fail:
    return status;
}

/* Attention behind its norm; `x` is the block's input and, where one step is picked, becomes that
 * step. */
static clc_status add_attention(clc_graph *graph, const char *block, const clc_blocks *b,
                                clc_tensor *lengths, bool picks, clc_tensor **x, clc_tensor **out) {
    clc_status status = CLC_OK;
    char layer[LAYER_BYTES], projection[LAYER_BYTES];
    clc_tensor *y = NULL;
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.%s", block, b->names->norm_1));
    CLC_TRY(clc_op_layernorm(graph, layer, *x, b->eps, &y));
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.%s", block, b->names->attention));
    const clc_linear in_proj = {.layer = layer,
                                .weight = "in_proj_weight",
                                .bias = "in_proj_bias",
                                .kind = CLC_PARAM_LINEAR_WEIGHT,
                                .outputs = 3 * b->width,
                                .deviation = (float)sqrt(1.0 / b->width)};
    const clc_attention attention = {b->heads, b->causal, b->front};
    CLC_TRY(clc_op_linear_as(graph, &in_proj, y, &y));
    CLC_TRY(clc_op_attention(graph, layer, &attention, y, lengths, &y));
    if (picks) {
        CLC_TRY(clc_op_pool_tokens(graph, layer, y, lengths, b->pooling, &y));
        CLC_TRY(clc_op_pool_tokens(graph, block, *x, lengths, b->pooling, x));
    }
    CLC_TRY(clc_text_format(projection, sizeof projection, "%s.out_proj", layer));
    CLC_TRY(add_to(graph, projection, b, *x, y, out));
fail:
    return status;
}

static clc_status add_mlp(clc_graph *graph, const char *block, const clc_blocks *b, clc_tensor *x,
                          clc_tensor **out) {
    clc_status status = CLC_OK;
    char layer[LAYER_BYTES];
    clc_tensor *y = NULL;
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.%s", block, b->names->norm_2));
    CLC_TRY(clc_op_layernorm(graph, layer, x, b->eps, &y));
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.%s", block, b->names->mlp_in));
    const clc_linear hidden = {.layer = layer,
                               .weight = "weight",
                               .bias = "bias",
                               .kind = CLC_PARAM_LINEAR_WEIGHT,
                               .outputs = b->hidden,
                               .deviation = (float)sqrt(1.0 / (2.0 * b->width))};
    CLC_TRY(clc_op_linear_as(graph, &hidden, y, &y));
    CLC_TRY(clc_op_gelu(graph, layer, y, b->quick_gelu, &y));
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.%s", block, b->names->mlp_out));
    CLC_TRY(add_to(graph, layer, b, x, y, out));
fail:
    return status;
}

clc_status clc_blocks_build(clc_graph *graph, const char *prefix, const clc_config_encoder *encoder,
                            const clc_blocks *b, clc_tensor *in, clc_tensor *lengths,
                            clc_tensor **out) {
    clc_status status = CLC_OK;
    char block[LAYER_BYTES];
    clc_tensor *x = in, *y = NULL;
    for (int i = 0; i < b->depth; i++) {
        clc_net_layer(graph, encoder, i);
        CLC_TRY(clc_text_format(block, sizeof block, b->names->block, prefix, i));
        CLC_TRY(add_attention(graph, block, b, lengths, b->picks && i == b->depth - 1, &x, &y));
        CLC_TRY(add_mlp(graph, block, b, y, &x));
    }
    CLC_TRY(clc_net_layers_end(graph, prefix, encoder, b->depth));
    *out = x;
fail:
    return status;
}
