#include "eval/report.h"

#include "core/file.h"
#include "model/run_folder.h"
#include "report/table.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static clc_status print_table(const clc_evaluation_row *rows, size_t n, FILE *file) {
    static const char *const headings[] = {"features",  "dim",    "classifier", "accuracy",
                                           "precision", "recall", "F1",         "seconds"};
    const size_t columns = sizeof headings / sizeof *headings;
    clc_table table;
    clc_table_begin(&table, "lrlrrrrr", columns);
    for (size_t i = 0; i < columns; i++)
        clc_table_cell(&table, "%s", headings[i]);
    for (size_t i = 0; i < n; i++) {
        const clc_metrics *const metrics[2] = {&rows[i].knn, &rows[i].linear};
        for (int k = 0; k < 2; k++) {
            clc_table_cell(&table, "%s", rows[i].what);
            clc_table_cell(&table, "%d", rows[i].dim);
            clc_table_cell(&table, "%s", k ? "linear" : "kNN");
            clc_table_percent(&table, metrics[k]->accuracy);
            clc_table_percent(&table, metrics[k]->precision);
            clc_table_percent(&table, metrics[k]->recall);
            clc_table_percent(&table, metrics[k]->f1);
            if (k)
                clc_table_cell(&table, "%s", "");
            else
                clc_table_cell(&table, "%.1f", rows[i].seconds);
        }
    }
    return clc_table_print(&table, file);
}

/* Whether the names say more than the numbers do. */
static bool have_names(const clc_names *names, int classes) {
    for (size_t i = 0; names->count >= (size_t)classes && i < names->count; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        if (strcmp(clc_names_at(names, i), number))
            return true;
    }
    return false;
}

static clc_status print_all(const clc_evaluation_row *rows, size_t n, const clc_names *names,
                            FILE *file) {
    clc_status status = CLC_OK;
    const char **list = NULL;
    CLC_NEW(list, names->count);
    for (size_t i = 0; i < names->count; i++)
        list[i] = clc_names_at(names, i);
    CLC_TRY(print_table(rows, n, file));
    fprintf(file, "\nconfusion matrix of the %s, linear (rows: true class, columns: predicted)\n",
            rows[n - 1].what);
    CLC_TRY(clc_metrics_print_confusion(
        &rows[n - 1].linear, have_names(names, rows[n - 1].linear.classes) ? list : NULL, file));
fail:
    free(list);
    return status;
}

static json_t *metrics_json(const clc_metrics *m) {
    json_t *confusion = json_array();
    for (int i = 0; i < m->classes; i++) {
        json_t *row = json_array();
        for (int j = 0; j < m->classes; j++)
            json_array_append_new(row, json_integer(m->confusion[i * m->classes + j]));
        json_array_append_new(confusion, row);
    }
    return json_pack("{s:f,s:f,s:f,s:f,s:o}", "accuracy", m->accuracy, "precision", m->precision,
                     "recall", m->recall, "f1", m->f1, "confusion", confusion);
}

/* Names are bytes, JSON's strings UTF-8: other bytes are written as \xNN. */
static json_t *json_of_name(const char *name) {
    char text[1024];
    size_t used = 0;
    json_t *string = json_string(name);
    for (; !string && *name && used + 5 < sizeof text; name++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used,
                             (unsigned char)*name < 128 ? "%c" : "\\x%02x", (unsigned char)*name);
    return string ? string : json_string(text);
}

static json_t *json_of_names(const clc_names *names) {
    json_t *list = json_array();
    for (size_t i = 0; i < names->count; i++)
        json_array_append_new(list, json_of_name(clc_names_at(names, i)));
    return list;
}

static clc_status write_json(const clc_evaluation_row *rows, size_t n, const clc_names *names,
                             const char *folder) {
    char path[CLC_PATH_BYTES];
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list,
                              json_pack("{s:s,s:i,s:f,s:o,s:o,s:o}", "features", rows[i].what,
                                        "dim", rows[i].dim, "seconds", rows[i].seconds, "classes",
                                        json_of_names(names), "knn", metrics_json(&rows[i].knn),
                                        "linear", metrics_json(&rows[i].linear)));
    char *text = json_dumps(list, JSON_INDENT(2));
    json_decref(list);
    if (!text)
        return clc_fail_alloc(4096);
    clc_status status = clc_run_path(folder, CLC_RUN_EVALUATION_JSON, path);
    if (status == CLC_OK)
        status = clc_file_write_all(path, text, strlen(text));
    free(text);
    return status;
}

clc_status clc_evaluation_report(const clc_evaluation_row *rows, size_t n, const clc_names *names,
                                 const char *folder) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (!file)
        return clc_fail_alloc(4096);
    status = print_all(rows, n, names, file);
    fclose(file);
    if (status != CLC_OK)
        goto fail;
    fputs(text, stdout);
    CLC_TRY(clc_run_path(folder, CLC_RUN_EVALUATION_TEXT, path));
    CLC_TRY(clc_file_write_all(path, text, size));
    CLC_TRY(write_json(rows, n, names, folder));
fail:
    free(text);
    return status;
}
