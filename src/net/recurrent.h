/* What the networks gru and lstm share: a stack of recurrent layers and one row of its states. */
#ifndef CLC_NET_RECURRENT_H
#define CLC_NET_RECURRENT_H

#include "net/net.h"

/* As a network's build. */
clc_status clc_recurrent_build(clc_graph *graph, const char *prefix,
                               const clc_config_encoder *encoder, const clc_net_input *in,
                               bool lstm, clc_tensor **features);

#endif
