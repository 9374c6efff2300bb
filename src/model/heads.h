/* The networks that the configuration describes: encoder, projector and predictor, and which of
 * their layers are kept after training. Methods on two fields have two towers, an encoder with the
 * layers behind it each. */
#ifndef CLC_MODEL_HEADS_H
#define CLC_MODEL_HEADS_H

#include "core/config.h"
#include "net/net.h"

enum { CLC_TOWERS = 2 };

/* projector.keep: all of it, with the output. */
#define CLC_KEEP_ALL (-1)

/* Names of a loss's own parameters. */
#define CLC_LEARNED_SCALE "logit_scale"
#define CLC_LEARNED_BIAS  "logit_bias"

/* Of the layer that scores classes; in a file it has the name that torchvision's networks have. */
#define CLC_CLASSIFIER "classifier"

/* A tower. The names of its parameters begin with those of its sections and a dot. */
typedef struct clc_tower {
    const char *section, *projector_section;
    const clc_config_encoder *encoder;
    const clc_config_projector *projector;
} clc_tower;

clc_tower clc_tower_at(const clc_config *config, int tower);

/* The encoder of tower number `tower`. */
clc_status clc_encoder_build(clc_graph *graph, const clc_config *config, int tower,
                             const clc_net_input *in, clc_tensor **features);

/* What is kept after training: the encoder, and behind it as many of the projector's layers as the
 * configuration says (SimCLR v2), or all. */
clc_status clc_kept_build(clc_graph *graph, const clc_config *config, int tower,
                          const clc_net_input *in, clc_tensor **features);
/* Its second part: behind the encoder's features. */
clc_status clc_kept_layers_build(clc_graph *graph, const clc_config *config, int tower,
                                 clc_tensor *features, clc_tensor **kept);

/* Stages of a tower's network, which may be none, and the mean of the map of one, from 1 on. */
int clc_stages(const clc_config *config, int tower);
clc_status clc_stage_build(clc_graph *graph, const clc_config *config, int tower, int stage,
                           const clc_net_input *in, clc_tensor **features);

/* The scores of method.classes classes, from what is kept. */
clc_status clc_classifier_build(clc_graph *graph, const clc_config *config, clc_tensor *features,
                                clc_tensor **scores);

/* What that layer is called in a file: "fc", of a vision transformer "heads.head". */
const char *clc_classifier_outside(const clc_config *config);

/* Whether a file has the parameter of that name: it is kept, or the classifier's. */
bool clc_param_is_kept(const clc_config *config, const char *name);

/* The name of a kept parameter in a file: that of tower 0's encoder has no prefix, that of tower
 * 1's has "text.". `outside` has room for as much as clc_param.name. */
void clc_param_outside(const char *name, char *outside);

/* Projector (the features themselves if it is disabled) and predictor. */
clc_status clc_projector_build(clc_graph *graph, const clc_config *config, int tower,
                               clc_tensor *features, clc_tensor **projection);
clc_status clc_predictor_build(clc_graph *graph, const clc_config *config, clc_tensor *projection,
                               clc_tensor **prediction);

#endif
