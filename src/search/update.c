#define _XOPEN_SOURCE 700 /* realpath */
#include "search/search.h"

#include "core/callbacks.h"
#include "core/log.h"
#include "core/path.h"
#include "core/signals.h"
#include "eval/by_hand.h"
#include "model/weights.h"
#include "search/index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

clc_status clc_search_weights_hash(const char *encoder, char digits[17]) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    void *map = NULL;
    size_t n = 0;
    CLC_TRY(clc_weights_path(encoder, path));
    CLC_TRY(clc_file_read_all(path, SIZE_MAX, &map, &n));
    snprintf(digits, 17, "%016llx", (unsigned long long)XXH3_64bits(map, n));
fail:
    free(map);
    return status;
}

/* An index in the making. */
typedef struct update {
    const clc_index_options *options;
    char encoder_path[CLC_PATH_BYTES];
    char weights[17];
    clc_index *old; /* NULL: none, or none that is of use */
    clc_name_set old_names;
    clc_encoder *encoder;
    clc_tower_encoder *tower;
    clc_dataset *data;
    int32_t *fresh; /* (fresh_count): samples to embed */
    size_t fresh_count;
    /* the new index; room for all samples */
    int dim;
    float *features, *lengths;
    uint64_t *stamps;
    clc_names names;
    size_t done;
    clc_bad_files bad;
} update;

/* What tells that a sample has changed; 0: nothing does. */
static uint64_t stamp_of(const clc_dataset *data, size_t sample) {
    return data->source ? data->source->stamps[data->items[sample]] : 0;
}

static clc_status open_old(update *u) {
    clc_status status = CLC_OK;
    const char *path = u->options->output;
    if (access(path, F_OK) != 0)
        return CLC_OK;
    if (!clc_index_begins(path))
        return clc_fail(CLC_INVALID, "%s is there already and is no index: say another --output",
                        path);
    if (clc_index_open(path, &u->old) != CLC_OK) {
        clc_warn("%s; it is made anew", clc_error());
        return CLC_OK;
    }
    if (strcmp(u->old->weights, u->weights) || u->old->dim != u->dim) {
        clc_log("%s is of other weights: everything is embedded anew", path);
        clc_index_close(&u->old);
        return CLC_OK;
    }
    for (size_t i = 0; i < u->old->count; i++) {
        const clc_names *names = &u->old->names;
        size_t number;
        CLC_TRY(clc_name_set_add(&u->old_names, clc_names_at(names, i), clc_names_length(names, i),
                                 &number, NULL));
    }
fail:
    return status;
}

/* `length`: what features of length 1 had; 0: these are no such yet. */
static clc_status add_row(update *u, size_t sample, const float *features, float length) {
    clc_status status = CLC_OK;
    const char *name = clc_dataset_sample_name(u->data, sample);
    float *row = u->features + u->done * (size_t)u->dim;
    double squares = 0;
    CLC_TRY(clc_names_add(&u->names, name, strlen(name)));
    for (int d = 0; d < u->dim; d++)
        squares += (double)features[d] * features[d];
    for (int d = 0; d < u->dim; d++)
        row[d] = squares > 0 ? (float)(features[d] / sqrt(squares)) : 0;
    u->lengths[u->done] = length > 0 || isnan(length) ? length : (float)sqrt(squares);
    u->stamps[u->done++] = stamp_of(u->data, sample);
fail:
    return status;
}

/* The row of the old index that is this sample's still, or SIZE_MAX. The set numbers names as the
 * index does, unless a name is in it twice: then its stamp decides. */
static size_t old_row(const update *u, size_t sample) {
    const char *name = clc_dataset_sample_name(u->data, sample);
    const uint64_t stamp = stamp_of(u->data, sample);
    const size_t row =
        u->old && stamp ? clc_name_set_find(&u->old_names, name, strlen(name)) : SIZE_MAX;
    return row < SIZE_MAX && u->old->stamps[row] == stamp ? row : SIZE_MAX;
}

/* Takes over what hasn't changed and finds what is to be embedded. */
static clc_status keep_unchanged(update *u) {
    clc_status status = CLC_OK;
    const size_t n = u->data->count;
    CLC_NEW(u->features, n * (size_t)u->dim);
    CLC_NEW(u->lengths, n);
    CLC_NEW(u->stamps, n);
    CLC_NEW(u->fresh, n);
    for (size_t i = 0; i < n; i++) {
        const size_t row = old_row(u, i);
        if (row < SIZE_MAX)
            CLC_TRY(add_row(u, i, u->old->features + row * (size_t)u->dim,
                            u->old->lengths ? u->old->lengths[row] : NAN));
        else
            u->fresh[u->fresh_count++] = (int32_t)i;
    }
fail:
    return status;
}

