/* Vision transformer (Dosovitskiy et al., arXiv 2010.11929) under the names of torchvision's
 * VisionTransformer, without its classifier; tiny as DeiT's (2012.12877). Of its own are `ln_pre`
 * and `proj`, which CLIP's has. */
#include "core/text.h"
#include "net/blocks.h"
#include "net/net.h"

#include <math.h>

static const clc_block_names names = {.block = "%s.encoder.layers.encoder_layer_%d",
                                      .norm_1 = "ln_1",
                                      .attention = "self_attention",
                                      .norm_2 = "ln_2",
                                      .mlp_in = "mlp.0",
                                      .mlp_out = "mlp.3"};

static const char *const sizes[] = {"vit_tiny", "vit_small", "vit_base", NULL};

static void size_of(int name, clc_blocks *b) {
    b->width = name == CLC_CONFIG_ENCODER_VIT_BASE    ? 768
               : name == CLC_CONFIG_ENCODER_VIT_SMALL ? 384
                                                      : 192;
    b->heads = b->width / 64;
    b->depth = 12;
}

static clc_status settings(const char *section, const clc_config_encoder *encoder, clc_blocks *b) {
    const int pooling = encoder->pooling;
    *b = (clc_blocks){.names = &names,
                      .eps = encoder->pre_norm ? 1e-5f : 1e-6f, /* CLIP's and torchvision's */
                      .picks = pooling != CLC_CONFIG_POOLING_MEAN,
                      .pooling = CLC_POOLING_FIRST};
    size_of(encoder->name, b);
    if (pooling == CLC_CONFIG_POOLING_LAST || pooling == CLC_CONFIG_POOLING_FIRST)
        return clc_fail(CLC_INVALID,
                        "%s.pooling = %s: patches have no order that counts; use class or "
                        "mean",
                        section, pooling == CLC_CONFIG_POOLING_LAST ? "last" : "first");
    return clc_blocks_settings(section, encoder, b);
}

/* Of a patch. */
static int side_of(const clc_config_encoder *encoder, int image) {
    const int small = image < 64 ? 4 : 16;
    return encoder->patch ? encoder->patch : small;
}

/* Patches as rows of the width behind a class token, with their positions. */
static clc_status embed(clc_graph *graph, const char *prefix, const clc_config_encoder *encoder,
                        const clc_blocks *b, clc_tensor *images, clc_tensor **x) {
    clc_status status = CLC_OK;
    char layer[64];
    const int side = side_of(encoder, images->shape.dims[1]);
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.conv_proj", prefix));
    CLC_TRY(clc_op_patches(graph, layer, images, side, x));
    const clc_linear projection = {.layer = layer,
                                   .weight = "weight",
                                   .bias = "bias",
                                   .kind = CLC_PARAM_CONV_WEIGHT,
                                   .window = side,
                                   .outputs = b->width,
                                   .deviation = (float)sqrt(1.0 / clc_tensor_channels(*x))};
    CLC_TRY(clc_op_linear_as(graph, &projection, *x, x));
    CLC_TRY(clc_op_class_token(graph, prefix, "class_token", *x, x));
    const clc_positions positions = {
        .name = "pos_embedding", .rank = 3, .rows = (*x)->shape.dims[1], .deviation = 0.02f};
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.encoder", prefix));
    CLC_TRY(clc_op_position(graph, layer, &positions, *x, x));
    CLC_TRY(clc_blocks_drop(graph, layer, b, *x, NULL, x));
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.encoder.ln_pre", prefix));
    if (encoder->pre_norm)
        CLC_TRY(clc_op_layernorm(graph, layer, *x, b->eps, x));
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
    CLC_TRY(embed(graph, prefix, encoder, &b, in->values, &x));
    CLC_TRY(clc_blocks_build(graph, prefix, encoder, &b, x, NULL, &x));
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.encoder.ln", prefix));
    CLC_TRY(clc_op_layernorm(graph, layer, x, b.eps, &x));
    if (!b.picks) {
        CLC_TRY(clc_op_without_class_token(graph, layer, x, &x));
        CLC_TRY(clc_op_pool_tokens(graph, layer, x, NULL, CLC_POOLING_MEAN, &x));
    }
    const clc_linear projection = {.layer = prefix,
                                   .weight = "proj",
                                   .kind = CLC_PARAM_TABLE,
                                   .outputs = encoder->output,
                                   .deviation = (float)sqrt(1.0 / b.width)};
    if (encoder->output)
        CLC_TRY(clc_op_linear_as(graph, &projection, x, &x));
    *features = x;
fail:
    return status;
}

/* Tokens of the patches behind the last norm, as a map. */
static clc_status add_taps(clc_graph *graph, const char *prefix, const clc_config_encoder *encoder,
                           const clc_net_input *in, const clc_ints *stages, clc_taps *taps) {
    clc_status status = CLC_OK;
    const int *dims = in->values->shape.dims;
    char layer[64];
    clc_blocks b;
    clc_tensor *x = NULL;
    (void)stages;
    CLC_TRY(settings(prefix, encoder, &b));
    b.picks = false;
    CLC_TRY(embed(graph, prefix, encoder, &b, in->values, &x));
    CLC_TRY(clc_blocks_build(graph, prefix, encoder, &b, x, NULL, &x));
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.encoder.ln", prefix));
    CLC_TRY(clc_op_layernorm(graph, layer, x, b.eps, &x));
    const int side = side_of(encoder, dims[1]);
    CLC_TRY(clc_op_token_map(graph, layer, x, dims[1] / side, dims[2] / side, &taps->maps[0]));
    taps->count = 1;
fail:
    return status;
}

const clc_net clc_net_vit = {.name = "vit",
                             .sizes = sizes,
                             .takes = {[CLC_KIND_IMAGES] = true},
                             .build = build,
                             .taps = add_taps};
