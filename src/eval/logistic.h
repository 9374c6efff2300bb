/* The linear probe's classifier, minimised to the end by L-BFGS in place of SGD. */
#ifndef CLC_EVAL_LOGISTIC_H
#define CLC_EVAL_LOGISTIC_H

#include "core/config.h"
#include "eval/features.h"

/* As clc_linear_probe (eval/linear.h), on the same standardised features: the mean cross-entropy of
 * all rows, plus linear_weight_decay / 2 times the squared length of the weights, not of the bias,
 * in at most linear_epochs iterations. Scikit-learn's LogisticRegression has the same minimum at
 * C = 1 / (decay * rows). */
clc_status clc_logistic_probe(clc_device *device, const clc_features *train,
                              const clc_features *test, const clc_config_evaluation *options,
                              int32_t *predictions, float *logits);

#endif
