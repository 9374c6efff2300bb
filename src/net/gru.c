#include "net/recurrent.h"

static clc_status build(clc_graph *graph, const char *prefix, const clc_config_encoder *encoder,
                        const clc_net_input *in, clc_tensor **features) {
    return clc_recurrent_build(graph, prefix, encoder, in, false, features);
}

/* Gated recurrent units (Cho et al., arXiv 1406.1078), as PyTorch's nn.GRU. */
const clc_net clc_net_gru = {
    .name = "gru", .takes = {[CLC_KIND_TOKENS] = true, [CLC_KIND_SERIES] = true}, .build = build};
