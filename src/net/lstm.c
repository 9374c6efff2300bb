#include "net/recurrent.h"

static clc_status build(clc_graph *graph, const char *prefix, const clc_config_encoder *encoder,
                        const clc_net_input *in, clc_tensor **features) {
    return clc_recurrent_build(graph, prefix, encoder, in, true, features);
}

/* Long short-term memory (Hochreiter and Schmidhuber, 1997), as PyTorch's nn.LSTM. */
const clc_net clc_net_lstm = {
    .name = "lstm", .takes = {[CLC_KIND_TOKENS] = true, [CLC_KIND_SERIES] = true}, .build = build};
