#include "net/net.h"

#include "core/text.h"
#include "optim/optim.h"

enum { NORM_PARAMS = 4 }; /* of a batch-norm: weight, bias, running mean and variance */

/* One linear layer with what follows it; *index counts the modules of PyTorch's Sequential. */
static clc_status add_layer(clc_graph *graph, const char *prefix, int outputs, bool bias,
                            bool batchnorm, bool relu, int *index, clc_tensor **y) {
    clc_status status = CLC_OK;
    char layer[64];
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.%d", prefix, (*index)++));
    CLC_TRY(clc_op_linear(graph, layer, *y, outputs, bias && !batchnorm, relu && !batchnorm, y));
    if (batchnorm) {
        CLC_TRY(clc_text_format(layer, sizeof layer, "%s.%d", prefix, (*index)++));
        CLC_TRY(clc_op_batchnorm(graph, layer, *y, NULL, relu, y));
    }
    *index += relu;
fail:
    return status;
}

/* Sets how the parameters "<prefix>..." from number `first` on are trained. */
static void set_group(clc_params *params, size_t first, int group) {
    for (size_t i = first; i < params->count; i++)
        params->items[i].group = group;
}

clc_status clc_mlp_build(clc_graph *graph, const char *prefix, const clc_mlp *mlp, clc_tensor *in,
                         clc_tensor **out) {
    clc_status status = CLC_OK;
    clc_tensor *y = in;
    int index = 0;
    const size_t first = graph->params->count;
    for (int i = 0; i < (mlp->only ? mlp->only : (int)mlp->hidden->count); i++)
        CLC_TRY(add_layer(graph, prefix, mlp->hidden->values[i], true, mlp->batchnorm, true, &index,
                          &y));
    *out = y;
    if (mlp->only)
        return CLC_OK;
    CLC_TRY(add_layer(graph, prefix, mlp->output, !mlp->unbiased, mlp->last_batchnorm, false,
                      &index, &y));
    set_group(graph->params, first, mlp->group);
    if (mlp->last_batchnorm && mlp->last_frozen && first < graph->params->count)
        set_group(graph->params, graph->params->count - NORM_PARAMS, CLC_GROUP_FROZEN);
    *out = y;
fail:
    return status;
}
