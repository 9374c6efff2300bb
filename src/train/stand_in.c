#include "train/stand_in.h"

#include "core/rng.h"

enum { CLASSES = 10 };

/* Random images, for a configuration without data. */
static clc_status random_images(clc_dataset **data) {
    clc_status status = CLC_OK;
    clc_rng rng = clc_rng_make(1, 1);
    clc_dataset *made = NULL;
    CLC_NEW(made, 1);
    *made = (clc_dataset){
        .name = "random numbers", .count = 4096, .height = 32, .width = 32, .channels = 3};
    const size_t bytes = made->count * 32 * 32 * 3;
    CLC_NEW(made->pixels, bytes);
    CLC_NEW(made->labels, made->count);
    for (size_t i = 0; i < bytes; i++)
        made->pixels[i] = (uint8_t)clc_rng_next(&rng);
    for (size_t i = 0; i < made->count; i++)
        made->labels[i] = (int32_t)(i % CLASSES);
    made->classes = CLASSES;
    *data = made;
    made = NULL;
fail:
    clc_dataset_free(&made);
    return status;
}

static clc_status images_for(const clc_train_options *options, clc_dataset **data) {
    clc_status status = CLC_OK;
    clc_config config;
    *data = NULL;
    CLC_TRY(clc_config_load(options->config, options->overrides, options->override_count, &config));
    if (!*config.data.train_images)
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