static clc_status take_batch(void *context, const clc_batch *batch, const float *features) {
    clc_status status = CLC_OK;
    update *u = context;
    for (size_t i = 0; i < batch->count; i++)
        if (!batch->bad[i])
            CLC_TRY(add_row(u, (size_t)batch->indices[i], features + i * (size_t)u->dim, 0));
    clc_live("embedding %s: %zu of %zu", u->data->name, u->done, u->data->count);
fail:
    return status;
}

static clc_status write_index(update *u, size_t kept) {
    clc_status status = CLC_OK;
    const char *path = u->options->output;
    const size_t old = u->old ? u->old->count : 0;
    const clc_bad_files *const lists[] = {&u->data->bad, &u->bad};
    const clc_index_contents contents = {.count = u->done,
                                         .dim = u->dim,
                                         .features = u->features,
                                         .lengths = u->lengths,
                                         .stamps = u->stamps,
                                         .names = &u->names,
                                         .encoder = u->encoder_path,
                                         .weights = u->weights};
    char skipped[CLC_PATH_BYTES];
    if (!u->done)
        return clc_fail(CLC_FORMAT, "%s: none of %zu samples can be used%s%s", u->data->name,
                        u->data->count, u->bad.count ? "; the first: " : "",
                        u->bad.count ? clc_names_at(&u->bad.entries, 1) : "");
    CLC_TRY(clc_path_format(skipped, "%s.skipped.txt", path));
    CLC_TRY(clc_index_write(path, &contents));
    CLC_TRY(clc_bad_files_write(lists, 2, skipped));
    clc_log("%s: %zu %s, %zu of them embedded now, %zu as they were; %zu that were in it are gone "
            "or have changed",
            path, u->done, clc_dataset_unit(u->data), u->done - kept, kept, old - kept);
    if (u->data->bad.count + u->bad.count)
        clc_warn("%zu files are left out: they are listed in %s", u->data->bad.count + u->bad.count,
                 skipped);
fail:
    return status;
}

static clc_status embed_fresh(update *u) {
    clc_status status = CLC_OK;
    CLC_TRY(keep_unchanged(u));
    const size_t kept = u->done;
    if (u->fresh_count)
        status = clc_embedder_each(&u->tower->embedder, u->data, u->fresh, u->fresh_count,
                                   take_batch, u, &u->bad);
    clc_live("%s", "");
    if (status != CLC_OK && (status != CLC_INTERRUPTED || !u->done))
        return status;
    const clc_status embedded = status;
    CLC_TRY(write_index(u, kept));
    if (embedded == CLC_INTERRUPTED)
        status = clc_fail(CLC_INTERRUPTED,
                          "interrupted: %s holds %zu of %zu; the same command goes "
                          "on",
                          u->options->output, u->done, u->data->count);
fail:
    return status;
}

static void release(update *u) {
    clc_index_close(&u->old);
    clc_name_set_free(&u->old_names);
    clc_dataset_free(&u->data);
    clc_encoder_close(&u->encoder);
    free(u->fresh);
    free(u->features);
    free(u->lengths);
    free(u->stamps);
    clc_names_free(&u->names);
    clc_names_free(&u->bad.entries);
}

static clc_status update_index(const clc_index_options *o) {
    clc_status status = CLC_OK;
    update u = {.options = o};
    clc_signals_install();
    CLC_TRY(clc_search_weights_hash(o->encoder, u.weights));
    if (!realpath(o->encoder, u.encoder_path))
        CLC_TRY(clc_fail_file("find", o->encoder));
    CLC_TRY(
        clc_encoder_open_with(o->encoder, o->device, o->overrides, o->override_count, &u.encoder));
    CLC_TRY(clc_by_hand_open(u.encoder, o->tower, o->paths, o->path_count, &u.tower, &u.data));
    u.dim = clc_embedder_features(&u.tower->embedder);
    CLC_TRY(open_old(&u));
    CLC_TRY(embed_fresh(&u));
fail:
    release(&u);
    clc_signals_restore();
    return status;
}

clc_status clc_index_update(const clc_index_options *o) {
    clc_status status = CLC_OK;
    const clc_callbacks callbacks = {o->context, o->log, o->stop, o->log || o->stop};
    CLC_TRY(clc_callbacks_enter(&callbacks));
    status = update_index(o);
    clc_callbacks_leave(&callbacks);
fail:
    return status;
}
