/* Settings of classifiers, chosen on a held-out part of the training features (eval/holdout.h). */
#ifndef CLC_EVAL_CHOOSE_H
#define CLC_EVAL_CHOOSE_H

#include "core/config.h"
#include "eval/features.h"

typedef struct clc_choice {
    size_t held;     /* samples that decided */
    size_t tried;    /* settings */
    double accuracy; /* of the best on them */
} clc_choice;

/* Of kNN: options->knn_k and knn_temperature become the best of these, k of 1, 5, 10, 20, 50, 100,
 * 200 and T of 0.02, 0.05, 0.07, 0.1, 0.2, 0.5. Of equals the given ones, then the first. */
clc_status clc_choose_knn(clc_device *device, const clc_features *train, uint64_t seed,
                          clc_config_evaluation *options, clc_choice *choice);

/* Of the linear probe: linear_learning_rate and linear_weight_decay, the best of these, rates of
 * 0.01, 0.1, 1 and decays of 0, 0.0001, 0.01; of logistic regression by L-BFGS the decay alone. */
clc_status clc_choose_linear(clc_device *device, const clc_features *train, uint64_t seed,
                             clc_config_evaluation *options, clc_choice *choice);

#endif
