/* What other programs embed by an encoder: from any of their threads, one at a time on the device.
 */
#include "eval/encoder.h"
#include "eval/text_field.h"

#include <math.h>
#include <string.h>

/* A tower has one graph and one batch. */
static clc_status embed_each(clc_encoder *encoder, clc_tower_encoder *tower,
                             const clc_dataset *data, clc_embedder_take take, void *context) {
    pthread_mutex_lock(&encoder->lock);
    const clc_status status =
        clc_embedder_each(&tower->embedder, data, NULL, data->count, take, context, NULL);
    pthread_mutex_unlock(&encoder->lock);
    return status;
}

/* ---- pixels ---- */

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
    clc_tower_encoder *tower = clc_encoder_tower(encoder, CLC_KIND_IMAGES);
    if (!tower)
        return CLC_INVALID;
    if (count == 0)
        return CLC_OK;
    if (height < 1 || width < 1 || channels < 1 || channels > CLC_CHANNELS_MAX)
        return clc_fail(CLC_INVALID, "images of %d x %d with %d channels can't be embedded", height,
                        width, channels);
    CLC_TRY(fit_all(encoder, pixels, count, height, width, channels, &data));
    CLC_TRY(embed_each(encoder, tower, data, take_rows, &r));
fail:
    clc_dataset_free(&data);
    return status;
}

/* ---- files ---- */

typedef struct files {
    const clc_dataset *data;
    const char *const *paths;
    size_t count, dim;
    size_t next; /* path that is not met yet */
    float *features;
    bool *bad;
} files;

/* The path that a picture is of. Pictures come in the order of their paths; what is no picture has
 * been left out. CLC_INVALID: it is one of several behind a path. */
static clc_status find_path(files *f, const char *name, size_t *path) {
    size_t i = f->next;
    while (i < f->count && strcmp(f->paths[i], name))
        i++;
    if (i == f->count)
        return clc_fail(CLC_INVALID,
                        "%s comes from a folder, list or archive: name files of one picture", name);
    *path = i;
    f->next = i + 1;
    return CLC_OK;
}

static clc_status take_files(void *context, const clc_batch *batch, const float *features) {
    clc_status status = CLC_OK;
    files *f = context;
    for (size_t i = 0; i < batch->count; i++) {
        const char *name = clc_dataset_sample_name(f->data, (size_t)batch->indices[i]);
        size_t path = 0;
        CLC_TRY(find_path(f, name, &path));
        f->bad[path] = batch->bad[i];
        if (!batch->bad[i])
            memcpy(f->features + path * f->dim, features + i * f->dim, f->dim * sizeof *features);
    }
fail:
    return status;
}

/* Rows of what is bad are NaN, lest they pass for features. */
static clc_status settle_bad(const files *f, bool *bad) {
    for (size_t i = 0; i < f->count; i++) {
        if (!f->bad[i])
            continue;
        if (!bad)
            return clc_fail(CLC_FORMAT, "%s: this is no picture that can be read", f->paths[i]);
        for (size_t d = 0; d < f->dim; d++)
            f->features[i * f->dim + d] = NAN;
    }
    if (bad)
        memcpy(bad, f->bad, f->count * sizeof *bad);
    return CLC_OK;
}

clc_status clc_encoder_embed_files(clc_encoder *encoder, const char *const *paths, size_t count,
                                   float *features, bool *bad) {
    clc_status status = CLC_OK;
    clc_dataset *data = NULL;
    clc_tower_encoder *tower = clc_encoder_tower(encoder, CLC_KIND_IMAGES);
    files f = {.paths = paths,
               .count = count,
               .dim = (size_t)clc_encoder_features(encoder),
               .features = features};
    if (!tower)
        return CLC_INVALID;
    if (count == 0)
        return CLC_OK;
    CLC_NEW(f.bad, count);
    for (size_t i = 0; i < count; i++)
        f.bad[i] = true;
    CLC_TRY(clc_encoder_open_paths(encoder, paths, count, &data));
    f.data = data;
    CLC_TRY(embed_each(encoder, tower, data, take_files, &f));
    CLC_TRY(settle_bad(&f, bad));
fail:
    clc_dataset_free(&data);
    free(f.bad);
    return status;
}

/* ---- texts ---- */

