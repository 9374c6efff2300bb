#include "dense/head.h"

#include "core/text.h"

#include <stdio.h>

static bool is_linear(const clc_config_dense *config) {
    return config->head == CLC_CONFIG_HEAD_LINEAR;
}

const char *clc_head_last_bias(const clc_config_dense *config) {
    return is_linear(config) ? "head.lateral0.bias" : "head.out.bias";
}

/* Map number i, to which what comes from the coarser ones (NULL: nothing) is added. */
static clc_status add_map(clc_graph *graph, int i, clc_tensor *map, int width, clc_tensor *coarse,
                          clc_tensor **out) {
    clc_status status = CLC_OK;
    const int *dims = map->shape.dims;
    char layer[64];
    clc_tensor *y = NULL;
    if (coarse) {
        CLC_TRY(clc_text_format(layer, sizeof layer, "head.upsample%d", i));
        CLC_TRY(clc_op_upsample(graph, layer, coarse, dims[1], dims[2], &coarse));
    }
    CLC_TRY(clc_text_format(layer, sizeof layer, "head.norm%d", i));
    CLC_TRY(clc_op_batchnorm(graph, layer, map, NULL, false, &y));
    CLC_TRY(clc_text_format(layer, sizeof layer, "head.lateral%d", i));
    const clc_linear lateral = {.layer = layer,
                                .weight = "weight",
                                .bias = i == 0 ? "bias" : NULL,
                                .kind = CLC_PARAM_LINEAR_WEIGHT,
                                .outputs = width,
                                .residual = coarse};
    CLC_TRY(clc_op_linear_as(graph, &lateral, y, out));
fail:
    return status;
}

clc_status clc_head_build(clc_graph *graph, const clc_config_dense *config, const clc_taps *taps,
                          int outputs, clc_tensor **out) {
    clc_status status = CLC_OK;
    const int width = is_linear(config) ? outputs : config->width;
    clc_tensor *y = NULL;
    for (int i = taps->count; i-- > 0;)
        CLC_TRY(add_map(graph, i, taps->maps[i], width, y, &y));
    if (!is_linear(config)) {
        CLC_TRY(clc_op_conv2d(graph, "head.conv", y, width, 3, 1, 1, &y));
        CLC_TRY(clc_op_batchnorm(graph, "head.norm", y, NULL, true, &y));
        CLC_TRY(clc_op_linear(graph, "head.out", y, outputs, true, false, &y));
    }
    *out = y;
fail:
    return status;
}
