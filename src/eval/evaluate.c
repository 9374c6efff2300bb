#include "eval/evaluate.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/signals.h"
#include "eval/gallery.h"
#include "eval/report.h"
#include "eval/task.h"
#include "report/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is done: tasks that are meant and that the data allow. */
typedef struct plan {
    bool chosen[CLC_TASK_COUNT];
    size_t count;
    json_t *skipped; /* {"task": "why"} of those that were asked for by name, or turned off */
    char why[CLC_TASK_WHY];
} plan;

static void plan_free(plan *p) {
    json_decref(p->skipped);
    *p = (plan){0};
}

static clc_status plan_make(const clc_evaluation *e, plan *p) {
    const char *names = e->config->evaluation.tasks;
    *p = (plan){.skipped = json_object()};
    const clc_status status = clc_tasks_choose(names, p->chosen);
    for (size_t t = 0; status == CLC_OK && t < CLC_TASK_COUNT; t++) {
        char why[CLC_TASK_WHY] = "";
        const clc_task *task = clc_tasks[t];
        if (!p->chosen[t])
            continue;
        const bool can = task->can(e, why, sizeof why);
        p->chosen[t] = can && (!task->wanted || task->wanted(e->config, why, sizeof why));
        p->count += p->chosen[t];
        if (!p->chosen[t] && (can || *names))
            json_object_set_new(p->skipped, task->name, json_string(why));
    }
    return status;
}

static clc_status nothing_to_do(const plan *p) {
    const char *task;
    json_t *why;
    json_object_foreach(p->skipped, task, why) return clc_fail(
        CLC_INVALID, "there is nothing to evaluate: %s: %s", task, json_string_value(why));
    return clc_fail(
        CLC_INVALID,
        "there is nothing to evaluate: classes need training and test samples with them: "
        "data.train and data.test (or data.test_fraction), in folders, a file's column or "
        "data.train_labels and data.test_labels; retrieval needs test samples of two fields, "
        "such as images with captions; similarity a data.test with sent0, sent1 and score");
}

bool clc_evaluation_possible(const clc_config *config, const clc_evaluation_sets *sets) {
    clc_evaluation e;
    plan p;
    clc_evaluation_make(NULL, config, sets, NULL, &e);
    const bool possible = plan_make(&e, &p) == CLC_OK && p.count;
    plan_free(&p);
    clc_evaluation_free(&e);
    return possible;
}

clc_status clc_evaluation_request(clc_device *device, const clc_config *config,
                                  const clc_evaluation_sets *sets) {
    clc_status status = CLC_OK;
    clc_evaluation e;
    plan p;
    clc_evaluation_make(device, config, sets, NULL, &e);
    CLC_TRY(plan_make(&e, &p));
    for (size_t t = 0; t < CLC_TASK_COUNT; t++)
        if (p.chosen[t] && clc_tasks[t]->request)
            CLC_TRY(clc_tasks[t]->request(device));
    if (p.count && clc_evaluated_possible(&e, CLC_EVALUATED_HISTOGRAM))
        CLC_TRY(clc_embedder_request_histogram(device));
    CLC_TRY(clc_gallery_request(device, config));
fail:
    plan_free(&p);
    clc_evaluation_free(&e);
    return status;
}

/* ---- between epochs ---- */

static clc_status add_figures(clc_evaluated *row, const clc_task *task,
                              clc_evaluation_figures *figures) {
    clc_task_figure found[CLC_TASK_FIGURES];
    json_t *result = json_object();
    const clc_status status = task->run(row, result);
    const size_t n = status == CLC_OK ? task->figures(result, found) : 0;
    for (size_t i = 0; i < n && figures->count < CLC_EVALUATION_FIGURES; i++) {
        figures->keys[figures->count] = found[i].key;
        figures->values[figures->count++] = found[i].value;
    }
    json_decref(result);
    return status;
}

