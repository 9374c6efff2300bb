#include "core/text.h"
#include "net/net.h"

#include <string.h>

bool clc_resnet_named(const char *name, clc_resnet *resnet) {
    static const struct {
        const char *name;
        bool bottleneck;
        int blocks[4];
    } table[] = {{"resnet10", false, {1, 1, 1, 1}},
                 {"resnet18", false, {2, 2, 2, 2}},
                 {"resnet34", false, {3, 4, 6, 3}},
                 {"resnet50", true, {3, 4, 6, 3}}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(name, table[i].name)) {
            resnet->bottleneck = table[i].bottleneck;
            resnet->stages = 4;
            memcpy(resnet->blocks, table[i].blocks, sizeof table[i].blocks);
            return true;
        }
    return false;
}

static int expansion(const clc_resnet *resnet) {
    return resnet->bottleneck ? 4 : 1;
}

int clc_resnet_features(const clc_resnet *resnet) {
    return (resnet->width << (resnet->stages - 1)) * expansion(resnet);
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

static clc_status add_block(clc_graph *graph, const clc_resnet *resnet, const char *name,
                            clc_tensor *in, int width, int stride, clc_tensor **out) {
    clc_status status = CLC_OK;
    const int outputs = width * expansion(resnet);
    clc_tensor *shortcut = in, *y = NULL;
    if (resnet->bottleneck) {
        CLC_TRY(conv_norm(graph, name, "conv1", "bn1", in, width, 1, 1, NULL, true, &y));
        CLC_TRY(conv_norm(graph, name, "conv2", "bn2", y, width, 3, stride, NULL, true, &y));
    } else {
        CLC_TRY(conv_norm(graph, name, "conv1", "bn1", in, width, 3, stride, NULL, true, &y));
    }
    if (stride != 1 || clc_tensor_channels(in) != outputs)
        CLC_TRY(conv_norm(graph, name, "downsample.0", "downsample.1", in, outputs, 1, stride, NULL,
                          false, &shortcut));
    if (resnet->bottleneck)
        CLC_TRY(conv_norm(graph, name, "conv3", "bn3", y, outputs, 1, 1, shortcut, true, out));
    else
        CLC_TRY(conv_norm(graph, name, "conv2", "bn2", y, outputs, 3, 1, shortcut, true, out));
fail:
    return status;
}

static clc_status add_stem(clc_graph *graph, const clc_resnet *resnet, const char *prefix,
                           clc_tensor *in, clc_tensor **out) {
    clc_status status = CLC_OK;
    char layer[64];
    const int kernel = resnet->small_stem ? 3 : 7, stride = resnet->small_stem ? 1 : 2;
    CLC_TRY(conv_norm(graph, prefix, "conv1", "bn1", in, resnet->width, kernel, stride, NULL, true,
                      out));
    if (!resnet->small_stem) {
        CLC_TRY(clc_text_format(layer, sizeof layer, "%s.maxpool", prefix));
        CLC_TRY(clc_op_maxpool(graph, layer, *out, 3, 2, 1, out));
    }
fail:
    return status;
}

clc_status clc_resnet_build(clc_graph *graph, const char *prefix, const clc_resnet *resnet,
                            clc_tensor *in, clc_tensor **out) {
    clc_status status = CLC_OK;
    clc_tensor *y = NULL;
    char name[64];
    CLC_TRY(add_stem(graph, resnet, prefix, in, &y));
    for (int stage = 0; stage < resnet->stages; stage++)
        for (int block = 0; block < resnet->blocks[stage]; block++) {
            int stride = stage > 0 && block == 0 ? 2 : 1;
            CLC_TRY(clc_text_format(name, sizeof name, "%s.layer%d.%d", prefix, stage + 1, block));
            CLC_TRY(add_block(graph, resnet, name, y, resnet->width << stage, stride, &y));
        }
    CLC_TRY(clc_text_format(name, sizeof name, "%s.avgpool", prefix));
    CLC_TRY(clc_op_avgpool(graph, name, y, out));
fail:
    return status;
}
