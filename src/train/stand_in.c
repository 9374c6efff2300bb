#include "train/stand_in.h"

#include "core/rng.h"

enum { CLASSES = 10 };

/* Random images, for a configuration without data. */
static clc_status random_images(clc_dataset **data) {
    enum { COUNT = 4096, SIDE = 32, CHANNELS = 3, BYTES = COUNT * SIDE * SIDE * CHANNELS };
    clc_status status = CLC_OK;
    clc_rng rng = clc_rng_make(1, 1);
    uint8_t *pixels = NULL;
    int32_t *labels = NULL;
    CLC_NEW(pixels, BYTES);
    CLC_NEW(labels, COUNT);
    for (size_t i = 0; i < BYTES; i++)
        pixels[i] = (uint8_t)clc_rng_next(&rng);
    for (int i = 0; i < COUNT; i++)
        labels[i] = i % CLASSES;
    return clc_dataset_make("random numbers", COUNT, SIDE, SIDE, CHANNELS, pixels, labels, CLASSES,
                            data);
fail:
    free(pixels);
    free(labels);
    return status;
}

static clc_status images_for(const clc_train_options *options, clc_dataset **data) {
    clc_status status = CLC_OK;
    clc_config config;
    *data = NULL;
    CLC_TRY(clc_config_load(options->config, options->overrides, options->override_count, &config));
    if (!clc_source_configured(&config.data, CLC_SPLIT_TRAIN))
        CLC_TRY(random_images(data));
fail:
    return status;
}

clc_status clc_stand_in_plan(clc_session *session, const clc_train_options *options) {
    clc_dataset *data;
    const clc_status status = images_for(options, &data);
    return status == CLC_OK ? clc_session_plan(session, options, data) : status;
}

clc_status clc_stand_in_open(clc_session *session, const clc_train_options *options) {
    clc_dataset *data;
    const clc_status status = images_for(options, &data);
    return status == CLC_OK ? clc_session_open(session, options, data) : status;
}
