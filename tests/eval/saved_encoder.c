#include "saved_encoder.h"

#include "../data/support.h"
#include "device/open.h"
#include "eval/embed.h"
#include "model/weights.h"

static void save(const char *text, const clc_field *like, const clc_encoder_notes *notes,
                 const char *path) {
    clc_config config;
    clc_device *device = NULL;
    clc_params params = {0};
    clc_embedder embedder = {0};
    const clc_embedder_input input = {.like = like};
    CHECK(clc_config_load_text(text, "settings", &config));
    CHECK(clc_device_open(getenv("CLC_TEST_DEVICE"), CLC_PROFILE_AUTO, &device));
    CHECK(clc_embedder_create(&embedder, device, &config, &params, &input));
    CHECK(clc_params_initialise(&params, device, 3));
    CHECK(clc_encoder_save(path, &params, device, &config, notes));
    clc_embedder_release(&embedder);
    clc_params_release(&params, device);
    clc_device_close(&device);
}

void save_encoder(const char *text, const clc_tokenizer *tokenizer, const char *path) {
    const clc_field images = {.kind = CLC_KIND_IMAGES};
    clc_names classes = {0};
    const clc_encoder_notes notes = {&classes, tokenizer, NULL, 7};
    CHECK(clc_names_add(&classes, "a", 1));
    CHECK(clc_names_add(&classes, "b\nc", 3));
    save(text, &images, &notes, path);
    clc_names_free(&classes);
}

void save_series_encoder(const char *text, const clc_field *like, const char *path) {
    const clc_names classes = {0};
    const clc_encoder_notes notes = {&classes, NULL, like, 7};
    save(text, like, &notes, path);
}
