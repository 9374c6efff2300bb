#include "net/recurrent.h"

#include "core/text.h"

/* Parameters are "embedding.weight", of tokens, and PyTorch's behind "rnn": "rnn.weight_ih_l0". */

enum { WIDTH = 256 }; /* of the states, unless said */

typedef struct recurrent_net {
    const clc_config_encoder *encoder;
    const char *prefix;
    int width, depth;
    clc_pooling pooling;
} recurrent_net;

static clc_status settings(const char *prefix, const clc_config_encoder *encoder,
                           recurrent_net *net) {
    int pooling = encoder->pooling;
    const bool both = encoder->bidirectional;
    if (pooling == CLC_CONFIG_POOLING_AUTO)
        pooling = both ? CLC_CONFIG_POOLING_MEAN : CLC_CONFIG_POOLING_LAST;
    if (pooling != CLC_CONFIG_POOLING_MEAN && pooling != CLC_CONFIG_POOLING_LAST)
        return clc_fail(CLC_INVALID,
                        "%s.pooling: a recurrent network's features are the mean of its states or "
                        "the last one; use pooling = mean or last",
                        prefix);
    *net = (recurrent_net){.encoder = encoder,
                           .prefix = prefix,
                           .width = encoder->width ? encoder->width : WIDTH,
                           .depth = encoder->depth ? encoder->depth : 1,
                           .pooling = pooling == CLC_CONFIG_POOLING_MEAN ? CLC_POOLING_MEAN
                                      : both                             ? CLC_POOLING_ENDS
                                                                         : CLC_POOLING_LAST};
    return CLC_OK;
}

/* Dropout in training, as PyTorch has it between the layers; here behind the embedding and the
 * last layer, too, so that two passes over the same tokens differ. */
static clc_status drop(clc_graph *graph, const recurrent_net *net, const char *where, int index,
                       clc_tensor **x) {
    clc_status status = CLC_OK;
    char layer[64];
    if (!clc_graph_trains(graph) || !(net->encoder->dropout > 0))
        return CLC_OK;
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.%s%d", net->prefix, where, index));
    CLC_TRY(clc_op_dropout(graph, layer, *x, net->encoder->dropout, NULL, x));
fail:
    return status;
}

clc_status clc_recurrent_build(clc_graph *graph, const char *prefix,
                               const clc_config_encoder *encoder, const clc_net_input *in,
                               bool lstm, clc_tensor **features) {
    clc_status status = CLC_OK;
    recurrent_net net = {0};
    char layer[64];
    clc_tensor *x = in->values;
    CLC_TRY(settings(prefix, encoder, &net));
    if (in->kind == CLC_KIND_TOKENS) {
        CLC_TRY(clc_text_format(layer, sizeof layer, "%s.embedding", prefix));
        CLC_TRY(clc_op_embedding(graph, layer, x, in->vocabulary,
                                 encoder->embedding ? encoder->embedding : net.width, &x));
        CLC_TRY(drop(graph, &net, "embedding.dropout", 0, &x));
    }
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.rnn", prefix));
    for (int i = 0; i < net.depth; i++) {
        clc_net_layer(graph, encoder, i);
        const clc_recurrent settings = {lstm, net.width, encoder->bidirectional, i};
        CLC_TRY(clc_op_recurrent(graph, layer, x, in->lengths, &settings, &x));
        CLC_TRY(drop(graph, &net, "rnn.dropout", i, &x));
    }
    CLC_TRY(clc_net_layers_end(graph, prefix, encoder, net.depth));
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.pool", prefix));
    CLC_TRY(clc_op_pool_tokens(graph, layer, x, in->lengths, net.pooling, features));
fail:
    return status;
}
