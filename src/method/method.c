#include "method/method.h"

#include <string.h>

const clc_method *clc_method_find(const char *name) {
#define ENTRY(unused, word) &clc_method_##word,
    static const clc_method *const all[] = {CLC_METHODS(ENTRY, )};
#undef ENTRY
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i]->name, name))
            return all[i];
    return NULL;
}

const clc_loss *clc_method_loss(const clc_method *method, const clc_config *config) {
    return clc_loss_find(config->loss.name == CLC_CONFIG_LOSS_auto
                             ? method->loss
                             : clc_config_choice(config, "loss", "name"));
}

clc_loss_options clc_method_options(const clc_method *method, const clc_config *config) {
    const int negatives = config->loss.negatives;
    const double by_temperature =
        method->temperature_weight > 0 ? method->temperature_weight * config->loss.temperature : 1;
    return (clc_loss_options){
        .temperature = config->loss.temperature,
        .weight = config->loss.weight * by_temperature,
        .raw = !config->loss.normalize,
        .symmetric = config->loss.symmetric,
        .negatives = negatives == CLC_CONFIG_NEGATIVES_AUTO ? method->negatives
                                                            : (clc_negatives)(negatives - 1),
        .bias = config->loss.bias,
        .distance = (clc_distance)config->loss.distance,
        .margin = config->loss.margin,
        .positive_margin = config->loss.positive_margin,
        .linear = config->loss.linear,
        .mining = (clc_mining)config->loss.mining,
        .soft = config->loss.soft,
        .l2 = config->loss.l2,
        .lambda = config->loss.lambda,
        .variance_epsilon = config->loss.variance_epsilon,
        .epsilon = config->loss.epsilon,
        .iterations = config->loss.iterations,
        .teacher_temperature = config->loss.teacher_temperature,
        .center_momentum = config->loss.center_momentum,
        .invariance = config->loss.invariance,
        .variance = config->loss.variance,
        .covariance = config->loss.covariance,
    };
}

bool clc_method_wants_labels(const clc_config *config) {
    return config->method.labels ||
           clc_method_find(clc_config_choice(config, "method", "name"))->labels;
}
