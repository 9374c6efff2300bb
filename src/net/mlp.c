#include "net/net.h"

#include <stdio.h>

/* One linear layer with what follows it; *index counts the modules of PyTorch's Sequential. */
static clc_status add_layer(clc_graph *graph, const char *prefix, int outputs, bool batchnorm,
                            bool relu, int *index, clc_tensor **y) {
    clc_status status = CLC_OK;
    char layer[64];
    snprintf(layer, sizeof layer, "%s.%d", prefix, (*index)++);
    CLC_TRY(clc_linear(graph, layer, *y, outputs, !batchnorm, relu && !batchnorm, y));
    if (batchnorm) {
        snprintf(layer, sizeof layer, "%s.%d", prefix, (*index)++);
        CLC_TRY(clc_batchnorm(graph, layer, *y, NULL, relu, y));
    }
    *index += relu;
fail:
    return status;
}

clc_status clc_mlp_build(clc_graph *graph, const char *prefix, const clc_mlp *mlp, clc_tensor *in,
                         clc_tensor **out) {
    clc_status status = CLC_OK;
    clc_tensor *y = in;
    int index = 0;
    for (int i = 0; i < mlp->hidden_layers; i++)
        CLC_TRY(add_layer(graph, prefix, mlp->hidden[i], mlp->batchnorm, true, &index, &y));
    CLC_TRY(add_layer(graph, prefix, mlp->output, mlp->last_batchnorm, false, &index, &y));
    *out = y;
fail:
    return status;
}
