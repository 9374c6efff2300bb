#include "train/derive.h"

#include "core/config_schema.h"
#include "core/path.h"
#include "core/text.h"
#include "model/weights.h"
#include "train/callbacks.h"

#include <stdlib.h>

static void take_over(const clc_config *run, clc_config *config) {
    config->data = run->data;
    config->augmentation = run->augmentation;
    config->tokens.tokenizer = run->tokens.tokenizer;
    config->tokens.vocabulary = run->tokens.vocabulary;
    config->tokens.lowercase = run->tokens.lowercase;
    config->encoder = run->encoder;
    config->projector = run->projector;
    config->training.seed = run->training.seed;
    config->evaluation = run->evaluation;
    config->device = run->device;
}

clc_status clc_config_derive(const char *run, clc_config *was, clc_config *config) {
    clc_status status = CLC_OK;
    clc_names classes = {0};
    char weights[CLC_PATH_BYTES];
    CLC_TRY(clc_weights_path(run, weights));
    CLC_TRY(clc_encoder_config(weights, NULL, 0, was, &classes));
    CLC_TRY(clc_config_load(NULL, NULL, 0, config));
    take_over(was, config);
fail:
    clc_names_free(&classes);
    return status;
}

/* Trains by the configuration, every key as an override. */
static clc_status train_as(const clc_config *config, const clc_train_options *given) {
    enum { OVERRIDE = CLC_CONFIG_TEXT_BYTES + 128 };
    clc_status status = CLC_OK;
    clc_train_options options = *given;
    char(*texts)[OVERRIDE] = NULL;
    const char **overrides = NULL;
    size_t n = 0;
    CLC_NEW(texts, CLC_CONFIG_KEYS_MAX);
    CLC_NEW(overrides, CLC_CONFIG_KEYS_MAX);
    for (const clc_config_key *key = clc_config_keys; key->name; key++) {
        char value[CLC_CONFIG_TEXT_BYTES];
        clc_config_format(key, config, value, sizeof value);
        CLC_TRY(clc_text_format(texts[n], OVERRIDE, "%s.%s=%s", key->section, key->name, value));
        overrides[n] = texts[n];
        n++;
    }
    options.config = NULL;
    options.overrides = overrides;
    options.override_count = n;
    status = clc_train(&options);
fail:
    free(texts);
    free(overrides);
    return status;
}

clc_status clc_train_derived(clc_config_maker *make, const char *run, const char *data,
                             const clc_train_options *options) {
    clc_config config;
    const clc_callbacks callbacks = clc_callbacks_of_training(options);
    clc_status status = clc_callbacks_enter(&callbacks);
    if (status != CLC_OK)
        return status;
    status = make(run, data, options, &config);
    if (status == CLC_OK)
        status = train_as(&config, options);
    clc_callbacks_leave(&callbacks);
    return status;
}
