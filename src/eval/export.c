#include "eval/export.h"

#include "core/log.h"
#include "data/npy.h"
#include "model/run_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What is written while batches come in; with `names`, files for reading. */
typedef struct embedding {
    const clc_dataset *data;
    clc_npy_writer features;
    clc_file_writer *names;
    int64_t *labels;
    int64_t *row_of;   /* (samples): -1 if it can't be read; NULL: not asked for */
    size_t done, rows; /* samples met, rows written */
} embedding;

static clc_status take_batch(void *context, const clc_batch *batch, const float *features) {
    clc_status status = CLC_OK;
    embedding *e = context;
    for (size_t i = 0; i < batch->count; i++) {
        const size_t sample = (size_t)batch->indices[i];
        if (e->row_of)
            e->row_of[sample] = batch->bad[i] ? -1 : (int64_t)e->rows;
        if (batch->bad[i])
            continue;
        CLC_TRY(clc_npy_rows_f32(&e->features, features + i * e->features.cols, 1));
        if (e->names) {
            CLC_TRY(clc_write_name(e->names, clc_dataset_sample_name(e->data, sample)));
            CLC_TRY(clc_file_writer_write(e->names, "\n", 1));
        }
        if (e->labels)
            e->labels[e->rows] = e->data->labels[sample];
        e->rows++;
    }
    e->done += batch->count;
    clc_live("embedding %s: %zu of %zu", e->data->name, e->done, e->data->count);
fail:
    return status;
}

/* A former run's classes would be taken for those of these samples. */
static void warn_of_former(const char *output) {
    static const char *const names[] = {"labels.npy", "classes.txt"};
    char path[CLC_PATH_BYTES];
    for (size_t i = 0; i < 2; i++)
        if (clc_path_format(path, "%s/%s", output, names[i]) == CLC_OK && access(path, F_OK) == 0)
            clc_warn("%s was there before: what was embedded now has no classes", path);
}

static clc_status write_labels(const embedding *e, const char *output, const char *prefix) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    if (!e->labels)
        return CLC_OK;
    CLC_TRY(clc_path_format(path, "%s/%slabels.npy", output, prefix));
    CLC_TRY(clc_npy_write_i64(path, e->labels, e->rows));
    clc_log("%s: %zu", path, e->rows);
fail:
    return status;
}

/* What happened to a sample, where none is usable. */
static clc_status check_rows(const embedding *e, const clc_bad_files *bad) {
    if (e->rows)
        return CLC_OK;
    return clc_fail(CLC_FORMAT, "%s: none of %zu images can be used; the first: %s: %s",
                    e->data->name, e->data->count, clc_names_at(&bad->entries, 0),
                    clc_names_at(&bad->entries, 1));
}

/* Features of all samples, into <prefix>features.npy and <prefix>labels.npy. */
static clc_status write_features(clc_tower_encoder *tower, const char *output, const char *prefix,
                                 embedding *e, clc_bad_files *bad) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    const size_t dim = (size_t)clc_embedder_features(&tower->embedder);
    if (e->data->labels)
        CLC_NEW(e->labels, e->data->count);
    CLC_TRY(clc_path_format(path, "%s/%sfeatures.npy", output, prefix));
    CLC_TRY(clc_npy_begin_f32(path, dim, &e->features));
    CLC_TRY(clc_embedder_each(&tower->embedder, e->data, NULL, e->data->count, take_batch, e, bad));
    CLC_TRY(check_rows(e, bad));
    CLC_TRY(clc_npy_end(&e->features));
    clc_log("%s: %zu x %zu", path, e->rows, dim);
    CLC_TRY(write_labels(e, output, prefix));
    if (e->data->bad.count + bad->count)
        clc_warn("%zu %s: they are listed in %s/" CLC_RUN_SKIPPED, e->data->bad.count + bad->count,
                 clc_dataset_has_pictures(e->data) ? "files are no usable images"
                                                   : "samples were left out",
                 output);
fail:
    clc_live("%s", "");
    clc_npy_abort(&e->features);
    return status;
}

static void free_embedding(embedding *e) {
    clc_file_writer_abort(&e->names);
    free(e->labels);
    free(e->row_of);
}

/* All texts of field 1 by their tower. */
static clc_status write_texts(clc_encoder *encoder, const clc_dataset *data, const int64_t *row_of,
                              const char *output, const char *prefix) {
    clc_status status = CLC_OK;
    clc_embedder *embedder = &encoder->towers[1].embedder;
    const clc_field *field = &data->fields[1];
    const size_t dim = (size_t)clc_embedder_features(embedder);
    char path[CLC_PATH_BYTES];
    cl_mem buffer = NULL;
    float *features = NULL;
    int64_t *rows = NULL;
    CLC_NEW(features, field->count * dim);
    CLC_NEW(rows, field->count);
    for (size_t i = 0; i < data->count; i++)
        for (int32_t k = field->firsts[i]; k < field->firsts[i + 1]; k++)
            rows[k] = row_of[i];
    CLC_TRY(clc_buffer_create(encoder->device, field->count * dim * sizeof *features, "features",
                              &buffer));
    CLC_TRY(clc_embedder_run_field(embedder, field, NULL, field->count, buffer));
    CLC_TRY(clc_buffer_read(encoder->device, buffer, 0, field->count * dim * sizeof *features,
                            features));
    CLC_TRY(clc_path_format(path, "%s/%stext_features.npy", output, prefix));
    CLC_TRY(clc_npy_write_f32(path, features, field->count, dim));
    clc_log("%s: %zu x %zu", path, field->count, dim);
    CLC_TRY(clc_path_format(path, "%s/%stext_rows.npy", output, prefix));
    CLC_TRY(clc_npy_write_i64(path, rows, field->count));
fail:
    clc_buffer_release(encoder->device, &buffer);
    free(features);
    free(rows);
    return status;
}

clc_status clc_export_samples(clc_encoder *encoder, const clc_dataset *data, const char *output,
                              const char *prefix) {
    clc_status status = CLC_OK;
    embedding e = {.data = data};
    clc_bad_files bad = {0};
    const bool pairs = encoder->tower_count > 1 && data->field_count > 1;
    if (pairs)
        CLC_NEW(e.row_of, data->count);
    CLC_TRY(write_features(&encoder->towers[0], output, prefix, &e, &bad));
    if (pairs)
        CLC_TRY(write_texts(encoder, data, e.row_of, output, prefix));
fail:
    free_embedding(&e);
    clc_names_free(&bad.entries);
    return status;
}

clc_status clc_export_named(clc_tower_encoder *tower, const clc_dataset *data, const char *output) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    embedding e = {.data = data};
    clc_bad_files bad = {0};
    const clc_bad_files *const lists[] = {&data->bad, &bad};
    CLC_TRY(clc_path_format(path, "%s/names.txt", output));
    CLC_TRY(clc_file_writer_open(path, &e.names));
    CLC_TRY(write_features(tower, output, "", &e, &bad));
    CLC_TRY(clc_file_writer_commit(&e.names));
    if (data->labels) {
        CLC_TRY(clc_path_format(path, "%s/classes.txt", output));
        CLC_TRY(clc_names_write(&data->class_names, path));
    } else {
        warn_of_former(output);
    }
    CLC_TRY(clc_path_format(path, "%s/" CLC_RUN_SKIPPED, output));
    CLC_TRY(clc_bad_files_write(lists, 2, path));
fail:
    free_embedding(&e);
    clc_names_free(&bad.entries);
    return status;
}
