/* Encoder and projector from the configuration. */
#include "method/method.h"

#include "net/net.h"

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

clc_status clc_branch_build(clc_graph *graph, const clc_config *config, clc_tensor *images,
                            clc_tensor **features, clc_tensor **embeddings) {
    clc_status status = CLC_OK;
    const clc_resnet resnet = resnet_of(config);
    clc_mlp mlp = {.output = config->projector.output,
                   .hidden_layers = (int)config->projector.hidden.count,
                   .batchnorm = config->projector.batchnorm,
                   .last_batchnorm = config->projector.last_batchnorm};
    for (int i = 0; i < mlp.hidden_layers; i++)
        mlp.hidden[i] = config->projector.hidden.values[i];
    CLC_TRY(clc_resnet_build(graph, "encoder", &resnet, images, features));
    if (!embeddings)
        return CLC_OK;
    *embeddings = *features;
    if (config->projector.enabled)
        CLC_TRY(clc_mlp_build(graph, "projector", &mlp, *features, embeddings));
fail:
    return status;
}
