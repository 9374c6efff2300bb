#include "core/file.h"
#include "eval/task.h"
#include "model/finetuned.h"
#include "model/run_folder.h"

#include <stdlib.h>
#include <string.h>

/* Nothing is trained here: clcontrast finetune has done it, in folders below the run's. Networks
 * from random weights stand beside the untrained encoder, or are what the run itself is. */

enum { EVALUATION_BYTES = 16 << 20 };

static bool is_from_scratch(const clc_config *config) {
    return !strcmp(clc_config_choice(config, "method", "name"), "supervised") &&
           !*config->encoder.weights && !*config->finetune.teacher;
}

static bool belongs(const clc_evaluated *row, const clc_finetuned *f) {
    const bool encoder = row->kind == CLC_EVALUATED_ENCODER;
    return f->scratch == (!encoder || is_from_scratch(row->of->config));
}

/* Whether there are such networks: of the row, or NULL of any. */
static bool any(const clc_evaluation *e, const clc_evaluated *row) {
    clc_finetuned *list = NULL;
    size_t n = 0;
    bool found = false;
    if (e->folder && clc_finetuned_list(e->folder, &list, &n) == CLC_OK)
        for (size_t i = 0; i < n; i++)
            found |= !row || belongs(row, &list[i]);
    free(list);
    return found;
}

static bool can(const clc_evaluation *e, char *why, size_t size) {
    if (any(e, NULL))
        return true;
    snprintf(why, size,
             "nothing was fine-tuned from this run: clcontrast finetune RUN --set "
             "finetune.labels=1%% does it");
    return false;
}

static bool fits(const clc_evaluated *row) {
    return (row->kind == CLC_EVALUATED_ENCODER || row->kind == CLC_EVALUATED_UNTRAINED) &&
           any(row->of, row);
}

/* "1%", "10 a class". */
static void line_name(const clc_finetuned *f, char *name, size_t size) {
    snprintf(name, size, f->per_class ? "%.6g a class" : "%.6g%%", f->labels);
}

/* The classifier's figures in the last row of an evaluation. */
static clc_status read_figures(const char *folder, json_t *line) {
    static const char *const keys[] = {"accuracy", "top5", "f1", "roc_auc", "calibration_error"};
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    void *text = NULL;
    size_t size;
    json_t *rows = NULL;
    CLC_TRY(clc_run_path(folder, CLC_RUN_EVALUATION_JSON, path));
    CLC_TRY(clc_file_read_all(path, EVALUATION_BYTES, &text, &size));
    rows = json_loadb(text, size, 0, NULL);
    const size_t n = json_array_size(rows);
    const json_t *said = json_object_get(n ? json_array_get(rows, n - 1) : NULL, "classifier");
    if (!said)
        CLC_TRY(clc_fail(CLC_FORMAT,
                         "%s: there is no evaluation of the network's own classifier in it: "
                         "clcontrast eval %s --tasks classifier makes one",
                         path, folder));
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        if (json_object_get(said, keys[k]))
            json_object_set(line, keys[k], json_object_get(said, keys[k]));
fail:
    json_decref(rows);
    free(text);
    return status;
}

static clc_status add_line(const char *run, const clc_finetuned *f, json_t *result) {
    clc_status status = CLC_OK;
    char name[CLC_FINETUNED_NAME], folder[CLC_PATH_BYTES], key[CLC_FINETUNED_NAME];
    json_t *line = json_object();
    clc_finetuned_name(f, name);
    line_name(f, key, sizeof key);
    CLC_TRY(clc_run_path(run, name, folder));
    CLC_TRY(read_figures(folder, line));
    json_object_set(result, key, line);
fail:
    json_decref(line);
    return status;
}

static clc_status run(clc_evaluated *row, json_t *result) {
    clc_status status = CLC_OK;
    clc_finetuned *list = NULL;
    size_t n;
    CLC_TRY(clc_finetuned_list(row->of->folder, &list, &n));
    for (size_t i = 0; i < n; i++)
        if (belongs(row, &list[i]))
            CLC_TRY(add_line(row->of->folder, &list[i], result));
fail:
    free(list);
    return status;
}

static const clc_task_column columns[] = {
    {"", "labels", CLC_CELL_LINE},        {"accuracy", "fine-tuned", CLC_CELL_PERCENT},
    {"top5", "top-5", CLC_CELL_PERCENT},  {"f1", "F1", CLC_CELL_PERCENT},
    {"roc_auc", "AUC", CLC_CELL_PERCENT}, {"calibration_error", "ECE", CLC_CELL_PERCENT},
    {NULL, NULL, CLC_CELL_COUNT}};

const clc_task clc_task_finetune = {
    .name = "finetune",
    .label = "fine-tuned",
    .about = "how far do few labels bring it? what clcontrast finetune RUN made of it, and of "
             "random weights",
    .can = can,
    .fits = fits,
    .run = run,
    .columns = columns};