clc_status clc_encoder_embed_texts(clc_encoder *encoder, const char *const *texts, size_t count,
                                   float *features) {
    clc_status status = CLC_OK;
    clc_names names = {0};
    for (size_t i = 0; i < count; i++)
        CLC_TRY(clc_names_add(&names, texts[i], strlen(texts[i])));
    CLC_TRY(clc_encoder_embed_names(encoder, &names, features));
fail:
    clc_names_free(&names);
    return status;
}

/* The lock is held. */
static clc_status embed_field(clc_encoder *encoder, clc_tower_encoder *tower,
                              const clc_field *field, float *features) {
    clc_status status = CLC_OK;
    cl_mem buffer = NULL;
    const size_t bytes =
        field->count * (size_t)clc_embedder_features(&tower->embedder) * sizeof *features;
    CLC_TRY(clc_buffer_create(encoder->device, bytes, "features", &buffer));
    CLC_TRY(clc_embedder_run_field(&tower->embedder, field, NULL, field->count, buffer));
    CLC_TRY(clc_buffer_read(encoder->device, buffer, 0, bytes, features));
fail:
    clc_buffer_release(encoder->device, &buffer);
    return status;
}

clc_status clc_encoder_embed_names(clc_encoder *encoder, const clc_names *texts, float *features) {
    clc_status status = CLC_OK;
    clc_field field = {0};
    clc_tower_encoder *tower = clc_encoder_tower(encoder, CLC_KIND_TOKENS);
    if (!tower)
        return CLC_INVALID;
    if (texts->count == 0)
        return CLC_OK;
    pthread_mutex_lock(&encoder->lock); /* the tokenizer remembers pieces */
    CLC_TRY(clc_text_field_make(encoder->tokenizer, texts, &field));
    CLC_TRY(embed_field(encoder, tower, &field, features));
fail:
    pthread_mutex_unlock(&encoder->lock);
    clc_field_free(&field);
    return status;
}

/* ---- series ---- */

static clc_status check_series(const float *values, size_t count, int steps, const int *lengths,
                               int channels) {
    const size_t each = (size_t)steps * (size_t)channels;
    if (steps < 1)
        return clc_fail(CLC_INVALID, "series of %d steps can't be embedded", steps);
    for (size_t i = 0; i < count; i++) {
        const int length = lengths ? lengths[i] : steps;
        if (length < 1 || length > steps)
            return clc_fail(CLC_INVALID, "series %zu has a length of %d, not of 1 to %d steps", i,
                            length, steps);
        for (size_t k = 0; k < (size_t)length * (size_t)channels; k++)
            if (!isfinite(values[i * each + k]))
                return clc_fail(CLC_INVALID, "series %zu: the value of step %zu, channel %zu is %g",
                                i, k / (size_t)channels, k % (size_t)channels,
                                (double)values[i * each + k]);
    }
    return CLC_OK;
}

/* Only read: the values stay the caller's. */
static clc_status series_field(const float *values, size_t count, int steps, const int *lengths,
                               int channels, clc_field *field) {
    clc_status status = CLC_OK;
    *field = (clc_field){.kind = CLC_KIND_SERIES,
                         .name = "series",
                         .count = count,
                         .total = count * (size_t)steps,
                         .channels = channels,
                         .values = (float *)values};
    CLC_NEW(field->extents, count);
    for (size_t i = 0; i < count; i++)
        field->extents[i] = (clc_extent){i * (uint64_t)steps, lengths ? lengths[i] : steps, 0};
fail:
    return status;
}

clc_status clc_encoder_embed_series(clc_encoder *encoder, const float *values, size_t count,
                                    int steps, const int *lengths, float *features) {
    clc_status status = CLC_OK;
    clc_field field = {0};
    clc_tower_encoder *tower = clc_encoder_tower(encoder, CLC_KIND_SERIES);
    const int channels = clc_encoder_series_channels(encoder);
    if (!tower)
        return CLC_INVALID;
    CLC_TRY(check_series(values, count, steps, lengths, channels));
    if (count == 0)
        return CLC_OK;
    CLC_TRY(series_field(values, count, steps, lengths, channels, &field));
    pthread_mutex_lock(&encoder->lock);
    status = embed_field(encoder, tower, &field, features);
    pthread_mutex_unlock(&encoder->lock);
fail:
    field.values = NULL;
    clc_field_free(&field);
    return status;
}
