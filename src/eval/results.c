/* Figures of an evaluation, from the file that it left. */
#include "clcontrast/evaluate.h"

#include "core/file.h"
#include "model/run_folder.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { MAX_BYTES = 512 << 20, NAMES_BYTES = 400 };

struct clc_results {
    char *text;
    json_t *rows;
};

clc_status clc_results_open(const char *folder, clc_results **results) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    clc_results *r = NULL;
    void *text = NULL;
    size_t n;
    json_error_t error;
    *results = NULL;
    CLC_TRY(clc_run_path(folder, CLC_RUN_EVALUATION_JSON, path));
    CLC_TRY(clc_file_read_all(path, MAX_BYTES, &text, &n));
    CLC_NEW(r, 1);
    r->text = text;
    text = NULL;
    r->rows = json_loadb(r->text, n, 0, &error);
    if (!json_is_array(r->rows))
        CLC_TRY(clc_fail(CLC_FORMAT, "%s:%d: these are no results of an evaluation: %s", path,
                         error.line, r->rows ? "no list" : error.text));
    *results = r;
    return CLC_OK;
fail:
    free(text);
    clc_results_free(&r);
    return status;
}

const char *clc_results_json(const clc_results *results) {
    return results->text;
}

/* Appends what there is instead. */
static void list_name(char names[NAMES_BYTES], const char *name) {
    const size_t used = strlen(names);
    snprintf(names + used, NAMES_BYTES - used, "%s%s", used ? ", " : "", name);
}

static clc_status find_row(const clc_results *results, const char *features, const json_t **row) {
    char names[NAMES_BYTES] = "";
    size_t i;
    json_t *item;
    json_array_foreach(results->rows, i, item) {
        const char *name = json_string_value(json_object_get(item, "features"));
        *row = item;
        if (name && !strcmp(name, features))
            return CLC_OK;
        list_name(names, name ? name : "?");
    }
    return clc_fail(CLC_INVALID, "'%s': there are no results of such features, but of: %s",
                    features, names);
}

/* Goes down as far as the names lead; *rest is what is left of them. */
static const json_t *follow(const json_t *row, const char *name, const char **rest) {
    char part[128];
    const json_t *at = row, *below;
    while (*name) {
        const size_t n = strcspn(name, ".");
        snprintf(part, sizeof part, "%.*s", (int)n, name);
        below = json_object_get(at, part);
        if (!below)
            break;
        at = below;
        name += n + (name[n] == '.');
    }
    *rest = name;
    return at;
}

clc_status clc_results_value(const clc_results *results, const char *features, const char *name,
                             double *value) {
    clc_status status = CLC_OK;
    char names[NAMES_BYTES] = "";
    const char *rest, *key;
    const json_t *row = NULL;
    json_t *other;
    CLC_TRY(find_row(results, features, &row));
    const json_t *figure = follow(row, name, &rest);
    *value = json_number_value(figure);
    if (!*rest && json_is_number(figure))
        return CLC_OK;
    json_object_foreach((json_t *)figure, key, other) list_name(names, key);
    status = clc_fail(CLC_INVALID, "'%s' is no figure of the evaluation%s%s", name,
                      *names ? "; there are: " : "", names);
fail:
    return status;
}

void clc_results_free(clc_results **results) {
    if (!results || !*results)
        return;
    json_decref((*results)->rows);
    free((*results)->text);
    free(*results);
    *results = NULL;
}
