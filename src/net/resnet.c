/* ResNet (He et al., arXiv 1512.03385) as torchvision's, v1.5: the stride is in the 3x3
 * convolution. Images in (N,H,W,C), features out (N,F). */
#include "net/net.h"

#include "core/text.h"

/* What an encoder's name says, or its own keys. */
typedef struct depth {
    bool bottleneck;
    clc_ints blocks; /* of each stage */
} depth;

static depth depth_of(const clc_config_encoder *encoder) {
    static const depth named[] = {
        [CLC_CONFIG_ENCODER_RESNET10] = {false, {4, {1, 1, 1, 1}}},
        [CLC_CONFIG_ENCODER_RESNET18] = {false, {4, {2, 2, 2, 2}}},
        [CLC_CONFIG_ENCODER_RESNET34] = {false, {4, {3, 4, 6, 3}}},
        [CLC_CONFIG_ENCODER_RESNET50] = {true, {4, {3, 4, 6, 3}}},
    };
    if (encoder->name != CLC_CONFIG_ENCODER_CUSTOM)
        return named[encoder->name];
    return (depth){encoder->block == CLC_CONFIG_BLOCK_BOTTLENECK, encoder->blocks};
}

/* Channels of the first stage. */
static int width_of(const clc_config_encoder *encoder) {
    return encoder->width ? encoder->width : 64;
}

/* Convolution and batch-norm with the pair of names that torchvision gives them. */
static clc_status conv_norm(clc_graph *graph, const char *block, const char *conv, const char *norm,
                            clc_tensor *in, int k, int kernel, int stride, clc_tensor *residual,
                            bool relu, clc_tensor **out) {
    clc_status status = CLC_OK;
    char layer[64];
    clc_tensor *y = NULL;
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.%s", block, conv));
    CLC_TRY(clc_op_conv2d(graph, layer, in, k, kernel, stride, kernel / 2, &y));
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.%s", block, norm));
    CLC_TRY(clc_op_batchnorm(graph, layer, y, residual, relu, out));
fail:
    return status;
}

static clc_status add_block(clc_graph *graph, bool bottleneck, const char *name, clc_tensor *in,
                            int width, int stride, clc_tensor **out) {
    clc_status status = CLC_OK;
    const int outputs = bottleneck ? 4 * width : width;
    clc_tensor *shortcut = in, *y = NULL;
    if (bottleneck) {
        CLC_TRY(conv_norm(graph, name, "conv1", "bn1", in, width, 1, 1, NULL, true, &y));
        CLC_TRY(conv_norm(graph, name, "conv2", "bn2", y, width, 3, stride, NULL, true, &y));
    } else {
        CLC_TRY(conv_norm(graph, name, "conv1", "bn1", in, width, 3, stride, NULL, true, &y));
    }
    if (stride != 1 || clc_tensor_channels(in) != outputs)
        CLC_TRY(conv_norm(graph, name, "downsample.0", "downsample.1", in, outputs, 1, stride, NULL,
                          false, &shortcut));
    if (bottleneck)
        CLC_TRY(conv_norm(graph, name, "conv3", "bn3", y, outputs, 1, 1, shortcut, true, out));
    else
        CLC_TRY(conv_norm(graph, name, "conv2", "bn2", y, outputs, 3, 1, shortcut, true, out));
fail:
    return status;
}

static clc_status add_stem(clc_graph *graph, const clc_config_encoder *encoder, const char *prefix,
                           clc_tensor *in, clc_tensor **out) {
    clc_status status = CLC_OK;
    char layer[64];
    const bool small = encoder->stem == CLC_CONFIG_STEM_SMALL;
    const int kernel = small ? 3 : 7, stride = small ? 1 : 2;
    CLC_TRY(conv_norm(graph, prefix, "conv1", "bn1", in, width_of(encoder), kernel, stride, NULL,
                      true, out));
    if (!small) {
        CLC_TRY(clc_text_format(layer, sizeof layer, "%s.maxpool", prefix));
        CLC_TRY(clc_op_maxpool(graph, layer, *out, 3, 2, 1, out));
    }
fail:
    return status;
}

/* The maps of all stages up to the last that is asked for; returned as maps[stage]. */
static clc_status add_stages(clc_graph *graph, const char *prefix,
                             const clc_config_encoder *encoder, const clc_net_input *in, int last,
                             clc_tensor *maps[]) {
    clc_status status = CLC_OK;
    const depth d = depth_of(encoder);
    const int width = width_of(encoder);
    clc_tensor *y = NULL;
    char name[64];
    CLC_TRY(add_stem(graph, encoder, prefix, in->values, &y));
    for (int stage = 0; stage < last; stage++) {
        clc_net_layer(graph, encoder, stage);
        for (int block = 0; block < d.blocks.values[stage]; block++) {
            int stride = stage > 0 && block == 0 ? 2 : 1;
            CLC_TRY(clc_text_format(name, sizeof name, "%s.layer%d.%d", prefix, stage + 1, block));
            CLC_TRY(add_block(graph, d.bottleneck, name, y, width << stage, stride, &y));
        }
        maps[stage] = y;
    }
    CLC_TRY(clc_net_layers_end(graph, prefix, encoder, last));
fail:
    return status;
}

static clc_status build(clc_graph *graph, const char *prefix, const clc_config_encoder *encoder,
                        const clc_net_input *in, clc_tensor **features) {
    clc_status status = CLC_OK;
    const int stages = (int)depth_of(encoder).blocks.count;
    clc_tensor *maps[CLC_CONFIG_LIST_MAX];
    char name[64];
    CLC_TRY(add_stages(graph, prefix, encoder, in, stages, maps));
    CLC_TRY(clc_text_format(name, sizeof name, "%s.avgpool", prefix));
    CLC_TRY(clc_op_avgpool(graph, name, maps[stages - 1], features));
fail:
    return status;
}

static clc_status add_taps(clc_graph *graph, const char *prefix, const clc_config_encoder *encoder,
                           const clc_net_input *in, const clc_ints *stages, clc_taps *taps) {
    clc_status status = CLC_OK;
    const int all = (int)depth_of(encoder).blocks.count;
    clc_tensor *maps[CLC_CONFIG_LIST_MAX];
    int last = 0;
    for (size_t i = 0; i < stages->count; i++) {
        if (stages->values[i] > all || (i > 0 && stages->values[i] <= last))
            return clc_fail(CLC_INVALID,
                            "dense.stages: %d is not there or not in order; the network has %d, "
                            "list some of 1 to %d from low to high",
                            stages->values[i], all, all);
        last = stages->values[i];
    }
    CLC_TRY(add_stages(graph, prefix, encoder, in, last, maps));
    taps->count = (int)stages->count;
    for (size_t i = 0; i < stages->count; i++)
        taps->maps[i] = maps[stages->values[i] - 1];
fail:
    return status;
}

static int stages_of(const clc_config_encoder *encoder) {
    return (int)depth_of(encoder).blocks.count;
}

static const char *const sizes[] = {"resnet10", "resnet18", "resnet34", "resnet50", "custom", NULL};

const clc_net clc_net_resnet = {.name = "resnet",
                                .sizes = sizes,
                                .takes = {[CLC_KIND_IMAGES] = true},
                                .build = build,
                                .taps = add_taps,
                                .stages = stages_of};
