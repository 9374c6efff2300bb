#include "eval/encoder.h"

#include "core/log.h"
#include "device/open.h"
#include "model/weights.h"

#include <string.h>

static clc_status check_settled(const clc_config *config, const char *path) {
    const struct {
        const char *key;
        bool given;
    } needed[] = {{"augmentation.size", config->augmentation.size},
                  {"augmentation.mean", config->augmentation.mean.count},
                  {"augmentation.std", config->augmentation.std.count},
                  {"data.channels", config->data.channels},
                  {"data.store_side", config->data.store_side}};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!needed[i].given)
            return clc_fail(CLC_FORMAT,
                            "%s: its configuration lacks %s, which versions before 0.2 didn't "
                            "store; give it with --set",
                            path, needed[i].key);
    return CLC_OK;
}

/* The lists and bad files of training have no say on images given by hand, but overrides do. */
static clc_status set_by_hand(const char *const *overrides, size_t count, clc_encoder *e) {
    static const char *const fresh[] = {
        "data.path_column=", "data.label_column=", "data.split_column=", "data.on_bad=skip",
        "data.bad_limit=1"};
    clc_status status = CLC_OK;
    e->by_hand = e->config;
    CLC_TRY(clc_config_override(fresh, sizeof fresh / sizeof *fresh, &e->by_hand));
    CLC_TRY(clc_config_override(overrides, count, &e->by_hand));
    e->by_hand.data.store_side = e->config.data.store_side;
fail:
    return status;
}

clc_status clc_encoder_open_with(const char *path, const char *device, const char *const *overrides,
                                 size_t override_count, clc_encoder **encoder) {
    clc_status status = CLC_OK;
    char weights[CLC_PATH_BYTES];
    clc_encoder *e = NULL;
    *encoder = NULL;
    CLC_NEW(e, 1);
    CLC_TRY(clc_weights_path(path, weights));
    CLC_TRY(clc_encoder_config(weights, overrides, override_count, &e->config, &e->classes));
    CLC_TRY(check_settled(&e->config, weights));
    e->config.data.store_side = clc_embedder_side(&e->config);
    CLC_TRY(set_by_hand(overrides, override_count, e));
    CLC_TRY(clc_device_open(device, (clc_profile)e->config.device.profile, &e->device));
    e->device->clblast_everywhere = e->config.device.gemm == CLC_GEMM_CLBLAST;
    clc_log("device %d: %s", e->device->info.number, e->device->info.name);
    CLC_TRY(clc_embedder_create(&e->embedder, e->device, &e->config, &e->params, 0, 0, 0));
    CLC_TRY(clc_encoder_load(weights, &e->params, e->device));
    *encoder = e;
    e = NULL;
fail:
    clc_encoder_close(&e);
    return status;
}

clc_status clc_encoder_open(const char *path, const char *device, clc_encoder **encoder) {
    return clc_encoder_open_with(path, device, NULL, 0, encoder);
}

void clc_encoder_close(clc_encoder **encoder) {
    if (!encoder || !*encoder)
        return;
    clc_embedder_release(&(*encoder)->embedder);
    if ((*encoder)->device)
        clc_params_release(&(*encoder)->params, (*encoder)->device);
    clc_device_close(&(*encoder)->device);
    clc_names_free(&(*encoder)->classes);
    free(*encoder);
    *encoder = NULL;
}

clc_status clc_encoder_open_paths(const clc_encoder *encoder, const char *const *paths, size_t n,
                                  clc_dataset **data) {
    return clc_dataset_open_paths(&encoder->by_hand, paths, n, data);
}

int clc_encoder_features(const clc_encoder *encoder) {
    return clc_embedder_features(&encoder->embedder);
}

int clc_encoder_channels(const clc_encoder *encoder) {
    return encoder->config.data.channels;
}

typedef struct rows {
    float *next;
    size_t dim;
} rows;

static clc_status take_rows(void *context, const clc_batch *batch, const float *features) {
    rows *r = context;
    memcpy(r->next, features, batch->count * r->dim * sizeof *features);
    r->next += batch->count * r->dim;
    return CLC_OK;
}

/* Copies of images, scaled down as the training images were, as a data set. */
static clc_status fit_all(const clc_encoder *e, const uint8_t *pixels, size_t count, int height,
                          int width, int channels, clc_dataset **data) {
    clc_status status = CLC_OK;
    const clc_image_options options = clc_image_options_from_config(
        &e->config.data, e->config.data.store_side, e->config.data.channels);
    const size_t bytes = (size_t)height * (size_t)width * (size_t)channels;
    uint8_t *all = NULL;
    clc_image image = {0};
    for (size_t i = 0; i < count; i++) {
        image = (clc_image){height, width, channels, NULL};
        CLC_NEW(image.pixels, bytes);
        memcpy(image.pixels, pixels + i * bytes, bytes);
        CLC_TRY(clc_image_fit(&image, &options));
        const size_t fitted = (size_t)image.height * (size_t)image.width * (size_t)image.channels;
        if (!all)
            CLC_NEW(all, count * fitted);
        memcpy(all + i * fitted, image.pixels, fitted);
        if (i + 1 < count)
            clc_image_free(&image);
    }
    status = clc_dataset_make("images", count, image.height, image.width, image.channels, all, NULL,
                              0, data);
    all = NULL;
fail:
    clc_image_free(&image);
    free(all);
    return status;
}

clc_status clc_encoder_embed(clc_encoder *encoder, const uint8_t *pixels, size_t count, int height,
                             int width, int channels, float *features) {
    clc_status status = CLC_OK;
    clc_dataset *data = NULL;
    rows r = {features, (size_t)clc_encoder_features(encoder)};
    if (count == 0)
        return CLC_OK;
    if (height < 1 || width < 1 || channels < 1 || channels > CLC_CHANNELS_MAX)
        return clc_fail(CLC_INVALID, "images of %d x %d with %d channels can't be embedded", height,
                        width, channels);
    CLC_TRY(fit_all(encoder, pixels, count, height, width, channels, &data));
    CLC_TRY(clc_embedder_each(&encoder->embedder, data, take_rows, &r, NULL));
fail:
    clc_dataset_free(&data);
    return status;
}
