/* A residual network of dilated 1-D convolutions (WaveNet's dilations, van den Oord et al., arXiv
 * 1609.03499), over all steps around each. Parameters, of names of its own: "embedding.weight" of
 * tokens or "input.{weight,bias}" of series, then of block i "blocks.i.norm", "blocks.i.conv" (3
 * taps, dilation 2^i) and "blocks.i.linear", then "norm". */
#include "core/text.h"
#include "net/net.h"

#include <math.h>

enum { WIDTH = 256, DEPTH = 4, TAPS = 3, MOST_DOUBLINGS = 10 };

typedef struct conv_net {
    const clc_config_encoder *encoder;
    const char *prefix;
    int width, depth;
    clc_pooling pooling;
} conv_net;

static clc_status settings(const char *prefix, const clc_config_encoder *encoder, conv_net *net) {
    const int pooling = encoder->pooling;
    if (pooling == CLC_CONFIG_POOLING_CLASS)
        return clc_fail(CLC_INVALID,
                        "%s.pooling = class: conv1d has no class token; use mean, last or first",
                        prefix);
    *net = (conv_net){.encoder = encoder,
                      .prefix = prefix,
                      .width = encoder->width ? encoder->width : WIDTH,
                      .depth = encoder->depth ? encoder->depth : DEPTH,
                      .pooling = pooling == CLC_CONFIG_POOLING_LAST    ? CLC_POOLING_LAST
                                 : pooling == CLC_CONFIG_POOLING_FIRST ? CLC_POOLING_FIRST
                                                                       : CLC_POOLING_MEAN};
    return CLC_OK;
}

static clc_status drop(clc_graph *graph, const conv_net *net, const char *layer, clc_tensor *in,
                       clc_tensor *residual, clc_tensor **out) {
    clc_status status = CLC_OK;
    char name[64];
    CLC_TRY(clc_text_format(name, sizeof name, "%s.dropout", layer));
    CLC_TRY(clc_op_dropout(graph, name, in, net->encoder->dropout, residual, out));
fail:
    return status;
}

static bool drops(const clc_graph *graph, const conv_net *net) {
    return clc_graph_trains(graph) && net->encoder->dropout > 0;
}

/* Steps as rows of the width. */
static clc_status embed(clc_graph *graph, const conv_net *net, const clc_net_input *in,
                        clc_tensor **x) {
    clc_status status = CLC_OK;
    char layer[64];
    const bool tokens = in->kind == CLC_KIND_TOKENS;
    CLC_TRY(
        clc_text_format(layer, sizeof layer, tokens ? "%s.embedding" : "%s.input", net->prefix));
    if (tokens)
        CLC_TRY(clc_op_embedding(graph, layer, in->values, in->vocabulary, net->width, x));
    else
        CLC_TRY(clc_op_linear(graph, layer, in->values, net->width, true, false, x));
    if (drops(graph, net))
        CLC_TRY(drop(graph, net, layer, *x, NULL, x));
fail:
    return status;
}

/* x + linear(ReLU(conv(norm(x)))). */
static clc_status add_block(clc_graph *graph, const conv_net *net, int index, clc_tensor *lengths,
                            clc_tensor **x) {
    clc_status status = CLC_OK;
    const int dilation = 1 << index % MOST_DOUBLINGS;
    const clc_conv1d conv = {.filters = net->width,
                             .kernel = TAPS,
                             .stride = 1,
                             .pad = dilation * (TAPS - 1) / 2,
                             .dilation = dilation,
                             .relu = true};
    char layer[64];
    clc_tensor *y = NULL;
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.blocks.%d.norm", net->prefix, index));
    CLC_TRY(clc_op_layernorm(graph, layer, *x, 1e-5f, &y));
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.blocks.%d.conv", net->prefix, index));
    CLC_TRY(clc_op_conv1d(graph, layer, y, lengths, &conv, &y));
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.blocks.%d.linear", net->prefix, index));
    const clc_linear linear = {.layer = layer,
                               .weight = "weight",
                               .bias = "bias",
                               .kind = CLC_PARAM_LINEAR_WEIGHT,
                               .outputs = net->width,
                               .residual = drops(graph, net) ? NULL : *x};
    CLC_TRY(clc_op_linear_as(graph, &linear, y, &y));
    if (drops(graph, net))
        CLC_TRY(drop(graph, net, layer, y, *x, &y));
    *x = y;
fail:
    return status;
}

static clc_status build(clc_graph *graph, const char *prefix, const clc_config_encoder *encoder,
                        const clc_net_input *in, clc_tensor **features) {
    clc_status status = CLC_OK;
    conv_net net = {0};
    char layer[64];
    clc_tensor *x = NULL;
    CLC_TRY(settings(prefix, encoder, &net));
    CLC_TRY(embed(graph, &net, in, &x));
    for (int i = 0; i < net.depth; i++) {
        clc_net_layer(graph, encoder, i);
        CLC_TRY(add_block(graph, &net, i, in->lengths, &x));
    }
    CLC_TRY(clc_net_layers_end(graph, prefix, encoder, net.depth));
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.norm", prefix));
    CLC_TRY(clc_op_layernorm(graph, layer, x, 1e-5f, &x));
    CLC_TRY(clc_op_pool_tokens(graph, layer, x, in->lengths, net.pooling, features));
fail:
    return status;
}

const clc_net clc_net_conv1d = {.name = "conv1d",
                                .takes = {[CLC_KIND_TOKENS] = true, [CLC_KIND_SERIES] = true},
                                .build = build};