clc_status clc_evaluate_training(clc_device *device, const clc_config *config,
                                 const clc_evaluation_sets *sets,
                                 clc_params *const params[CLC_TOWERS],
                                 clc_evaluation_figures *figures) {
    clc_status status = CLC_OK;
    clc_evaluation e;
    clc_evaluated row = {0};
    plan p;
    figures->count = 0;
    /* A resumed run would lack this evaluation. */
    const bool deferred = clc_signals_defer(true);
    clc_evaluation_make(device, config, sets, NULL, &e);
    CLC_TRY(plan_make(&e, &p));
    CLC_TRY(clc_evaluated_open(&e, CLC_EVALUATED_ENCODER, params, &row));
    for (size_t t = 0; t < CLC_TASK_COUNT; t++)
        if (p.chosen[t] && clc_tasks[t]->figures)
            CLC_TRY(add_figures(&row, clc_tasks[t], figures));
    if (!figures->count)
        status = p.count ? clc_fail(CLC_INVALID,
                                    "evaluation.tasks = %s: none of these is done between epochs: "
                                    "add one such as knn, or set evaluation.every = 0",
                                    config->evaluation.tasks)
                         : nothing_to_do(&p);
fail:
    clc_signals_defer(deferred);
    clc_evaluated_release(&row);
    plan_free(&p);
    clc_evaluation_free(&e);
    return status;
}

/* ---- all rows ---- */

typedef struct session {
    clc_evaluation e;
    plan plan;
    clc_scenes *scenes[CLC_EVALUATION_SCENES];
    clc_params *const *params;
    json_t *rows;
    clc_status failed; /* of the first task that did */
    char why[CLC_TASK_WHY];
    clc_evaluated_kind kind;      /* of the row that is being done */
    size_t done[CLC_TASK_COUNT];  /* rows by each task */
    double spent[CLC_TASK_COUNT]; /* seconds in it */
} session;

static clc_status interrupted(const char *folder) {
    return clc_fail(CLC_INTERRUPTED,
                    "interrupted in the evaluation; what is finished is in '%s', as is the "
                    "encoder: go on with --resume, or clcontrast eval",
                    folder);
}

/* Of a task, or of "features" that could not be had for any. */
static void note_failure(session *s, const char *what, clc_status status, json_t *row) {
    json_t *failed = json_object_get(row, "failed");
    if (!failed) {
        failed = json_object();
        json_object_set_new(row, "failed", failed);
    }
    json_object_set_new(failed, what, json_string(clc_error()));
    clc_live("%s", "");
    if (s->failed == CLC_OK)
        snprintf(s->why, sizeof s->why, "%s of %s: %s", what,
                 json_string_value(json_object_get(row, "features")), clc_error());
    if (s->failed == CLC_OK)
        s->failed = status;
}

/* In how many rows a task is still to come. */
static size_t rows_left(const session *s, size_t task, bool in_this) {
    size_t rows = in_this;
    for (clc_evaluated_kind k = s->kind + 1; k < CLC_EVALUATED_KINDS; k++)
        rows += clc_evaluated_possible(&s->e, k);
    return s->plan.chosen[task] ? rows : 0;
}

/* How far the work is, after a task of a row took so long. A task takes the same for all rows, as
 * far as is known; of one not done yet, what the others took on average. */
static void tell(session *s, size_t task, const char *features, double seconds) {
    char left[32];
    size_t done = 0, unknown = 0, to_come = 0;
    double spent = 0, remaining = 0;
    s->done[task]++;
    s->spent[task] += seconds;
    for (size_t t = 0; t < CLC_TASK_COUNT; t++) {
        const size_t rows = rows_left(s, t, t > task);
        done += s->done[t];
        spent += s->spent[t];
        to_come += rows;
        if (s->done[t])
            remaining += (double)rows * s->spent[t] / (double)s->done[t];
        else
            unknown += rows;
    }
    remaining += (double)unknown * spent / (double)done;
    clc_progress_time(remaining, left, sizeof left);
    clc_log("evaluated %s: %s in %.1f s; %zu of %zu done, %s left", features,
            clc_tasks[task]->label, seconds, done, done + to_come, left);
}

/* One task of one row; what it found is in the files then. */
static clc_status run_task(session *s, size_t number, clc_evaluated *features, json_t *row) {
    const clc_task *task = clc_tasks[number];
    json_t *result = json_object();
    const double start = clc_seconds();
    clc_live("evaluating %s: %s", features->name, task->label);
    const clc_status status = clc_signals_stop() ? CLC_INTERRUPTED : task->run(features, result);
    if (status == CLC_INTERRUPTED) {
        json_decref(result);
        return interrupted(s->e.folder);
    }
    json_object_set_new(row, "seconds", json_real(clc_seconds() - features->started));
    if (status == CLC_OK)
        json_object_set(row, task->name, result);
    else
        note_failure(s, task->name, status, row);
    json_decref(result);
    tell(s, number, features->name, clc_seconds() - start);
    return clc_evaluation_write(s->rows, s->plan.skipped, s->e.folder);
}

