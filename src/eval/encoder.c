#include "eval/encoder.h"

#include "core/log.h"
#include "device/open.h"
#include "eval/evaluation.h"
#include "model/run_folder.h"
#include "model/run_tokenizer.h"
#include "model/weights.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What a tower reads. */
static clc_kind kind_of(const clc_config *config, int tower) {
    switch (config->data.as) {
    case CLC_CONFIG_AS_TOKENS:
        return CLC_KIND_TOKENS;
    case CLC_CONFIG_AS_SERIES:
        return CLC_KIND_SERIES;
    case CLC_CONFIG_AS_PAIRS:
        return tower ? CLC_KIND_TOKENS : CLC_KIND_IMAGES;
    default:
        return CLC_KIND_IMAGES;
    }
}

/* Settings that every version since 0.2 stores. */
static clc_status check_settled(const clc_config *config, const char *path) {
    const bool images = kind_of(config, 0) == CLC_KIND_IMAGES;
    const struct {
        const char *key, *example;
        bool given;
    } needed[] = {{"augmentation.size", "28", !images || config->augmentation.size},
                  {"augmentation.mean", "0.5", !images || config->augmentation.mean.count},
                  {"augmentation.std", "0.25", !images || config->augmentation.std.count},
                  {"data.channels", "1", !images || config->data.channels},
                  {"encoder.context", "64", images || config->encoder.context}};
    char keys[128] = "", sets[256] = "";
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (needed[i].given)
            continue;
        const size_t at = strlen(keys), from = strlen(sets);
        snprintf(keys + at, sizeof keys - at, "%s%s", at ? ", " : "", needed[i].key);
        snprintf(sets + from, sizeof sets - from, " --set %s=%s", needed[i].key, needed[i].example);
    }
    if (!*keys)
        return CLC_OK;
    return clc_fail(CLC_FORMAT,
                    "%s: its configuration lacks %s, which versions before 0.2 didn't store; give "
                    "them, such as%s, or have them measured and stored: clcontrast RUN/config.ini "
                    "--resume, where the run's folder and data are still there",
                    path, keys, sets);
}

/* The lists and bad files of training have no say on images given by hand, but overrides do. */
static clc_status set_by_hand(const char *const *overrides, size_t count, clc_encoder *e) {
    static const char *const fresh[] = {
        "data.path_column=", "data.label_column=", "data.split_column=", "data.on_bad=skip",
        "data.bad_limit=1",  "data.text_columns=", "data.limit=0",       "data.test_fraction=0",
        "data.test=",        "data.test_images=",  "data.test_labels="};
    clc_status status = CLC_OK;
    e->by_hand = e->config;
    CLC_TRY(clc_config_override(fresh, sizeof fresh / sizeof *fresh, &e->by_hand));
    CLC_TRY(clc_config_override(overrides, count, &e->by_hand));
    e->by_hand.data.store_side = e->config.data.store_side;
fail:
    return status;
}

static clc_status load_tokenizer(const char *weights, clc_encoder *e) {
    clc_status status = CLC_OK;
    bool needed = false;
    for (int i = 0; i < e->tower_count; i++)
        needed |= kind_of(&e->config, i) == CLC_KIND_TOKENS;
    if (!needed)
        return CLC_OK;
    CLC_TRY(clc_run_tokenizer_load(weights, &e->tokenizer));
    if (!e->tokenizer)
        status = clc_fail(CLC_FORMAT,
                          "%s: it carries no tokenizer, and there is no " CLC_RUN_TOKENIZER
                          " beside it: its numbers of words are not known",
                          weights);
fail:
    return status;
}

/* What the loss learned, or else its temperature. */
static clc_status load_scale(const char *weights, clc_encoder *e) {
    clc_status status = CLC_OK;
    clc_safetensors *st = NULL;
    e->scale = 1 / e->config.loss.temperature;
    if (e->tower_count < CLC_TOWERS)
        return CLC_OK;
    CLC_TRY(clc_safetensors_open(weights, &st));
    const clc_st_tensor *learned = clc_safetensors_find(st, CLC_LEARNED_SCALE);
    if (learned && learned->dtype == CLC_F32 && learned->count == 1)
        e->scale = exp((double)*(const float *)learned->data);
fail:
    clc_safetensors_close(&st);
    return status;
}

/* What a tower of series must know of them. */
static clc_status load_norm(const char *weights, clc_field *like) {
    clc_status status = CLC_OK;
    clc_safetensors *st = NULL;
    CLC_TRY(clc_safetensors_open(weights, &st));
    const char *text = clc_safetensors_metadata(st, CLC_WEIGHTS_SERIES);
    if (!text)
        CLC_TRY(clc_fail(CLC_FORMAT,
                         "%s: it carries no mean and deviation of series ('" CLC_WEIGHTS_SERIES
                         "' in its metadata); use the encoder file of a run that has ended",
                         weights));
    CLC_TRY(clc_field_norm_parse(text, like));
fail:
    clc_safetensors_close(&st);
    return status;
}

