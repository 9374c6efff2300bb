#include "train/sweep.h"

#include "core/config_schema.h"
#include "core/file.h"
#include "core/log.h"
#include "core/signals.h"
#include "core/text.h"
#include "data/source.h"
#include "method/setup.h"
#include "model/run_folder.h"
#include "report/table.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_AXES = 8, MOST_VALUES = 32, MOST_OVERRIDES = 72, TEXT = 256, MOST_RUNS = 4096 };

/* One key with several values. */
typedef struct axis {
    char key[TEXT];
    char values[MOST_VALUES][TEXT];
    size_t count;
} axis;

/* What a run gave; NaN where nothing was measured. */
typedef struct outcome {
    double loss, knn, linear;
    bool done;
} outcome;

typedef struct sweep {
    const clc_train_options *options;
    axis axes[MOST_AXES];
    size_t axis_count;
    const char *fixed[MOST_OVERRIDES]; /* overrides with one value */
    size_t fixed_count;
    size_t runs;
    outcome *outcomes;
    clc_config base; /* without the axes: where the folder is */
} sweep;

/* ---- which runs ---- */

/* Splits the override into key and alternatives; false if it has one value only. */
static clc_status split(const char *override, axis *a, bool *several) {
    const char *equals = strchr(override, '='), *dot = strchr(override, '.');
    const clc_config_key *key;
    char section[TEXT];
    *several = false;
    a->count = 0;
    if (!equals || !dot || dot > equals || equals - override >= TEXT)
        return CLC_OK; /* the configuration refuses it */
    snprintf(a->key, sizeof a->key, "%.*s", (int)(equals - override), override);
    snprintf(section, sizeof section, "%.*s", (int)(dot - override), override);
    clc_status status = clc_config_find_key(section, a->key + (dot - override) + 1, &key);
    if (status != CLC_OK)
        return status;
    const bool list = key->type == CLC_CONFIG_INTS || key->type == CLC_CONFIG_FLOATS;
    const char *separator = list ? ";" : ",";
    *several = key->type != CLC_CONFIG_TEXT && strpbrk(equals + 1, separator) != NULL;
    for (const char *at = equals + 1; *several;) {
        while (isspace((unsigned char)*at))
            at++;
        const size_t length = strcspn(at, separator);
        if (a->count == MOST_VALUES || length >= TEXT)
            return clc_fail(CLC_INVALID, "--set %s: more than %d values, or too long ones",
                            override, MOST_VALUES);
        snprintf(a->values[a->count++], TEXT, "%.*s", (int)length, at);
        if (!at[length])
            break;
        at += length + 1;
    }
    return CLC_OK;
}

static clc_status read_axes(sweep *s) {
    clc_status status = CLC_OK;
    /* Baselines don't depend on what is swept; an override may still ask for them. */
    s->fixed[s->fixed_count++] = "evaluation.baselines=false";
    s->runs = 1;
    for (size_t i = 0; i < s->options->override_count; i++) {
        bool several;
        if (s->axis_count == MOST_AXES)
            return clc_fail(CLC_INVALID, "sweep: more than %d keys with several values",
                            MOST_AXES - 1);
        CLC_TRY(split(s->options->overrides[i], &s->axes[s->axis_count], &several));
        if (several)
            s->runs *= s->axes[s->axis_count++].count;
        else
            s->fixed[s->fixed_count++] = s->options->overrides[i];
        if (s->runs > MOST_RUNS)
            return clc_fail(CLC_INVALID, "sweep: more than %d runs", MOST_RUNS);
    }
    if (s->axis_count == 0)
        return clc_fail(CLC_INVALID,
                        "sweep: no key has several values; say --set loss.temperature=0.1,0.2,0.5 "
                        "(of a list: --set projector.hidden=\"512;512,512\")");
    CLC_TRY(clc_config_load(s->options->config, s->fixed, s->fixed_count, &s->base));
    CLC_NEW(s->outcomes, s->runs);
fail:
    return status;
}

/* The value of axis `a` in run `run`: the last axis changes fastest. */
static const char *value_of(const sweep *s, size_t run, size_t a) {
    for (size_t i = s->axis_count; i-- > a + 1;)
        run /= s->axes[i].count;
    return s->axes[a].values[run % s->axes[a].count];
}

