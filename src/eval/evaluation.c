#include "eval/evaluation.h"

#include "method/method.h"

#include <stdio.h>

int clc_config_towers(const clc_config *config) {
    const clc_method *method = clc_method_find(clc_config_choice(config, "method", "name"));
    return method->towers == CLC_TOWERS ? CLC_TOWERS : 1;
}

const clc_dataset *clc_evaluation_known(const clc_evaluation *e) {
    return e->sets.train ? e->sets.train : e->sets.test;
}

void clc_evaluation_make(clc_device *device, const clc_config *config,
                         const clc_evaluation_sets *sets, const char *folder, clc_evaluation *e) {
    *e = (clc_evaluation){.device = device, .config = config, .sets = *sets, .folder = folder};
    const clc_dataset *train = clc_evaluation_known(e), *test = sets->test ? sets->test : train;
    e->towers = clc_config_towers(config);
    e->classes = train->classes > test->classes ? train->classes : test->classes;
    e->class_names = train->class_names.count >= test->class_names.count ? &train->class_names
                                                                         : &test->class_names;
    e->sts_status = clc_sts_open(config, train->tokenizer, &e->sts);
    if (e->sts_status != CLC_OK)
        snprintf(e->sts_error, sizeof e->sts_error, "%s", clc_error());
}

void clc_evaluation_free(clc_evaluation *e) {
    clc_sts_free(&e->sts);
    for (int i = 0; e->scenes && i < CLC_EVALUATION_SCENES; i++)
        clc_scenes_close(&e->scenes[i]);
}

static bool labelled(const clc_dataset *data) {
    for (size_t i = 0; data && data->labels && i < data->count; i++)
        if (data->labels[i] >= 0)
            return true;
    return false;
}

bool clc_evaluation_has_classes(const clc_evaluation *e, char *why, size_t size) {
    const bool train = labelled(e->sets.train), test = labelled(e->sets.test);
    if (!train || !test)
        snprintf(why, size,
                 "classes need training and test samples with them, but the %s set %s: data.train "
                 "and data.test (or data.test_fraction), in folders, a file's column or "
                 "data.train_labels and data.test_labels",
                 train ? "test" : "training",
                 (train ? e->sets.test : e->sets.train) ? "has none" : "is missing");
    return train && test;
}
