#include "eval/run.h"

#include "core/file.h"
#include "core/log.h"
#include "data/npy.h"
#include "device/open.h"
#include "eval/embed.h"
#include "eval/evaluate.h"
#include "model/run_folder.h"
#include "model/weights.h"

#include <stdio.h>
#include <string.h>

/* A run's encoder, ready to embed. */
struct clc_encoder {
    clc_config config;
    clc_device *device;
    clc_params params;
    clc_embedder embedder;
    int height, width, channels;
};

static clc_status open_run(const char *folder, const char *device, const char *const *overrides,
                           size_t override_count, clc_encoder *e) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    CLC_TRY(clc_run_path(folder, CLC_RUN_CONFIG, path));
    CLC_TRY(clc_config_load(path, overrides, override_count, &e->config));
    CLC_TRY(clc_config_require_data(&e->config, false));
    CLC_TRY(clc_device_open(device, (clc_profile)e->config.device.profile, &e->device));
    e->device->clblast_everywhere = e->config.device.gemm == CLC_GEMM_CLBLAST;
    clc_log("device %d: %s", e->device->info.number, e->device->info.name);
fail:
    return status;
}

/* Makes the embedder for images like `data` and loads the weights. */
static clc_status prepare(const char *folder, const clc_dataset *data, clc_encoder *e) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_embedder_create(&e->embedder, e->device, &e->config, &e->params, data));
    CLC_TRY(clc_run_load_weights(folder, &e->params, e->device));
    e->height = data->height;
    e->width = data->width;
    e->channels = data->channels;
fail:
    return status;
}

static clc_status load_set(const clc_encoder *e, bool test, clc_dataset **data) {
    const clc_config *c = &e->config;
    return clc_dataset_load(
        clc_config_choice(c, "data", "format"), test ? c->data.test_images : c->data.train_images,
        test ? c->data.test_labels : c->data.train_labels, test ? 0 : (size_t)c->data.limit, data);
}

void clc_encoder_close(clc_encoder **encoder) {
    if (!encoder || !*encoder)
        return;
    clc_embedder_release(&(*encoder)->embedder);
    if ((*encoder)->device)
        clc_params_release(&(*encoder)->params, (*encoder)->device);
    clc_device_close(&(*encoder)->device);
    free(*encoder);
    *encoder = NULL;
}

clc_status clc_encoder_open(const char *folder, const char *device, clc_encoder **encoder) {
    clc_status status = CLC_OK;
    clc_encoder *e = NULL;
    clc_dataset *data = NULL;
    CLC_NEW(e, 1);
    CLC_TRY(open_run(folder, device, NULL, 0, e));
    CLC_TRY(load_set(e, false, &data));
    CLC_TRY(prepare(folder, data, e));
    *encoder = e;
    e = NULL;
fail:
    clc_dataset_free(&data);
    clc_encoder_close(&e);
    return status;
}

int clc_encoder_features(const clc_encoder *encoder) {
    return clc_embedder_features(&encoder->embedder);
}

void clc_encoder_shape(const clc_encoder *encoder, int *height, int *width, int *channels) {
    *height = encoder->height;
    *width = encoder->width;
    *channels = encoder->channels;
}

/* Embeds `data` and copies the features (count,F) to the host. */
static clc_status embed_to_host(clc_encoder *e, const clc_dataset *data, float *features) {
    clc_status status = CLC_OK;
    cl_mem buffer = NULL;
    const size_t bytes = data->count * (size_t)clc_encoder_features(e) * sizeof(float);
    CLC_TRY(clc_buffer_create(e->device, bytes, "features", &buffer));
    CLC_TRY(clc_embedder_run(&e->embedder, data, buffer));
    CLC_TRY(clc_buffer_read(e->device, buffer, 0, bytes, features));
fail:
    clc_buffer_release(e->device, &buffer);
    return status;
}

clc_status clc_encoder_embed(clc_encoder *encoder, const uint8_t *pixels, size_t count,
                             float *features) {
    clc_dataset data = {.name = "images",
                        .count = count,
                        .height = encoder->height,
                        .width = encoder->width,
                        .channels = encoder->channels,
                        .pixels = (uint8_t *)(uintptr_t)pixels};
    return embed_to_host(encoder, &data, features);
}

static clc_status embed_set(clc_encoder *e, const clc_dataset *data, const char *output,
                            const char *name) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    const size_t dim = (size_t)clc_encoder_features(e);
    float *features = NULL;
    int64_t *labels = NULL;
    CLC_NEW(features, data->count * dim);
    CLC_TRY(embed_to_host(e, data, features));
    CLC_TRY(clc_path_format(path, "%s/%s_features.npy", output, name));
    CLC_TRY(clc_npy_write_f32(path, features, data->count, dim));
    clc_log("%s: %zu x %zu", path, data->count, dim);
    if (data->labels) {
        CLC_NEW(labels, data->count);
        for (size_t i = 0; i < data->count; i++)
            labels[i] = data->labels[i];
        CLC_TRY(clc_path_format(path, "%s/%s_labels.npy", output, name));
        CLC_TRY(clc_npy_write_i64(path, labels, data->count));
        clc_log("%s: %zu", path, data->count);
    }
fail:
    free(features);
    free(labels);
    return status;
}

clc_status clc_run_embed(const char *folder, const char *device, const char *output,
                         const char *const *overrides, size_t override_count) {
    clc_status status = CLC_OK;
    clc_encoder *e = NULL;
    clc_dataset *train = NULL, *test = NULL;
    output = output ? output : folder;
    CLC_NEW(e, 1);
    CLC_TRY(open_run(folder, device, overrides, override_count, e));
    CLC_TRY(clc_make_folders(output));
    CLC_TRY(load_set(e, false, &train));
    CLC_TRY(prepare(folder, train, e));
    CLC_TRY(embed_set(e, train, output, "train"));
    if (*e->config.data.test_images) {
        CLC_TRY(load_set(e, true, &test));
        CLC_TRY(embed_set(e, test, output, "test"));
    }
fail:
    clc_dataset_free(&train);
    clc_dataset_free(&test);
    clc_encoder_close(&e);
    return status;
}

clc_status clc_run_evaluate(const char *folder, const char *device, const char *const *overrides,
                            size_t override_count) {
    clc_status status = CLC_OK;
    clc_encoder *e = NULL;
    clc_dataset *train = NULL;
    CLC_NEW(e, 1);
    CLC_TRY(open_run(folder, device, overrides, override_count, e));
    CLC_TRY(load_set(e, false, &train));
    CLC_TRY(prepare(folder, train, e));
    /* The evaluation makes its own embedder. */
    clc_embedder_release(&e->embedder);
    CLC_TRY(clc_evaluate_and_print(e->device, &e->config, &e->params, folder));
fail:
    clc_dataset_free(&train);
    clc_encoder_close(&e);
    return status;
}
