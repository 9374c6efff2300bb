#include "eval/run.h"

#include "core/log.h"
#include "core/path.h"
#include "core/signals.h"
#include "core/text.h"
#include "data/labelled.h"
#include "eval/encoder.h"
#include "eval/evaluate.h"
#include "eval/export.h"
#include "method/setup.h"
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

/* Where that on the data of an .ini file goes: a folder of its name below. */
static clc_status output_for(const char *path, const char *data, char folder[CLC_PATH_BYTES]) {
    const char *slash = strrchr(data, '/'), *stem = slash ? slash + 1 : data;
    const char *dot = strrchr(stem, '.');
    return clc_path_format(folder, "%s/%.*s", output_of(path),
                           dot ? (int)(dot - stem) : (int)strlen(stem), stem);
}

clc_status clc_run_evaluate(const char *path, const char *device, const char *tasks,
                            const char *data, const char *output, const char *const *overrides,
                            size_t override_count) {
    clc_status status = CLC_OK;
    finished_run run = {0};
    char other[CLC_PATH_BYTES];
    clc_signals_install();
    if (data && !output)
        CLC_TRY(output_for(path, data, other));
    output = output ? output : data ? other : output_of(path);
    CLC_TRY(open_run(path, device, data, overrides, override_count, &run));
    CLC_TRY(clc_labels_limit(&run.encoder->config, run.train));
    if (tasks)
        CLC_TRY(clc_text_format(run.encoder->config.evaluation.tasks,
                                sizeof run.encoder->config.evaluation.tasks, "%s", tasks));
    CLC_TRY(clc_make_folders(output));
    const clc_evaluation_sets sets = {run.train, run.test};
    clc_params *const params[CLC_TOWERS] = {&run.encoder->towers[0].params,
                                            &run.encoder->towers[1].params};
    CLC_TRY(
        clc_evaluate_and_print(run.encoder->device, &run.encoder->config, &sets, params, output));
    if (run.encoder->config.output.report)
        CLC_TRY(clc_page_write(output));
fail:
    close_run(&run);
    clc_signals_restore();
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

/* ---- samples given by hand ---- */

/* Text that comes on standard input, as a file, since its form is found out by looking at it. */
static clc_status keep_input(char path[CLC_PATH_BYTES]) {
    clc_status status = CLC_OK;
    const char *folder = getenv("TMPDIR");
    FILE *file = NULL;
    char bytes[1 << 14];
    *path = '\0';
    CLC_TRY(clc_path_format(path, "%s/clcontrast-XXXXXX", folder && *folder ? folder : "/tmp"));
    const int descriptor = mkstemp(path);
    file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    if (!file)
        CLC_TRY(clc_fail_file("write", path));
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, stdin)) > 0;)
        if (fwrite(bytes, 1, n, file) != n)
            CLC_TRY(clc_fail_file("write", path));
fail:
    if (file && fclose(file) != 0 && status == CLC_OK)
        status = clc_fail_file("write", path);
    return status;
}

/* Lines of standard input are not known by the name of the file that they were kept in. */
static clc_status rename_lines(clc_names *names) {
    clc_status status = CLC_OK;
    clc_names renamed = {0};
    char name[64];
    for (size_t i = 0; i < names->count; i++) {
        const char *line = strrchr(clc_names_at(names, i), ':');
        const int n = snprintf(name, sizeof name, "stdin%.40s", line ? line : "");
        CLC_TRY(clc_names_add(&renamed, name, (size_t)n));
    }
    clc_names_free(names);
    *names = renamed;
    return CLC_OK;
fail:
    clc_names_free(&renamed);
    return status;
}

static clc_status open_texts(clc_encoder *e, const char *const *paths, size_t n,
                             clc_dataset **data) {
    clc_status status = CLC_OK;
    char kept[CLC_PATH_BYTES] = "";
    const bool input = n == 1 && !strcmp(paths[0], "-");
    clc_names files = {0};
    if (input)
        CLC_TRY(keep_input(kept));
    for (size_t i = 0; i < n; i++) {
        const char *path = input ? kept : paths[i];
        CLC_TRY(clc_names_add(&files, path, strlen(path)));
    }
    CLC_TRY(clc_dataset_open_text_files(&e->by_hand, &files, e->tokenizer, data));
    if (input)
        CLC_TRY(rename_lines(&(*data)->texts->names));
fail:
    clc_names_free(&files);
    if (*kept)
        unlink(kept);
    return status;
}

static clc_status open_series(const clc_encoder *e, const char *path, clc_dataset **data) {
    clc_status status = CLC_OK;
    char train[CLC_PATH_BYTES + 16];
    const char *const overrides[] = {train, "data.train_images=", "data.train_labels="};
    clc_config config = e->by_hand;
    snprintf(train, sizeof train, "data.train=%s", path);
    CLC_TRY(clc_config_override(overrides, sizeof overrides / sizeof *overrides, &config));
    CLC_TRY(clc_dataset_open(&config, CLC_SPLIT_TRAIN, NULL, data));
    const int given = (*data)->fields[0].channels, trained = e->towers[0].like.channels;
    if (given != trained)
        status = clc_fail(CLC_INVALID, "%s: its series have %d channels, but the encoder's had %d",
                          path, given, trained);
fail:
    return status;
}

static clc_status open_by_hand(clc_encoder *e, clc_kind kind, const char *const *paths, size_t n,
                               clc_dataset **data) {
    if (kind == CLC_KIND_IMAGES)
        return clc_encoder_open_paths(e, paths, n, data);
    if (kind == CLC_KIND_TOKENS)
        return open_texts(e, paths, n, data);
    if (n > 1)
        return clc_fail(CLC_INVALID, "series come from one file, not from %zu: %s, %s ...", n,
                        paths[0], paths[1]);
    return open_series(e, paths[0], data);
}

/* What samples given by hand are: of an encoder with two towers as said, or what the first one
 * looks like. */
static clc_status choose_kind(const clc_encoder *e, const char *said, const char *path,
                              clc_kind *kind) {
    *kind = e->towers[0].like.kind;
    if (said && strcmp(said, "image") && strcmp(said, "text"))
        return clc_fail(CLC_INVALID, "--tower %s: it is image or text", said);
    if (said)
        *kind = !strcmp(said, "text") ? CLC_KIND_TOKENS : CLC_KIND_IMAGES;
    else if (e->tower_count > 1 && strcmp(path, "-") && clc_dataset_looks_like_text(path))
        *kind = CLC_KIND_TOKENS;
    return CLC_OK;
}

clc_status clc_embed_paths(const char *encoder, const char *device, const char *output,
                           const char *said, const char *const *paths, size_t n,
                           const char *const *overrides, size_t override_count) {
    clc_status status = CLC_OK;
    clc_encoder *e = NULL;
    clc_dataset *data = NULL;
    clc_kind kind;
    output = output ? output : ".";
    clc_signals_install();
    CLC_TRY(clc_encoder_open_with(encoder, device, overrides, override_count, &e));
    CLC_TRY(choose_kind(e, said, paths[0], &kind));
    clc_tower_encoder *tower = clc_encoder_tower(e, kind);
    status = tower ? open_by_hand(e, kind, paths, n, &data) : CLC_INVALID;
    if (status != CLC_OK)
        goto fail;
    CLC_TRY(clc_make_folders(output));
    CLC_TRY(clc_export_named(tower, data, output));
fail:
    clc_dataset_free(&data);
    clc_encoder_close(&e);
    clc_signals_restore();
    return status;
}
