/* A transformer over tokens or over steps of a series (Vaswani et al., arXiv 1706.03762), as
 * OpenAI's text tower of CLIP (Radford et al., arXiv 2103.00020), whose names it has. Of its own
 * are `input`, a linear layer in place of the token embedding where the input is a series, and
 * `class_token`. */
#include "core/text.h"
#include "net/blocks.h"
#include "net/net.h"

#include <math.h>

static const clc_block_names names = {.block = "%s.transformer.resblocks.%d",
                                      .norm_1 = "ln_1",
                                      .attention = "attn",
                                      .norm_2 = "ln_2",
                                      .mlp_in = "mlp.c_fc",
                                      .mlp_out = "mlp.c_proj"};

static int pooling_of(const clc_config_encoder *encoder) {
    if (encoder->pooling != CLC_CONFIG_POOLING_AUTO)
        return encoder->pooling;
    return encoder->bidirectional ? CLC_CONFIG_POOLING_MEAN : CLC_CONFIG_POOLING_LAST;
}

static clc_status settings(const char *section, const clc_config_encoder *encoder, clc_blocks *b) {
    const int pooling = pooling_of(encoder);
    const bool first = pooling == CLC_CONFIG_POOLING_FIRST || pooling == CLC_CONFIG_POOLING_CLASS;
    *b = (clc_blocks){.names = &names,
                      .width = 256,
                      .depth = 4,
                      .causal = !encoder->bidirectional,
                      .front = pooling == CLC_CONFIG_POOLING_CLASS,
                      .eps = 1e-5f,
                      .picks = pooling != CLC_CONFIG_POOLING_MEAN,
                      .pooling = first ? CLC_POOLING_FIRST : CLC_POOLING_LAST};
    if (first && b->causal)
        return clc_fail(CLC_INVALID,
                        "%s.pooling = %s with %s.bidirectional = false: the first step "
                        "sees none behind it; use pooling = last or bidirectional = true",
                        section, b->front ? "class" : "first", section);
    return clc_blocks_settings(section, encoder, b);
}

/* Steps as rows of the width, with their positions. */
static clc_status embed(clc_graph *graph, const char *prefix, const clc_config_encoder *encoder,
                        const clc_blocks *b, const clc_net_input *in, clc_tensor **x) {
    clc_status status = CLC_OK;
    char layer[64];
    const int steps = in->values->shape.dims[1];
    const clc_positions positions = {.name = "positional_embedding",
                                     .rank = 2,
                                     .rows =
                                         (encoder->context ? encoder->context : steps) + b->front,
                                     .deviation = 0.01f};
    if (in->kind == CLC_KIND_TOKENS) {
        CLC_TRY(clc_text_format(layer, sizeof layer, "%s.token_embedding", prefix));
        CLC_TRY(clc_op_embedding(graph, layer, in->values, in->vocabulary, b->width, x));
    } else {
        CLC_TRY(clc_text_format(layer, sizeof layer, "%s.input", prefix));
        CLC_TRY(clc_op_linear(graph, layer, in->values, b->width, true, false, x));
    }
    if (b->front)
        CLC_TRY(clc_op_class_token(graph, prefix, "class_token", *x, x));
    CLC_TRY(clc_op_position(graph, prefix, &positions, *x, x));
    CLC_TRY(clc_blocks_drop(graph, prefix, b, *x, NULL, x));
fail:
    return status;
}

static clc_status build(clc_graph *graph, const char *prefix, const clc_config_encoder *encoder,
                        const clc_net_input *in, clc_tensor **features) {
    clc_status status = CLC_OK;
    char layer[64];
    clc_blocks b;
    clc_tensor *x = NULL;
    CLC_TRY(settings(prefix, encoder, &b));
    CLC_TRY(embed(graph, prefix, encoder, &b, in, &x));
    CLC_TRY(clc_blocks_build(graph, prefix, encoder, &b, x, in->lengths, &x));
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.ln_final", prefix));
    CLC_TRY(clc_op_layernorm(graph, layer, x, b.eps, &x));
    if (!b.picks)
        CLC_TRY(clc_op_pool_tokens(graph, layer, x, in->lengths, CLC_POOLING_MEAN, &x));
    const clc_linear projection = {.layer = prefix,
                                   .weight = "text_projection",
                                   .kind = CLC_PARAM_TABLE,
                                   .outputs = encoder->output,
                                   .deviation = (float)sqrt(1.0 / b.width)};
    if (encoder->output)
        CLC_TRY(clc_op_linear_as(graph, &projection, x, &x));
    *features = x;
fail:
    return status;
}

const clc_net clc_net_transformer = {.name = "transformer",
                                     .takes = {[CLC_KIND_TOKENS] = true, [CLC_KIND_SERIES] = true},
                                     .build = build};
