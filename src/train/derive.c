#include "train/derive.h"

#include "core/config_schema.h"
#include "core/text.h"

#include <stdlib.h>

void clc_config_take_over(const clc_config *run, clc_config *config) {
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

/* Every key as an override. */
clc_status clc_train_as(const clc_config *config, const clc_train_options *given) {
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
