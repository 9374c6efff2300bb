#include "eval/compare_groups.h"

#include "core/config_schema.h"
#include "core/file.h"
#include "core/log.h"
#include "model/run_folder.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { EVALUATION_BYTES = 256 << 20, NAMED_KEYS = 3 };

/* One folder. */
typedef struct run {
    const char *folder;
    clc_config *config; /* NULL: it has none that can be read */
    json_t *rows;
} run;

/* One row of the comparison. */
typedef struct group {
    char *signature; /* what its runs have in common */
    const run *first;
    json_t *json;
} group;

typedef struct comparison {
    run *runs;
    size_t run_count;
    group *groups;
    size_t count;
} comparison;

static void comparison_free(comparison *c) {
    for (size_t i = 0; i < c->run_count; i++) {
        free(c->runs[i].config);
        json_decref(c->runs[i].rows);
    }
    for (size_t i = 0; i < c->count; i++) {
        free(c->groups[i].signature);
        json_decref(c->groups[i].json);
    }
    free(c->runs);
    free(c->groups);
    *c = (comparison){0};
}

/* ---- reading ---- */

static clc_status read_rows(const char *folder, json_t **rows) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    void *text = NULL;
    size_t size;
    json_error_t error;
    CLC_TRY(clc_run_path(folder, CLC_RUN_EVALUATION_JSON, path));
    status = clc_file_read_all(path, EVALUATION_BYTES, &text, &size);
    if (status != CLC_OK)
        return clc_fail_context(
            status, "compare: '%s' has no evaluation: clcontrast eval makes one", folder);
    *rows = json_loadb(text, size, 0, &error);
    if (!json_is_array(*rows))
        status = clc_fail(CLC_FORMAT, "%s:%d: it is no list of evaluations: %s", path,
                          *rows ? 1 : error.line, *rows ? "another kind of JSON" : error.text);
fail:
    free(text);
    return status;
}

/* A folder without a configuration stands for itself. */
static clc_status read_config(const char *folder, clc_config **config) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    if (!clc_run_has(folder, CLC_RUN_CONFIG))
        return CLC_OK;
    CLC_NEW(*config, 1);
    CLC_TRY(clc_run_path(folder, CLC_RUN_CONFIG, path));
    if (clc_config_load(path, NULL, 0, *config) != CLC_OK) {
        clc_warn("compare: '%s' stands alone: %s", folder, clc_error());
        free(*config);
        *config = NULL;
    }
fail:
    return status;
}

/* ---- what is one row ---- */

/* Whether features of that kind depend on the section. */
static bool depends(const char *features, const char *section) {
    static const char *const raw[] = {"data", "tokens", "series", "evaluation", NULL};
    static const char *const untrained[] = {"data",         "tokens",     "series", "encoder",
                                            "text_encoder", "evaluation", NULL};
    const bool encoder = !strcmp(features, "encoder");
    const char *const *list = strcmp(features, "untrained encoder") ? raw : untrained;
    if (encoder)
        return strcmp(section, "output") && strcmp(section, "device");
    for (; *list; list++)
        if (!strcmp(*list, section))
            return true;
    return false;
}

static bool ends_with(const char *text, const char *end) {
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

/* The value of a key; of weights that a run began with, the number of the run doesn't count. */
static void value_of(const clc_config_key *key, const clc_config *config, char *text, size_t size) {
    size_t kept = 0;
    clc_config_format(key, config, text, size);
    if (strcmp(key->name, "weights") && strcmp(key->name, "from"))
        return;
    for (const char *c = text; *c; c++)
        if (!isdigit((unsigned char)*c))
            text[kept++] = *c;
    text[kept] = '\0';
}

static bool counts(const clc_config_key *key, const char *features) {
    return depends(features, key->section) && !ends_with(key->name, "seed");
}

static clc_status signature_of(const run *r, const char *features, char **signature) {
    size_t size;
    FILE *file = open_memstream(signature, &size);
    if (!file)
        return clc_fail_alloc(4096);
    fprintf(file, "%s\n", features);
    if (!r->config)
        fprintf(file, "%s\n", r->folder);
    for (const clc_config_key *key = clc_config_keys; r->config && key->name; key++)
        if (counts(key, features)) {
            char text[CLC_CONFIG_TEXT_BYTES];
            value_of(key, r->config, text, sizeof text);
            fprintf(file, "%s.%s=%s\n", key->section, key->name, text);
        }
    return fclose(file) ? clc_fail_alloc(4096) : CLC_OK;
}

static clc_status find_group(comparison *c, const run *r, const char *features, group **found) {
    clc_status status = CLC_OK;
    char *signature = NULL;
    CLC_TRY(signature_of(r, features, &signature));
    for (size_t i = 0; i < c->count; i++)
        if (!strcmp(c->groups[i].signature, signature)) {
            *found = &c->groups[i];
            free(signature);
            return CLC_OK;
        }
    group *more = realloc(c->groups, (c->count + 1) * sizeof *more);
    if (!more)
        CLC_TRY(clc_fail_alloc((c->count + 1) * sizeof *more));
    c->groups = more;
    *found = &more[c->count++];
    **found = (group){signature, r,
                      json_pack("{s:s,s:s,s:[],s:{}}", "name", features, "features", features,
                                "runs", "figures")};
    return CLC_OK;
fail:
    free(signature);
    return status;
}

/* ---- figures ---- */

static void add_value(json_t *figures, const char *name, double value) {
    json_t *figure = json_object_get(figures, name);
    if (!figure) {
        figure = json_pack("{s:[]}", "values");
        json_object_set_new(figures, name, figure);
    }
    json_array_append_new(json_object_get(figure, "values"), json_real(value));
}

/* Numbers of an object, and of objects in it. */
static void add_figures(json_t *figures, const char *prefix, json_t *object) {
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        char name[256];
        snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", key);
        if (json_is_number(value))
            add_value(figures, name, json_number_value(value));
        else if (json_is_object(value) && strcmp(key, "failed") && strcmp(key, "skipped"))
            add_figures(figures, name, value);
    }
}

