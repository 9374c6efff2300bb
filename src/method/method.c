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

const clc_method *clc_method_of(const clc_config *config) {
    return *config->finetune.teacher ? &clc_method_distilled
                                     : clc_method_find(clc_config_choice(config, "method", "name"));
}

const clc_loss *clc_method_loss(const clc_method *method, const clc_config *config) {
    return clc_loss_find(config->loss.name == CLC_CONFIG_LOSS_auto
                             ? method->loss
                             : clc_config_choice(config, "loss", "name"));
}

clc_config_loss clc_method_options(const clc_method *method, const clc_config *config) {
    clc_config_loss options = config->loss;
    if (options.negatives == CLC_CONFIG_NEGATIVES_AUTO)
        options.negatives = method->negatives;
    if (options.learned_scale == CLC_CONFIG_LEARN_AUTO)
        options.learned_scale =
            method->learned_scale && clc_method_loss(method, config)->learns_scale;
    if (method->temperature_weight > 0)
        options.weight *= method->temperature_weight * options.temperature;
    return options;
}

bool clc_method_wants_labels(const clc_config *config) {
    const clc_method *method = clc_method_of(config);
    return config->method.labels || method->labels ||
           (method->target == CLC_TARGET_TRAINED && config->loss.label_weight > 0);
}
