#include "eval/run.h"

#include "core/log.h"
#include "core/signals.h"
#include "data/npy.h"
#include "eval/encoder.h"
#include "eval/evaluate.h"
#include "model/run_folder.h"
#include "model/weights.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A run's encoder and its data. */
typedef struct finished_run {
    clc_encoder *encoder;
    clc_dataset *train, *test;
} finished_run;

static void close_run(finished_run *run) {
    clc_dataset_free(&run->train);
    clc_dataset_free(&run->test);
    clc_encoder_close(&run->encoder);
}

static clc_status open_run(const char *folder, const char *device, const char *const *overrides,
                           size_t override_count, finished_run *run) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_encoder_open_with(folder, device, overrides, override_count, &run->encoder));
    const clc_config *config = &run->encoder->config;
    CLC_TRY(clc_config_require_data(config));
    CLC_TRY(clc_dataset_open(config, CLC_SPLIT_TRAIN, NULL, &run->train));
    if (clc_source_configured(&config->data, CLC_SPLIT_TEST))
        CLC_TRY(clc_dataset_open(config, CLC_SPLIT_TEST, run->train, &run->test));
fail:
    return status;
}

/* Where the evaluation of `path` goes unless that is said. */
static const char *output_of(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode) ? path : ".";
}

clc_status clc_run_evaluate(const char *path, const char *device, const char *output,
                            const char *const *overrides, size_t override_count) {
    clc_status status = CLC_OK;
    finished_run run = {0};
    output = output ? output : output_of(path);
    CLC_TRY(open_run(path, device, overrides, override_count, &run));
    CLC_TRY(clc_make_folders(output));
    const clc_evaluation_sets sets = {run.train, run.test};
    CLC_TRY(clc_evaluate_and_print(run.encoder->device, &run.encoder->config, &sets,
                                   &run.encoder->params, output));
fail:
    close_run(&run);
    return status;
}

/* ---- features in files ---- */

/* What is written while batches come in; with `names`, files for reading. */
typedef struct embedding {
    const clc_dataset *data;
    clc_npy_writer features;
    clc_file_writer *names;
    int64_t *labels;
    size_t done, rows; /* images met, rows written */
} embedding;

static clc_status take_batch(void *context, const clc_batch *batch, const float *features) {
    clc_status status = CLC_OK;
    embedding *e = context;
    for (size_t i = 0; i < batch->count; i++) {
        const size_t sample = (size_t)batch->indices[i];
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

/* A former run's classes would be taken for those of these images. */
static void warn_of_former(const char *output) {
    static const char *const names[] = {"labels.npy", "classes.txt"};
    char path[CLC_PATH_BYTES];
    for (size_t i = 0; i < 2; i++)
        if (clc_path_format(path, "%s/%s", output, names[i]) == CLC_OK && access(path, F_OK) == 0)
            clc_warn("%s was there before: the images embedded now have no classes", path);
}

/* Embeds `data` into files of `output` whose names begin with `prefix`; names and bad files too if
 * `named`. */
static clc_status embed_set(clc_encoder *encoder, const clc_dataset *data, const char *output,
                            const char *prefix, bool named) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    embedding e = {.data = data};
    clc_bad_files bad = {0};
    const clc_bad_files *const lists[] = {&data->bad, &bad};
    const size_t dim = (size_t)clc_encoder_features(encoder);
    CLC_TRY(clc_path_format(path, "%s/%snames.txt", output, prefix));
    if (named)
        CLC_TRY(clc_file_writer_open(path, &e.names));
    if (data->labels)
        CLC_NEW(e.labels, data->count);
    CLC_TRY(clc_path_format(path, "%s/%sfeatures.npy", output, prefix));
    CLC_TRY(clc_npy_begin_f32(path, dim, &e.features));
    CLC_TRY(clc_embedder_each(&encoder->embedder, data, take_batch, &e, &bad));
    if (!e.rows)
        CLC_TRY(clc_fail(CLC_FORMAT, "%s: none of %zu images can be used; the first: %s: %s",
                         data->name, data->count, clc_names_at(&bad.entries, 0),
                         clc_names_at(&bad.entries, 1)));
    CLC_TRY(clc_npy_end(&e.features));
    clc_log("%s: %zu x %zu", path, e.rows, dim);
    if (named)
        CLC_TRY(clc_file_writer_commit(&e.names));
    if (e.labels) {
        CLC_TRY(clc_path_format(path, "%s/%slabels.npy", output, prefix));
        CLC_TRY(clc_npy_write_i64(path, e.labels, e.rows));
        clc_log("%s: %zu", path, e.rows);
        if (named) {
            CLC_TRY(clc_path_format(path, "%s/classes.txt", output));
            CLC_TRY(clc_names_write(&data->class_names, path));
        }
    } else if (named) {
        warn_of_former(output);
    }
    if (data->bad.count + bad.count)
        clc_warn("%zu files are no usable images: they are listed in %s/" CLC_RUN_SKIPPED,
                 data->bad.count + bad.count, output);
    CLC_TRY(clc_path_format(path, "%s/" CLC_RUN_SKIPPED, output));
    if (named)
        CLC_TRY(clc_bad_files_write(lists, 2, path));
fail:
    clc_live("%s", "");
    clc_npy_abort(&e.features);
    clc_file_writer_abort(&e.names);
    clc_names_free(&bad.entries);
    free(e.labels);
    return status;
}

clc_status clc_run_embed(const char *folder, const char *device, const char *output,
                         const char *const *overrides, size_t override_count) {
    clc_status status = CLC_OK;
    finished_run run = {0};
    output = output ? output : output_of(folder);
    clc_signals_install();
    CLC_TRY(open_run(folder, device, overrides, override_count, &run));
    CLC_TRY(clc_make_folders(output));
    CLC_TRY(embed_set(run.encoder, run.train, output, "train_", false));
    if (run.test)
        CLC_TRY(embed_set(run.encoder, run.test, output, "test_", false));
fail:
    close_run(&run);
    clc_signals_restore();
    return status;
}

clc_status clc_embed_paths(const char *encoder, const char *device, const char *output,
                           const char *const *paths, size_t n, const char *const *overrides,
                           size_t override_count) {
    clc_status status = CLC_OK;
    clc_encoder *e = NULL;
    clc_dataset *data = NULL;
    output = output ? output : ".";
    clc_signals_install();
    CLC_TRY(clc_encoder_open_with(encoder, device, overrides, override_count, &e));
    CLC_TRY(clc_encoder_open_paths(e, paths, n, &data));
    CLC_TRY(clc_make_folders(output));
    CLC_TRY(embed_set(e, data, output, "", true));
fail:
    clc_dataset_free(&data);
    clc_encoder_close(&e);
    clc_signals_restore();
    return status;
}
