#include "eval/run.h"

#include "core/callbacks.h"
#include "core/file.h"
#include "core/log.h"
#include "core/path.h"
#include "core/signals.h"
#include "core/text.h"
#include "data/labelled.h"
#include "eval/by_hand.h"
#include "eval/evaluate.h"
#include "eval/export.h"
#include "method/setup.h"
#include "model/run_folder.h"
#include "report/page.h"

#include <stdio.h>
#include <stdlib.h>
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

/* `data`: an .ini file of other data, or NULL. */
static clc_status open_run(const char *folder, const char *device, const char *data,
                           const char *const *overrides, size_t override_count, finished_run *run) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_encoder_open_with(folder, device, overrides, override_count, &run->encoder));
    clc_config *config = &run->encoder->config;
    if (data) {
        CLC_TRY(clc_config_transfer(config, data));
        CLC_TRY(clc_config_override(overrides, override_count, config));
    }
    CLC_TRY(clc_config_require_data(config));
    CLC_TRY(
        clc_dataset_open_with(config, CLC_SPLIT_TRAIN, NULL, run->encoder->tokenizer, &run->train));
    if (clc_dataset_has_test(config, run->train))
        CLC_TRY(clc_dataset_open(config, CLC_SPLIT_TEST, run->train, &run->test));
fail:
    return status;
}

/* Where the evaluation of `path` goes unless that is said. */
static const char *output_of(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode) ? path : ".";
}

/* Beside what is evaluated on other data than the run's stands on which, for comparisons. */
static clc_status write_config(const clc_config *config, const char *folder) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    char *text = NULL;
    size_t size = 0;
    CLC_TRY(clc_run_path(folder, CLC_RUN_CONFIG, path));
    CLC_TRY(clc_config_text(config, &text, &size));
    CLC_TRY(clc_file_write_all(path, text, size));
fail:
    free(text);
    return status;
}

static clc_status evaluate(const clc_evaluate_options *o, const char *output) {
    clc_status status = CLC_OK;
    finished_run run = {0};
    clc_signals_install();
    CLC_TRY(open_run(o->run, o->device, o->data, o->overrides, o->override_count, &run));
    clc_config *config = &run.encoder->config;
    CLC_TRY(clc_labels_limit(config, run.train));
    if (o->tasks)
        CLC_TRY(clc_text_format(config->evaluation.tasks, sizeof config->evaluation.tasks, "%s",
                                o->tasks));
    CLC_TRY(clc_make_folders(output));
    if (o->data && strcmp(output, output_of(o->run)))
        CLC_TRY(write_config(config, output));
    const clc_evaluation_sets sets = {run.train, run.test};
    clc_params *const params[CLC_TOWERS] = {&run.encoder->towers[0].params,
                                            &run.encoder->towers[1].params};
    CLC_TRY(clc_evaluate_and_print(run.encoder->device, config, &sets, params, output));
    if (config->output.report)
        CLC_TRY(clc_page_write(output));
fail:
    close_run(&run);
    clc_signals_restore();
    return status;
}

clc_status clc_evaluate(const clc_evaluate_options *o, clc_results **results) {
    clc_status status = CLC_OK;
    const clc_callbacks callbacks = {o->context, o->log, o->stop, o->log || o->stop};
    char other[CLC_PATH_BYTES];
    const char *output = o->output ? o->output : output_of(o->run);
    if (results)
        *results = NULL;
    if (o->data && !o->output) {
        CLC_TRY(clc_run_data_path(output_of(o->run), o->data, other));
        output = other;
    }
    CLC_TRY(clc_callbacks_enter(&callbacks));
    status = evaluate(o, output);
    clc_callbacks_leave(&callbacks);
    if (status == CLC_OK && results)
        status = clc_results_open(output, results);
fail:
    return status;
}

clc_status clc_run_embed(const char *folder, const char *device, const char *output,
                         const char *const *overrides, size_t override_count) {
    clc_status status = CLC_OK;
    finished_run run = {0};
    output = output ? output : output_of(folder);
    clc_signals_install();
    CLC_TRY(open_run(folder, device, NULL, overrides, override_count, &run));
    CLC_TRY(clc_make_folders(output));
    CLC_TRY(clc_export_samples(run.encoder, run.train, output, "train_"));
    if (run.test)
        CLC_TRY(clc_export_samples(run.encoder, run.test, output, "test_"));
fail:
    close_run(&run);
    clc_signals_restore();
    return status;
}

clc_status clc_embed_paths(const char *encoder, const char *device, const char *output,
                           const char *said, const char *const *paths, size_t n,
                           const char *const *overrides, size_t override_count) {
    clc_status status = CLC_OK;
    clc_encoder *e = NULL;
    clc_dataset *data = NULL;
    clc_tower_encoder *tower = NULL;
    output = output ? output : ".";
    clc_signals_install();
    CLC_TRY(clc_encoder_open_with(encoder, device, overrides, override_count, &e));
    CLC_TRY(clc_by_hand_open(e, said, paths, n, &tower, &data));
    CLC_TRY(clc_make_folders(output));
    CLC_TRY(clc_export_named(tower, data, output));
fail:
    clc_dataset_free(&data);
    clc_encoder_close(&e);
    clc_signals_restore();
    return status;
}
