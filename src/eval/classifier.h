/* The classifier that a network was trained with: the layer behind what is kept of it. */
#ifndef CLC_EVAL_CLASSIFIER_H
#define CLC_EVAL_CLASSIFIER_H

#include "core/config.h"
#include "eval/features.h"
#include "graph/param.h"

/* Whether a network of this configuration has one: by method supervised, for its own data. */
bool clc_classifier_there(const clc_config *config);

/* Scores features (rows,dim): logits (rows,features->classes) on the host, and predictions (rows),
 * the classes of the greatest, of equal ones the first. What the layer has no score of has one far
 * below all; scores of what the data have no class of are left out. `params` hold the layer. */
clc_status clc_classifier_predict(clc_device *device, const clc_config *config, clc_params *params,
                                  const clc_features *features, int32_t *predictions,
                                  float *logits);

#endif