static clc_status add_run(comparison *c, const run *r) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < json_array_size(r->rows); i++) {
        json_t *row = json_array_get(r->rows, i);
        const char *features = json_string_value(json_object_get(row, "features"));
        group *g;
        if (!features)
            return clc_fail(CLC_FORMAT, "compare: row %zu of the evaluation in '%s' has no name", i,
                            r->folder);
        CLC_TRY(find_group(c, r, features, &g));
        json_array_append_new(json_object_get(g->json, "runs"), json_string(r->folder));
        add_figures(json_object_get(g->json, "figures"), "", row);
    }
fail:
    return status;
}

static void summarise(json_t *figure) {
    const json_t *values = json_object_get(figure, "values");
    const size_t n = json_array_size(values);
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        mean += json_real_value(json_array_get(values, i)) / (double)n;
    for (size_t i = 0; i < n; i++) {
        const double d = json_real_value(json_array_get(values, i)) - mean;
        squares += d * d;
    }
    json_object_set_new(figure, "mean", json_real(mean));
    if (n > 1)
        json_object_set_new(figure, "deviation", json_real(sqrt(squares / (double)(n - 1))));
}

/* ---- names ---- */

static const char *method_of(const group *g) {
    const clc_config *config = g->first->config;
    if (!config)
        return g->first->folder;
    const char *method = clc_config_choice(config, "method", "name");
    if (*config->finetune.teacher)
        return "distilled";
    return *config->encoder.weights && !strcmp(method, "supervised") ? "fine-tuned" : method;
}

static bool is_encoder(const group *g) {
    return !strcmp(json_string_value(json_object_get(g->json, "features")), "encoder");
}

/* Whether another group with the same features (of encoders: and method) has another value. */
static bool distinguishes(const comparison *c, const group *g, const clc_config_key *key) {
    char own[CLC_CONFIG_TEXT_BYTES], others[CLC_CONFIG_TEXT_BYTES];
    const char *features = json_string_value(json_object_get(g->json, "features"));
    if (!g->first->config || !counts(key, features))
        return false;
    value_of(key, g->first->config, own, sizeof own);
    for (size_t i = 0; i < c->count; i++) {
        const group *o = &c->groups[i];
        if (o == g || !o->first->config || strcmp(method_of(o), method_of(g)) ||
            strcmp(features, json_string_value(json_object_get(o->json, "features"))))
            continue;
        value_of(key, o->first->config, others, sizeof others);
        if (strcmp(own, others))
            return true;
    }
    return false;
}

/* Whether another section has a key of that name, too. */
static bool is_ambiguous(const clc_config_key *key) {
    for (const clc_config_key *other = clc_config_keys; other->name; other++)
        if (other != key && !strcmp(other->name, key->name))
            return true;
    return false;
}

/* A method, and in what it differs from rows of the same method. */
static void name_group(const comparison *c, group *g) {
    char name[1024];
    const char *features = json_string_value(json_object_get(g->json, "features"));
    size_t used =
        (size_t)snprintf(name, sizeof name, "%s", is_encoder(g) ? method_of(g) : features);
    int told = 0;
    for (const clc_config_key *key = clc_config_keys; key->name && used < sizeof name; key++) {
        char value[CLC_CONFIG_TEXT_BYTES];
        if (told == NAMED_KEYS || !distinguishes(c, g, key))
            continue;
        clc_config_format(key, g->first->config, value, sizeof value);
        const bool ambiguous = is_ambiguous(key);
        used +=
            (size_t)snprintf(name + used, sizeof name - used, "%s%s%s%s=%s", told++ ? ", " : " ",
                             ambiguous ? key->section : "", ambiguous ? "." : "", key->name, value);
    }
    json_object_set_new(g->json, "name", json_string(name));
}

clc_status clc_compare_groups(const char *const *folders, size_t n, json_t **groups) {
    clc_status status = CLC_OK;
    comparison c = {.run_count = n};
    CLC_NEW(c.runs, n);
    for (size_t i = 0; i < n; i++) {
        c.runs[i].folder = folders[i];
        CLC_TRY(read_rows(folders[i], &c.runs[i].rows));
        CLC_TRY(read_config(folders[i], &c.runs[i].config));
        CLC_TRY(add_run(&c, &c.runs[i]));
    }
    *groups = json_array();
    for (size_t i = 0; i < c.count; i++) {
        const char *key;
        json_t *figure;
        json_object_foreach(json_object_get(c.groups[i].json, "figures"), key, figure)
            summarise(figure);
        name_group(&c, &c.groups[i]);
        json_array_append(*groups, c.groups[i].json);
    }
fail:
    comparison_free(&c);
    return status;
}
