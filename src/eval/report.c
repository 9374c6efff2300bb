#include "eval/report.h"

#include "core/file.h"
#include "model/run_folder.h"
#include "report/table.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static clc_status print_classes(const clc_evaluation_row *rows, size_t n, FILE *file) {
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

static clc_status print_matching(const clc_evaluation_row *rows, size_t n, FILE *file) {
    static const char *const headings[] = {"features", "retrieval", "queries", "among",
                                           "R@1",      "R@5",       "R@10",    "median rank"};
    const size_t columns = sizeof headings / sizeof *headings;
    clc_table table;
    clc_table_begin(&table, "ll", columns);
    for (size_t i = 0; i < columns; i++)
        clc_table_cell(&table, "%s", headings[i]);
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 2; k++) {
            const clc_matching *m = &rows[i].matching;
            if (!m->count[0])
                continue;
            clc_table_cell(&table, "%s", rows[i].what);
            clc_table_cell(&table, "%s to %s", m->names[k], m->names[1 - k]);
            clc_table_cell(&table, "%zu", m->score[k].queries);
            clc_table_cell(&table, "%zu", m->count[1 - k]);
            for (int r = 0; r < CLC_RECALLS; r++)
                clc_table_percent(&table, m->score[k].recall[r]);
            clc_table_cell(&table, "%.1f", m->score[k].median_rank);
        }
    return clc_table_print(&table, file);
}

static clc_status print_sts(const clc_evaluation_row *rows, size_t n, FILE *file) {
    static const char *const headings[] = {"features", "pairs", "Spearman", "Pearson"};
    const size_t columns = sizeof headings / sizeof *headings;
    clc_table table;
    clc_table_begin(&table, "l", columns);
    for (size_t i = 0; i < columns; i++)
        clc_table_cell(&table, "%s", headings[i]);
    for (size_t i = 0; i < n; i++) {
        if (!rows[i].sts.pairs)
            continue;
        clc_table_cell(&table, "%s", rows[i].what);
        clc_table_cell(&table, "%zu", rows[i].sts.pairs);
        clc_table_cell(&table, "%.4f", rows[i].sts.spearman);
        clc_table_cell(&table, "%.4f", rows[i].sts.pearson);
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

static clc_status print_confusion(const clc_evaluation_row *row, const clc_names *names,
                                  FILE *file) {
    clc_status status = CLC_OK;
    const char **list = NULL;
    CLC_NEW(list, names->count);
    for (size_t i = 0; i < names->count; i++)
        list[i] = clc_names_at(names, i);
    fprintf(file, "\nconfusion matrix of the %s, linear (rows: true class, columns: predicted)\n",
            row->what);
    CLC_TRY(clc_metrics_print_confusion(
        &row->linear, have_names(names, row->linear.classes) ? list : NULL, file));
fail:
    free(list);
    return status;
}

/* The last row has all that any row has. */
static clc_status print_all(const clc_evaluation_row *rows, size_t n, const clc_names *names,
                            FILE *file) {
    clc_status status = CLC_OK;
    const clc_evaluation_row *last = &rows[n - 1];
    const bool classes = last->linear.classes > 0, matched = last->matching.count[0] > 0;
    if (matched)
        CLC_TRY(print_matching(rows, n, file));
    if (last->sts.pairs) {
        fputs(matched ? "\n" : "", file);
        CLC_TRY(print_sts(rows, n, file));
    }
    if (classes) {
        fputs(matched || last->sts.pairs ? "\n" : "", file);
        CLC_TRY(print_classes(rows, n, file));
        CLC_TRY(print_confusion(last, names, file));
    }
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

/* {"queries": .., "r1": ..} of one direction. */
static json_t *direction_json(const clc_matching *m, int k) {
    const clc_retrieval_score *s = &m->score[k];
    return json_pack("{s:I,s:I,s:f,s:f,s:f,s:f}", "queries", (json_int_t)s->queries, "among",
                     (json_int_t)m->count[1 - k], "recall_at_1", s->recall[0], "recall_at_5",
                     s->recall[1], "recall_at_10", s->recall[2], "median_rank", s->median_rank);
}

static json_t *matching_json(const clc_matching *m) {
    char keys[2][160];
    for (int k = 0; k < 2; k++)
        snprintf(keys[k], sizeof keys[k], "%s_to_%s", m->names[k], m->names[1 - k]);
    return json_pack("{s:o,s:o}", keys[0], direction_json(m, 0), keys[1], direction_json(m, 1));
}

/* JSON has no NaN. */
static json_t *json_of_number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *row_json(const clc_evaluation_row *row, const clc_names *names) {
    json_t *object =
        json_pack("{s:s,s:i,s:f}", "features", row->what, "dim", row->dim, "seconds", row->seconds);
    if (row->knn.classes > 0)
        json_object_update_new(object, json_pack("{s:o,s:o,s:o}", "classes", json_of_names(names),
                                                 "knn", metrics_json(&row->knn), "linear",
                                                 metrics_json(&row->linear)));
    if (row->matching.count[0])
        json_object_set_new(object, "retrieval", matching_json(&row->matching));
    if (row->sts.pairs)
        json_object_set_new(object, "sts",
                            json_pack("{s:I,s:o,s:o}", "pairs", (json_int_t)row->sts.pairs,
                                      "spearman", json_of_number(row->sts.spearman), "pearson",
                                      json_of_number(row->sts.pearson)));
    return object;
}

static clc_status write_json(const clc_evaluation_row *rows, size_t n, const clc_names *names,
                             const char *folder) {
    char path[CLC_PATH_BYTES];
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, row_json(&rows[i], names));
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
