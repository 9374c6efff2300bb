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

static clc_status print_all(const clc_evaluation_row *rows, size_t n, FILE *file) {
    clc_status status = CLC_OK;
    CLC_TRY(print_table(rows, n, file));
    fprintf(file, "\nconfusion matrix of the %s, linear (rows: true class, columns: predicted)\n",
            rows[n - 1].what);
    CLC_TRY(clc_metrics_print_confusion(&rows[n - 1].linear, NULL, file));
fail:
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

static clc_status write_json(const clc_evaluation_row *rows, size_t n, const char *folder) {
    char path[CLC_PATH_BYTES];
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s,s:i,s:f,s:o,s:o}", "features", rows[i].what,
                                              "dim", rows[i].dim, "seconds", rows[i].seconds, "knn",
                                              metrics_json(&rows[i].knn), "linear",
                                              metrics_json(&rows[i].linear)));
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

clc_status clc_evaluation_report(const clc_evaluation_row *rows, size_t n, const char *folder) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (!file)
        return clc_fail_alloc(4096);
    status = print_all(rows, n, file);
    fclose(file);
    if (status != CLC_OK)
        goto fail;
    fputs(text, stdout);
    CLC_TRY(clc_run_path(folder, CLC_RUN_EVALUATION_TEXT, path));
    CLC_TRY(clc_file_write_all(path, text, size));
    CLC_TRY(write_json(rows, n, folder));
fail:
    free(text);
    return status;
}