static clc_status open_tower(const char *weights, int tower, clc_encoder *e) {
    clc_status status = CLC_OK;
    clc_tower_encoder *t = &e->towers[tower];
    const clc_embedder_input input = {.tower = tower, .field = tower, .like = &t->like};
    t->like = (clc_field){.kind = kind_of(&e->config, tower)};
    if (t->like.kind == CLC_KIND_TOKENS)
        t->like.vocabulary = clc_tokenizer_vocabulary(e->tokenizer);
    if (t->like.kind == CLC_KIND_SERIES)
        CLC_TRY(load_norm(weights, &t->like));
    CLC_TRY(clc_embedder_create(&t->embedder, e->device, &e->config, &t->params, &input));
    CLC_TRY(clc_encoder_load(weights, &t->params, e->device));
fail:
    return status;
}

static clc_status open_device(const char *device, clc_encoder *e) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_device_open_as(device, &e->config.device, &e->device));
    clc_log("device %d: %s", e->device->info.number, e->device->info.name);
fail:
    return status;
}

/* On the device `on`, or where that is NULL on the one that `device` names. */
static clc_status open_encoder(const char *path, clc_device *on, const char *device,
                               const char *const *overrides, size_t override_count,
                               clc_encoder **encoder) {
    clc_status status = CLC_OK;
    char weights[CLC_PATH_BYTES];
    clc_encoder *e = NULL;
    *encoder = NULL;
    CLC_NEW(e, 1);
    pthread_mutex_init(&e->lock, NULL);
    CLC_TRY(clc_weights_path(path, weights));
    CLC_TRY(clc_encoder_config(weights, overrides, override_count, &e->config, &e->classes));
    CLC_TRY(check_settled(&e->config, weights));
    e->config.data.store_side = clc_embedder_side(&e->config);
    CLC_TRY(set_by_hand(overrides, override_count, e));
    e->tower_count = clc_config_towers(&e->config);
    CLC_TRY(load_tokenizer(weights, e));
    CLC_TRY(load_scale(weights, e));
    e->device = on;
    e->borrows = on != NULL;
    if (!on)
        CLC_TRY(open_device(device, e));
    for (int i = 0; i < e->tower_count; i++)
        CLC_TRY(open_tower(weights, i, e));
    *encoder = e;
    e = NULL;
fail:
    clc_encoder_close(&e);
    return status;
}

clc_status clc_encoder_open_with(const char *path, const char *device, const char *const *overrides,
                                 size_t override_count, clc_encoder **encoder) {
    return open_encoder(path, NULL, device, overrides, override_count, encoder);
}

clc_status clc_encoder_open_on(const char *path, clc_device *device, clc_encoder **encoder) {
    return open_encoder(path, device, NULL, NULL, 0, encoder);
}

clc_tower_encoder *clc_encoder_tower(clc_encoder *encoder, clc_kind kind) {
    static const char *const names[CLC_KINDS] = {"images", "texts", "series"};
    for (int i = 0; i < encoder->tower_count; i++)
        if (encoder->towers[i].like.kind == kind)
            return &encoder->towers[i];
    clc_fail(CLC_INVALID, "the encoder reads %s%s, no %s", names[encoder->towers[0].like.kind],
             encoder->tower_count > 1 ? " and texts" : "", names[kind]);
    return NULL;
}

clc_status clc_encoder_open(const char *path, const char *device, clc_encoder **encoder) {
    return clc_encoder_open_with(path, device, NULL, 0, encoder);
}

void clc_encoder_close(clc_encoder **encoder) {
    if (!encoder || !*encoder)
        return;
    clc_encoder *e = *encoder;
    for (int i = 0; i < e->tower_count; i++) {
        clc_embedder_release(&e->towers[i].embedder);
        clc_field_free(&e->towers[i].like);
        if (e->device)
            clc_params_release(&e->towers[i].params, e->device);
    }
    if (!e->borrows)
        clc_device_close(&e->device);
    clc_tokenizer_free(&e->tokenizer);
    clc_names_free(&e->classes);
    pthread_mutex_destroy(&e->lock);
    free(e);
    *encoder = NULL;
}

clc_status clc_encoder_open_paths(const clc_encoder *encoder, const char *const *paths, size_t n,
                                  clc_dataset **data) {
    return clc_dataset_open_paths(&encoder->by_hand, paths, n, data);
}

int clc_encoder_features(const clc_encoder *encoder) {
    return clc_embedder_features(&encoder->towers[0].embedder);
}

unsigned clc_encoder_reads(const clc_encoder *encoder) {
    static const unsigned bits[CLC_KINDS] = {[CLC_KIND_IMAGES] = CLC_READS_IMAGES,
                                             [CLC_KIND_TOKENS] = CLC_READS_TEXTS,
                                             [CLC_KIND_SERIES] = CLC_READS_SERIES};
    unsigned reads = 0;
    for (int i = 0; i < encoder->tower_count; i++)
        reads |= bits[encoder->towers[i].like.kind];
    return reads;
}

size_t clc_encoder_classes(const clc_encoder *encoder) {
    return encoder->classes.count;
}

const char *clc_encoder_class(const clc_encoder *encoder, size_t number) {
    return number < encoder->classes.count ? clc_names_at(&encoder->classes, number) : NULL;
}

int clc_encoder_channels(const clc_encoder *encoder) {
    const bool images = encoder->towers[0].like.kind == CLC_KIND_IMAGES;
    return images ? encoder->config.data.channels : 0;
}

int clc_encoder_series_channels(const clc_encoder *encoder) {
    const clc_field *like = &encoder->towers[0].like;
    return like->kind == CLC_KIND_SERIES ? like->channels : 0;
}
