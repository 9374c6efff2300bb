#include "model/heads.h"

#include "net/net.h"
#include "optim/optim.h"

#include <stdlib.h>
#include <string.h>

static clc_resnet resnet_of(const clc_config *config) {
    clc_resnet resnet = {.bottleneck = config->encoder.block == CLC_CONFIG_BLOCK_BOTTLENECK,
                         .width = config->encoder.width,
                         .small_stem = config->encoder.stem == CLC_CONFIG_STEM_SMALL};
    if (clc_resnet_named(clc_config_choice(config, "encoder", "name"), &resnet))
        return resnet;
    resnet.stages = (int)config->encoder.blocks.count;
    for (int i = 0; i < resnet.stages; i++)
        resnet.blocks[i] = config->encoder.blocks.values[i];
    return resnet;
}

static void set_hidden(clc_mlp *mlp, const clc_ints *hidden) {
    mlp->hidden_layers = (int)hidden->count;
    for (int i = 0; i < mlp->hidden_layers; i++)
        mlp->hidden[i] = hidden->values[i];
}

clc_status clc_encoder_build(clc_graph *graph, const clc_config *config, clc_tensor *images,
                             clc_tensor **features) {
    const clc_resnet resnet = resnet_of(config);
    return clc_resnet_build(graph, "encoder", &resnet, images, features);
}

static clc_mlp projector_of(const clc_config *config) {
    clc_mlp mlp = {.output = config->projector.output,
                   .batchnorm = config->projector.batchnorm,
                   .last_batchnorm = config->projector.last_batchnorm,
                   .last_frozen = !config->projector.last_affine};
    set_hidden(&mlp, &config->projector.hidden);
    return mlp;
}

clc_status clc_projector_build(clc_graph *graph, const clc_config *config, clc_tensor *features,
                               clc_tensor **projection) {
    const clc_mlp mlp = projector_of(config);
    *projection = features;
    if (!config->projector.enabled)
        return CLC_OK;
    return clc_mlp_build(graph, "projector", &mlp, features, projection);
}

clc_status clc_kept_build(clc_graph *graph, const clc_config *config, clc_tensor *images,
                          clc_tensor **features) {
    clc_status status = clc_encoder_build(graph, config, images, features);
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
    clc_mlp mlp = {.output = clc_tensor_channels(projection),
                   .batchnorm = config->predictor.batchnorm,
                   .last_batchnorm = config->predictor.last_batchnorm,
                   .group = config->predictor.constant_rate ? CLC_GROUP_PREDICTOR : CLC_GROUP_MAIN};
    set_hidden(&mlp, &config->predictor.hidden);
    return clc_mlp_build(graph, "predictor", &mlp, projection, prediction);
}
