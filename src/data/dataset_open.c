/* Opening data sets of whatever kind. */
#include "data/dataset_kinds.h"

static clc_status open_pictures(const clc_config *config, clc_split split, const clc_dataset *train,
                                clc_dataset *d) {
    const clc_names *known = train ? &train->class_names : NULL;
    const clc_status status = clc_source_open(&config->data, split, known, &d->source);
    return status == CLC_OK ? clc_dataset_open_source(config, d) : status;
}

clc_status clc_dataset_open_with(const clc_config *config, clc_split split,
                                 const clc_dataset *train, clc_tokenizer *tokenizer,
                                 clc_dataset **dataset) {
    clc_status status = CLC_OK;
    clc_dataset *d = NULL;
    clc_names paths = {0};
    int as;
    bool share;
    *dataset = NULL;
    CLC_NEW(d, 1);
    CLC_TRY(clc_dataset_find(&config->data, split, &as, &paths, &share));
    if (as == CLC_CONFIG_AS_TOKENS)
        CLC_TRY(clc_dataset_open_texts(config, &paths, split, share, train, tokenizer, d));
    else if (as == CLC_CONFIG_AS_PAIRS)
        CLC_TRY(clc_dataset_open_pairs(config, &paths, split, share, train, tokenizer, d));
    else if (as == CLC_CONFIG_AS_SERIES)
        CLC_TRY(clc_dataset_open_series(config, &paths, split, share, train, d));
    else
        CLC_TRY(open_pictures(config, split, train, d));
    *dataset = d;
    d = NULL;
fail:
    clc_names_free(&paths);
    clc_dataset_free(&d);
    return status;
}

clc_status clc_dataset_open(const clc_config *config, clc_split split, const clc_dataset *train,
                            clc_dataset **dataset) {
    return clc_dataset_open_with(config, split, train, NULL, dataset);
}

bool clc_dataset_has_test(const clc_config *config, const clc_dataset *train) {
    const clc_config_data *c = &config->data;
    if (!train->source || train->texts)
        if (*c->test || c->test_fraction > 0 || train->divided ||
            (train->texts && train->texts->divided))
            return true;
    return clc_dataset_has_pictures(train) && clc_source_configured(c, CLC_SPLIT_TEST);
}

clc_status clc_dataset_open_text_files(const clc_config *config, const clc_names *paths,
                                       clc_tokenizer *tokenizer, clc_dataset **dataset) {
    clc_status status = CLC_OK;
    clc_dataset *d = NULL;
    *dataset = NULL;
    CLC_NEW(d, 1);
    CLC_TRY(clc_dataset_open_texts(config, paths, CLC_SPLIT_TRAIN, false, NULL, tokenizer, d));
    *dataset = d;
    d = NULL;
fail:
    clc_dataset_free(&d);
    return status;
}
