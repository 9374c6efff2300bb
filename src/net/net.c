#include "net/net.h"

#include "optim/optim.h"

#include <stdio.h>
#include <string.h>

#define ENTRY(unused, word) &clc_net_##word,
static const clc_net *const all[] = {CLC_NETS(ENTRY, )};
#undef ENTRY

static const char *const kinds[CLC_KINDS] = {
    [CLC_KIND_IMAGES] = "images", [CLC_KIND_TOKENS] = "tokens", [CLC_KIND_SERIES] = "series"};

const clc_net *clc_net_find(const char *name) {
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!strcmp(all[i]->name, name))
            return all[i];
        for (const char *const *other = all[i]->sizes; other && *other; other++)
            if (!strcmp(*other, name))
                return all[i];
    }
    return NULL;
}

/* Refuses the network, and says which ones take such input. */
static clc_status refuse_kind(const char *prefix, const char *name, clc_kind kind) {
    char others[200] = "";
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]->takes[kind]) {
            const size_t used = strlen(others);
            snprintf(others + used, sizeof others - used, "%s%s", used ? ", " : "", all[i]->name);
        }
    return clc_fail(CLC_INVALID, "%s.name = %s: that network doesn't take %s; these do: %s", prefix,
                    name, kinds[kind], others);
}

clc_status clc_net_build(clc_graph *graph, const char *prefix, const char *name,
                         const clc_config_encoder *encoder, const clc_net_input *in,
                         clc_tensor **features) {
    const clc_net *net = clc_net_find(name);
    if (!net)
        return clc_fail(CLC_INVALID, "%s: there is no network of that name", name);
    if (!net->takes[in->kind])
        return refuse_kind(prefix, name, in->kind);
    if (encoder->frozen_layers)
        clc_graph_freeze(graph);
    return net->build(graph, prefix, encoder, in, features);
}

clc_status clc_net_taps(clc_graph *graph, const char *prefix, const char *name,
                        const clc_config_encoder *encoder, const clc_net_input *in,
                        const clc_ints *stages, clc_taps *taps) {
    const clc_net *net = clc_net_find(name);
    if (!net || !net->taps)
        return clc_fail(CLC_INVALID,
                        "%s.name = %s: that network has no feature maps; a resnet or vit has",
                        prefix, name);
    return net->taps(graph, prefix, encoder, in, stages, taps);
}

/* What nodes of the frozen part have is updated by nothing. */
static void freeze_params(clc_graph *graph) {
    for (size_t i = 0; i < graph->node_count; i++)
        for (int p = 0; p < graph->nodes[i].param_count; p++)
            graph->params->items[graph->nodes[i].params[p]].group = CLC_GROUP_FROZEN;
}

void clc_net_layer(clc_graph *graph, const clc_config_encoder *encoder, int layer) {
    if (!graph->freezes || layer != encoder->frozen_layers)
        return;
    freeze_params(graph);
    clc_graph_thaw(graph);
}

clc_status clc_net_layers_end(clc_graph *graph, const char *prefix,
                              const clc_config_encoder *encoder, int layers) {
    clc_net_layer(graph, encoder, layers);
    if (!graph->freezes)
        return CLC_OK;
    return clc_fail(CLC_INVALID,
                    "%s.frozen_layers = %d: the network has %d; use less, or %s.frozen = true for "
                    "all of it",
                    prefix, encoder->frozen_layers, layers, prefix);
}