/* One run: its folder and its overrides. */
typedef struct run_plan {
    char folder[CLC_PATH_BYTES];
    char text[MOST_AXES + 1][CLC_PATH_BYTES + 32];
    const char *overrides[MOST_OVERRIDES + MOST_AXES + 1];
    size_t count;
} run_plan;

/* Such as "loss.temperature=0.1 projector.enabled=false". */
static void name_run(const sweep *s, size_t run, char *name, size_t size) {
    size_t used = 0;
    name[0] = '\0';
    for (size_t a = 0; a < s->axis_count && used < size; a++)
        used += (size_t)snprintf(name + used, size - used, "%s%s=%s", a ? " " : "", s->axes[a].key,
                                 value_of(s, run, a));
}

static clc_status plan_run(const sweep *s, size_t run, run_plan *plan) {
    clc_status status = CLC_OK;
    char name[512];
    name_run(s, run, name, sizeof name);
    for (char *c = name; *c; c++)
        *c = *c == '/' ? '_' : *c == ' ' ? '+' : *c;
    CLC_TRY(clc_run_path(s->base.output.folder, name, plan->folder));
    memcpy(plan->overrides, s->fixed, s->fixed_count * sizeof *s->fixed);
    plan->count = s->fixed_count;
    for (size_t a = 0; a < s->axis_count; a++) {
        snprintf(plan->text[a], sizeof plan->text[a], "%s=%s", s->axes[a].key, value_of(s, run, a));
        plan->overrides[plan->count++] = plan->text[a];
    }
    CLC_TRY(clc_text_format(plan->text[s->axis_count], sizeof plan->text[0], "output.folder=%s",
                            plan->folder));
    plan->overrides[plan->count++] = plan->text[s->axis_count];
fail:
    return status;
}

/* ---- what they gave ---- */

/* Whether the folder's run has the configuration that this one would have. */
static clc_status check_same(const sweep *s, const run_plan *plan) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES], *text = NULL;
    void *there = NULL;
    size_t size = 0, there_size = 0;
    clc_config config, settled;
    CLC_TRY(clc_config_load(s->options->config, plan->overrides, plan->count, &config));
    CLC_TRY(clc_run_path(plan->folder, CLC_RUN_CONFIG, path));
    CLC_TRY(clc_config_load(path, NULL, 0, &settled));
    clc_config_adopt(&config, &settled);
    CLC_TRY(clc_config_text(&config, &text, &size));
    CLC_TRY(clc_file_read_all(path, (size_t)1 << 20, &there, &there_size));
    if (size != there_size || memcmp(text, there, size))
        status =
            clc_fail(CLC_INVALID,
                     "'%s' holds a run with another configuration; use --overwrite to lose it, or "
                     "--set output.folder=... for another place",
                     plan->folder);
fail:
    free(text);
    free(there);
    return status;
}

/* The last row's loss. */
static double last_loss(const char *folder) {
    char path[CLC_PATH_BYTES], line[512];
    double loss = NAN, value;
    FILE *file =
        clc_run_path(folder, CLC_RUN_METRICS_CSV, path) == CLC_OK ? fopen(path, "r") : NULL;
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "%*[^,],%*[^,],%lf", &value) == 1)
            loss = value;
    if (file)
        fclose(file);
    return loss;
}

