#include "model/heads.h"

#include "optim/optim.h"

#include <stdlib.h>
#include <string.h>

clc_status clc_encoder_build(clc_graph *graph, const clc_config *config, const clc_net_input *in,
                             clc_tensor **features) {
    return clc_net_build(graph, "encoder", clc_config_choice(config, "encoder", "name"),
                         &config->encoder, in, features);
}

static clc_mlp projector_of(const clc_config *config) {
    return (clc_mlp){.hidden = &config->projector.hidden,
                     .output = config->projector.output,
                     .batchnorm = config->projector.batchnorm,
                     .last_batchnorm = config->projector.last_batchnorm,
                     .last_frozen = !config->projector.last_affine,
                     .unbiased = !config->projector.bias};
}

clc_status clc_projector_build(clc_graph *graph, const clc_config *config, clc_tensor *features,
                               clc_tensor **projection) {
    const clc_mlp mlp = projector_of(config);
    *projection = features;
    if (!config->projector.enabled)
        return CLC_OK;
    return clc_mlp_build(graph, "projector", &mlp, features, projection);
}

clc_status clc_kept_build(clc_graph *graph, const clc_config *config, const clc_net_input *in,
                          clc_tensor **features) {
    clc_status status = clc_encoder_build(graph, config, in, features);
    clc_mlp mlp = projector_of(config);
    mlp.only = config->projector.keep;
    if (status != CLC_OK || !mlp.only)
        return status;
    return clc_mlp_build(graph, "projector", &mlp, *features, features);
}

bool clc_param_is_kept(const clc_config *config, const char *name) {
    static const char encoder[] = "encoder.", projector[] = "projector.";
    const int modules = config->projector.batchnorm ? 3 : 2; /* linear layer, batch-norm, ReLU */
    if (!strncmp(name, projector, sizeof projector - 1))
        return atoi(name + sizeof projector - 1) < config->projector.keep * modules;
    return !strncmp(name, encoder, sizeof encoder - 1);
}

clc_status clc_predictor_build(clc_graph *graph, const clc_config *config, clc_tensor *projection,
                               clc_tensor **prediction) {
    const clc_mlp mlp = {.hidden = &config->predictor.hidden,
                         .output = clc_tensor_channels(projection),
                         .batchnorm = config->predictor.batchnorm,
                         .last_batchnorm = config->predictor.last_batchnorm,
                         .group = config->predictor.constant_rate ? CLC_GROUP_PREDICTOR
                                                                  : CLC_GROUP_MAIN};
    return clc_mlp_build(graph, "predictor", &mlp, projection, prediction);
}
