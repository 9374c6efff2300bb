#include "model/heads.h"

#include "core/text.h"
#include "op/ops.h"
#include "optim/optim.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

clc_tower clc_tower_at(const clc_config *config, int tower) {
    assert(tower >= 0 && tower < CLC_TOWERS);
    if (tower == 0)
        return (clc_tower){"encoder", "projector", &config->encoder, &config->projector};
    return (clc_tower){"text_encoder", "text_projector", &config->text_encoder,
                       &config->text_projector};
}

clc_status clc_encoder_build(clc_graph *graph, const clc_config *config, int tower,
                             const clc_net_input *in, clc_tensor **features) {
    const clc_tower t = clc_tower_at(config, tower);
    return clc_net_build(graph, t.section, clc_config_choice(config, t.section, "name"), t.encoder,
                         in, features);
}

int clc_stages(const clc_config *config, int tower) {
    const clc_tower t = clc_tower_at(config, tower);
    const clc_net *net = clc_net_find(clc_config_choice(config, t.section, "name"));
    return net && net->stages ? net->stages(t.encoder) : 0;
}

clc_status clc_stage_build(clc_graph *graph, const clc_config *config, int tower, int stage,
                           const clc_net_input *in, clc_tensor **features) {
    clc_status status = CLC_OK;
    const clc_tower t = clc_tower_at(config, tower);
    const clc_ints stages = {1, {stage}};
    clc_taps taps = {0};
    char layer[64];
    CLC_TRY(clc_text_format(layer, sizeof layer, "%s.stage%d", t.section, stage));
    CLC_TRY(clc_net_taps(graph, t.section, clc_config_choice(config, t.section, "name"), t.encoder,
                         in, &stages, &taps));
    CLC_TRY(clc_op_avgpool(graph, layer, taps.maps[0], features));
fail:
    return status;
}

static clc_mlp projector_of(const clc_config_projector *p) {
    return (clc_mlp){.hidden = &p->hidden,
                     .output = p->output,
                     .batchnorm = p->batchnorm,
                     .last_batchnorm = p->last_batchnorm,
                     .last_frozen = !p->last_affine,
                     .unbiased = !p->bias};
}

clc_status clc_projector_build(clc_graph *graph, const clc_config *config, int tower,
                               clc_tensor *features, clc_tensor **projection) {
    const clc_tower t = clc_tower_at(config, tower);
    const clc_mlp mlp = projector_of(t.projector);
    *projection = features;
    if (!t.projector->enabled)
        return CLC_OK;
    return clc_mlp_build(graph, t.projector_section, &mlp, features, projection);
}

clc_status clc_kept_layers_build(clc_graph *graph, const clc_config *config, int tower,
                                 clc_tensor *features, clc_tensor **kept) {
    const clc_tower t = clc_tower_at(config, tower);
    clc_mlp mlp = projector_of(t.projector);
    *kept = features;
    if (!t.projector->keep)
        return CLC_OK;
    if (t.projector->keep == CLC_KEEP_ALL)
        return clc_projector_build(graph, config, tower, features, kept);
    mlp.only = t.projector->keep;
    return clc_mlp_build(graph, t.projector_section, &mlp, features, kept);
}

clc_status clc_kept_build(clc_graph *graph, const clc_config *config, int tower,
                          const clc_net_input *in, clc_tensor **features) {
    const clc_status status = clc_encoder_build(graph, config, tower, in, features);
    return status == CLC_OK ? clc_kept_layers_build(graph, config, tower, *features, features)
                            : status;
}

clc_status clc_classifier_build(clc_graph *graph, const clc_config *config, clc_tensor *features,
                                clc_tensor **scores) {
    return clc_op_linear(graph, CLC_CLASSIFIER, features, config->method.classes, true, false,
                         scores);
}

const char *clc_classifier_outside(const clc_config *config) {
    const char *network = clc_config_choice(config, "encoder", "name");
    return clc_net_find(network) == &clc_net_vit ? "heads.head" : "fc";
}

/* What follows "<section>.", or NULL where the name doesn't begin so. */
static const char *behind(const char *name, const char *section) {
    const size_t n = strlen(section);
    return !strncmp(name, section, n) && name[n] == '.' ? name + n + 1 : NULL;
}

bool clc_param_is_kept(const clc_config *config, const char *name) {
    for (int i = 0; i < CLC_TOWERS; i++) {
        const clc_tower t = clc_tower_at(config, i);
        const int modules = t.projector->batchnorm ? 3 : 2; /* linear layer, batch-norm, ReLU */
        const char *layer = behind(name, t.projector_section);
        if (behind(name, t.section))
            return true;
        if (layer)
            return t.projector->keep == CLC_KEEP_ALL || atoi(layer) < t.projector->keep * modules;
    }
    if (behind(name, CLC_CLASSIFIER))
        return true;
    return config->projector.keep == CLC_KEEP_ALL &&
           (!strcmp(name, CLC_LEARNED_SCALE) || !strcmp(name, CLC_LEARNED_BIAS));
}

void clc_param_outside(const char *name, char *outside) {
    static const char *const parts[][2] = {
        {"encoder", ""}, {"text_encoder", "text."}, {CLC_CLASSIFIER, "fc."}};
    const char *prefix = "", *rest = NULL;
    for (int i = 0; i < 3 && !rest; i++) {
        prefix = parts[i][1];
        rest = behind(name, parts[i][0]);
    }
    snprintf(outside, sizeof(clc_param){0}.name, "%s%s", rest ? prefix : "", rest ? rest : name);
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