static double accuracy_of(const json_t *row, const char *classifier) {
    const json_t *value = json_object_get(json_object_get(row, classifier), "accuracy");
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void read_outcome(const char *folder, outcome *o) {
    char path[CLC_PATH_BYTES];
    json_t *rows = clc_run_path(folder, CLC_RUN_EVALUATION_JSON, path) == CLC_OK
                       ? json_load_file(path, 0, NULL)
                       : NULL;
    const json_t *encoder = rows ? json_array_get(rows, json_array_size(rows) - 1) : NULL;
    *o = (outcome){last_loss(folder), accuracy_of(encoder, "knn"), accuracy_of(encoder, "linear"),
                   true};
    json_decref(rows);
}

static clc_status run_one(sweep *s, size_t run) {
    clc_status status = CLC_OK;
    run_plan plan;
    char name[512];
    CLC_TRY(plan_run(s, run, &plan));
    name_run(s, run, name, sizeof name);
    clc_train_options options = *s->options;
    options.overrides = plan.overrides;
    options.override_count = plan.count;
    clc_log("run %zu of %zu: %s", run + 1, s->runs, name);
    if (clc_run_has(plan.folder, CLC_RUN_CONFIG) && !options.overwrite) {
        CLC_TRY(check_same(s, &plan));
        options.resume = clc_checkpoint_step(plan.folder, -1) >= 0;
    }
    const bool test = clc_source_configured(&s->base.data, CLC_SPLIT_TEST);
    const char *last = test ? CLC_RUN_EVALUATION_JSON : CLC_RUN_ENCODER;
    if (options.overwrite || !clc_run_has(plan.folder, last))
        CLC_TRY(clc_train(&options));
    else
        clc_log("  it is there: %s", plan.folder);
    read_outcome(plan.folder, &s->outcomes[run]);
fail:
    return status;
}

/* ---- the table ---- */

static void add_share(clc_table *table, double share) {
    if (isnan(share))
        clc_table_cell(table, "-");
    else
        clc_table_percent(table, share);
}

static clc_status print_table(const sweep *s, FILE *file) {
    clc_table table;
    clc_table_begin(&table, "llllllll", s->axis_count + 3);
    for (size_t a = 0; a < s->axis_count; a++)
        clc_table_cell(&table, "%s", s->axes[a].key);
    clc_table_cell(&table, "kNN %%");
    clc_table_cell(&table, "linear %%");
    clc_table_cell(&table, "last loss");
    for (size_t run = 0; run < s->runs; run++) {
        const outcome *o = &s->outcomes[run];
        if (!o->done)
            continue;
        for (size_t a = 0; a < s->axis_count; a++)
            clc_table_cell(&table, "%s", value_of(s, run, a));
        add_share(&table, o->knn);
        add_share(&table, o->linear);
        clc_table_cell(&table, "%.4f", o->loss);
    }
    return clc_table_print(&table, file);
}

static clc_status write_csv(const sweep *s) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    clc_file_writer *writer = NULL;
    CLC_TRY(clc_run_path(s->base.output.folder, "sweep.csv", path));
    CLC_TRY(clc_file_writer_open(path, &writer));
    for (size_t a = 0; a < s->axis_count; a++)
        CLC_TRY(clc_file_writer_print(writer, "%s,", s->axes[a].key));
    CLC_TRY(clc_file_writer_print(writer, "knn_accuracy,linear_accuracy,last_loss\n"));
    for (size_t run = 0; run < s->runs; run++) {
        const outcome *o = &s->outcomes[run];
        if (!o->done)
            continue;
        for (size_t a = 0; a < s->axis_count; a++) {
            const char *value = value_of(s, run, a);
            const char *quote = strchr(value, ',') ? "\"" : "";
            CLC_TRY(clc_file_writer_print(writer, "%s%s%s,", quote, value, quote));
        }
        CLC_TRY(clc_file_writer_print(writer, "%.6f,%.6f,%.9g\n", o->knn, o->linear, o->loss));
    }
    CLC_TRY(clc_file_writer_commit(&writer));
fail:
    clc_file_writer_abort(&writer);
    return status;
}

/* Writes both files; after the last run prints, too. */
static clc_status report(const sweep *s, bool last) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES], *text = NULL;
    size_t size = 0;
    CLC_TRY(write_csv(s));
    CLC_TRY(clc_run_path(s->base.output.folder, "sweep.txt", path));
    FILE *file = open_memstream(&text, &size);
    if (!file)
        return clc_fail_alloc(4096);
    status = print_table(s, file);
    fclose(file);
    if (status == CLC_OK)
        status = clc_file_write_all(path, text, size);
    if (status == CLC_OK && last)
        printf("\n%s", text);
fail:
    free(text);
    return status;
}

clc_status clc_sweep(const clc_train_options *options) {
    clc_status status = CLC_OK;
    sweep *s = NULL;
    clc_signals_install();
    CLC_NEW(s, 1);
    s->options = options;
    CLC_TRY(read_axes(s));
    clc_log("sweep: %zu runs in %s", s->runs, s->base.output.folder);
    CLC_TRY(clc_make_folders(s->base.output.folder));
    for (size_t run = 0; run < s->runs; run++) {
        CLC_TRY(run_one(s, run));
        CLC_TRY(report(s, run + 1 == s->runs));
        if (clc_signals_stop() && run + 1 < s->runs) {
            status = clc_fail(CLC_INTERRUPTED,
                              "interrupted after run %zu of %zu; the same command goes on", run + 1,
                              s->runs);
            break;
        }
    }
fail:
    clc_signals_restore();
    if (s)
        free(s->outcomes);
    free(s);
    return status;
}