static json_t *row_json(const session *s, const clc_evaluated *features) {
    char why[CLC_TASK_WHY];
    json_t *row = json_pack("{s:s,s:f}", "features", features->name, "seconds", 0.0);
    if (features->dim)
        json_object_set_new(row, "dim", json_integer(features->dim));
    if (clc_evaluation_has_classes(&s->e, why, sizeof why))
        json_object_set_new(row, "classes", clc_json_of_names(s->e.class_names));
    if (json_object_size(s->plan.skipped))
        json_object_set(row, "skipped", s->plan.skipped);
    return row;
}

static bool any_fits(const session *s, const clc_evaluated *features) {
    for (size_t t = 0; t < CLC_TASK_COUNT; t++)
        if (s->plan.chosen[t] && (!clc_tasks[t]->fits || clc_tasks[t]->fits(features)))
            return true;
    return false;
}

/* For the report, which is there without them, too. */
static clc_status describe_samples(const session *s, clc_evaluated *features) {
    const clc_status status = clc_gallery_write(features, s->e.folder);
    if (status == CLC_INTERRUPTED)
        return interrupted(s->e.folder);
    if (status != CLC_OK)
        clc_warn("no samples in the report: %s", clc_error());
    return CLC_OK;
}

/* Features that can't be had, such as for lack of memory: the others are evaluated. */
static clc_status give_up_row(session *s, const clc_evaluated *features, clc_status status) {
    if (status == CLC_INTERRUPTED)
        return interrupted(s->e.folder);
    json_t *row = row_json(s, features);
    json_array_append_new(s->rows, row);
    note_failure(s, "features", status, row);
    return clc_evaluation_write(s->rows, s->plan.skipped, s->e.folder);
}

static clc_status run_row(session *s, clc_evaluated_kind kind) {
    clc_status status = CLC_OK;
    clc_evaluated features = {0};
    s->kind = kind;
    if (clc_signals_stop())
        return interrupted(s->e.folder);
    status = clc_evaluated_open(&s->e, kind, s->params, &features);
    if (status != CLC_OK) {
        status = give_up_row(s, &features, status);
        goto fail;
    }
    if (!any_fits(s, &features))
        goto fail;
    json_t *row = row_json(s, &features);
    json_array_append_new(s->rows, row);
    for (size_t t = 0; t < CLC_TASK_COUNT; t++)
        if (s->plan.chosen[t] && (!clc_tasks[t]->fits || clc_tasks[t]->fits(&features)))
            CLC_TRY(run_task(s, t, &features, row));
    if (kind == CLC_EVALUATED_ENCODER && s->e.config->output.report)
        CLC_TRY(describe_samples(s, &features));
fail:
    clc_evaluated_release(&features);
    return status;
}

static clc_status run_rows(session *s) {
    clc_status status = CLC_OK;
    for (clc_evaluated_kind kind = 0; kind < CLC_EVALUATED_KINDS; kind++)
        if (clc_evaluated_possible(&s->e, kind))
            CLC_TRY(run_row(s, kind));
fail:
    clc_live("%s", "");
    return status;
}

static clc_status print(const session *s) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (!file)
        return clc_fail_alloc(1);
    clc_status status = clc_evaluation_print(s->rows, s->plan.skipped, file);
    if (fclose(file) != 0 && status == CLC_OK)
        status = clc_fail_alloc(size);
    if (text)
        clc_log_result(text);
    free(text);
    return status;
}

clc_status clc_evaluate_and_print(clc_device *device, const clc_config *config,
                                  const clc_evaluation_sets *sets,
                                  clc_params *const params[CLC_TOWERS], const char *folder) {
    clc_status status = CLC_OK, printed = CLC_OK;
    session s = {.params = params, .rows = json_array()};
    clc_evaluation_make(device, config, sets, folder, &s.e);
    s.e.scenes = s.scenes;
    CLC_TRY(plan_make(&s.e, &s.plan));
    if (!s.plan.count)
        CLC_TRY(nothing_to_do(&s.plan));
    status = run_rows(&s);
    if (json_array_size(s.rows))
        printed = print(&s);
    status = status == CLC_OK ? printed : status;
    if (status == CLC_OK && s.failed != CLC_OK)
        status = clc_fail(s.failed, "%s", s.why);
fail:
    json_decref(s.rows);
    plan_free(&s.plan);
    clc_evaluation_free(&s.e);
    return status;
}
