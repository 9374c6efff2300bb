/* The networks that the configuration describes: encoder, projector and predictor, and which of
 * their layers are kept after training. */
#ifndef CLC_MODEL_HEADS_H
#define CLC_MODEL_HEADS_H

#include "core/config.h"
#include "net/net.h"

/* The encoder, as "encoder". */
clc_status clc_encoder_build(clc_graph *graph, const clc_config *config, const clc_net_input *in,
                             clc_tensor **features);

/* What is kept after training: the encoder, and behind it as many of the projector's layers as the
 * configuration says (SimCLR v2). */
clc_status clc_kept_build(clc_graph *graph, const clc_config *config, const clc_net_input *in,
                          clc_tensor **features);
bool clc_param_is_kept(const clc_config *config, const char *name);

/* Projector (the features themselves if it is disabled) and predictor. */
clc_status clc_projector_build(clc_graph *graph, const clc_config *config, clc_tensor *features,
                               clc_tensor **projection);
clc_status clc_predictor_build(clc_graph *graph, const clc_config *config, clc_tensor *projection,
                               clc_tensor **prediction);

#endif
