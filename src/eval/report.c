#include "eval/report.h"

#include "core/file.h"
#include "eval/task.h"
#include "model/run_folder.h"
#include "report/table.h"

#include <math.h>
#include <string.h>

/* Where a line of a table comes from. */
typedef struct line {
    const json_t *rows, *row, *figures;
    const clc_task *task;
    const char *name; /* of results that are several lines; else "" */
    bool first_of_row;
} line;

/* Whether an object of figures, or one in it, has the key. */
static bool has_key(json_t *result, const char *key) {
    const char *name;
    json_t *figures;
    bool found = json_object_get(result, key) != NULL;
    json_object_foreach(result, name, figures) found |= json_object_get(figures, key) != NULL;
    return found;
}

/* A column without a figure in any row is left out, such as the top 5 of 5 classes. */
static bool shown(const json_t *rows, const clc_task_column *column,
                  const clc_task_column *columns) {
    bool found = !*column->key;
    for (size_t i = 0; i < json_array_size(rows) && !found; i++)
        for (size_t t = 0; t < CLC_TASK_COUNT; t++)
            found |=
                clc_tasks[t]->columns == columns &&
                has_key(json_object_get(json_array_get(rows, i), clc_tasks[t]->name), column->key);
    return found;
}

static void add_figure(clc_table *table, clc_cell cell, const json_t *value) {
    if (json_is_null(value))
        clc_table_cell(table, "-");
    else if (json_is_string(value))
        clc_table_cell(table, "%s", json_string_value(value));
    else if (!json_is_number(value))
        clc_table_cell(table, "%s", "");
    else if (cell == CLC_CELL_PERCENT)
        clc_table_percent(table, json_number_value(value));
    else
        clc_table_cell(table, "%.*f",
                       cell == CLC_CELL_COUNT   ? 0
                       : cell == CLC_CELL_TENTH ? 1
                                                : 4,
                       json_number_value(value));
}

static void add_cell(clc_table *table, const clc_task_column *column, const line *l) {
    char name[160];
    size_t i = 0;
    switch (column->cell) {
    case CLC_CELL_DIM:
        add_figure(table, CLC_CELL_COUNT, json_object_get(l->row, "dim"));
        return;
    case CLC_CELL_SECONDS:
        add_figure(table, CLC_CELL_TENTH,
                   l->first_of_row ? json_object_get(l->row, "seconds") : NULL);
        return;
    case CLC_CELL_TASK:
        clc_table_cell(table, "%s", l->task->label);
        return;
    case CLC_CELL_LINE:
        for (; l->name[i] && i + 1 < sizeof name; i++)
            name[i] = l->name[i] == '_' ? ' ' : l->name[i];
        name[i] = '\0';
        clc_table_cell(table, "%s", name);
        return;
    default:
        add_figure(table, column->cell, json_object_get(l->figures, column->key));
    }
}

static void add_line(clc_table *table, const line *l) {
    clc_table_cell(table, "%s", json_string_value(json_object_get(l->row, "features")));
    for (const clc_task_column *c = l->task->columns; c->key; c++)
        if (shown(l->rows, c, l->task->columns))
            add_cell(table, c, l);
}

/* Whether each object in a result is a line. */
static bool in_lines(const clc_task *task) {
    for (const clc_task_column *c = task->columns; c->key; c++)
        if (c->cell == CLC_CELL_LINE)
            return true;
    return false;
}

/* Lines of one task's result; *first: none of this row was added before. */
static void add_result(clc_table *table, const json_t *rows, json_t *row, const clc_task *task,
                       bool *first) {
    json_t *result = json_object_get(row, task->name), *figures;
    const char *name;
    line l = {.rows = rows,
              .row = row,
              .figures = result,
              .task = task,
              .name = "",
              .first_of_row = *first};
    if (!result)
        return;
    *first = false;
    if (!in_lines(task)) {
        add_line(table, &l);
        return;
    }
    json_object_foreach(result, name, figures) {
        l.name = name;
        l.figures = figures;
        if (json_is_object(figures))
            add_line(table, &l);
        l.first_of_row = false;
    }
}

static size_t begin_table(clc_table *table, const json_t *rows, const clc_task_column *columns) {
    static const char left[] = {CLC_CELL_WORD, CLC_CELL_TASK, CLC_CELL_LINE, 0};
    char align[sizeof table->align] = "l";
    size_t count = 1;
    for (const clc_task_column *c = columns; c->key; c++)
        if (shown(rows, c, columns)) {
            if (count + 1 < sizeof align)
                align[count] = strchr(left, (int)c->cell) ? 'l' : 'r';
            count++;
        }
    clc_table_begin(table, align, count);
    clc_table_cell(table, "features");
    for (const clc_task_column *c = columns; c->key; c++)
        if (shown(rows, c, columns))
            clc_table_cell(table, "%s", c->heading);
    return count;
}

/* The table of neighbours [task, end) in the registry; nothing where none has a result. */
static clc_status print_table(const json_t *rows, size_t task, size_t end, bool *printed,
                              FILE *file) {
    clc_table table;
    const size_t headings = begin_table(&table, rows, clc_tasks[task]->columns);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        bool first = true;
        for (size_t t = task; t < end; t++)
            add_result(&table, rows, json_array_get(rows, i), clc_tasks[t], &first);
    }
    if (table.status == CLC_OK && table.count == headings) {
        clc_table_free(&table);
        return CLC_OK;
    }
    fputs(*printed ? "\n" : "", file);
    *printed = true;
    return clc_table_print(&table, file);
}

static clc_status print_tables(const json_t *rows, FILE *file) {
    clc_status status = CLC_OK;
    bool printed = false;
    for (size_t t = 0, end; t < CLC_TASK_COUNT && status == CLC_OK; t = end) {
        for (end = t + 1; end < CLC_TASK_COUNT && clc_tasks[end]->columns == clc_tasks[t]->columns;)
            end++;
        status = print_table(rows, t, end, &printed, file);
    }
    return status;
}

static void print_skipped(const json_t *rows, const json_t *skipped, FILE *file) {
    const char *task;
    json_t *why;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        json_object_foreach(json_object_get(row, "failed"), task, why)
            fprintf(file, "\n%s of %s failed: %s\n", task,
                    json_string_value(json_object_get(row, "features")), json_string_value(why));
    }
    json_object_foreach((json_t *)skipped, task, why)
        fprintf(file, "\n%s was skipped: %s\n", task, json_string_value(why));
}

clc_status clc_evaluation_print(const json_t *rows, const json_t *skipped, FILE *file) {
    clc_status status = CLC_OK;
    const size_t n = json_array_size(rows);
    const json_t *last = n ? json_array_get(rows, n - 1) : NULL;
    CLC_TRY(print_tables(rows, file));
    for (size_t t = 0; t < CLC_TASK_COUNT; t++)
        if (clc_tasks[t]->more && json_object_get(last, clc_tasks[t]->name))
            CLC_TRY(clc_tasks[t]->more(last, file));
    print_skipped(rows, skipped, file);
fail:
    return status;
}

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

json_t *clc_json_of_names(const clc_names *names) {
    json_t *list = json_array();
    for (size_t i = 0; i < names->count; i++)
        json_array_append_new(list, json_of_name(clc_names_at(names, i)));
    return list;
}

static clc_status write_text(const char *folder, const char *name, const char *text, size_t size) {
    char path[CLC_PATH_BYTES];
    const clc_status status = clc_run_path(folder, name, path);
    return status == CLC_OK ? clc_file_write_all(path, text, size) : status;
}

clc_status clc_evaluation_write(const json_t *rows, const json_t *skipped, const char *folder) {
    clc_status status = CLC_OK;
    char *text = NULL, *json = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (!file)
        return clc_fail_alloc(4096);
    status = clc_evaluation_print(rows, skipped, file);
    fclose(file);
    if (status != CLC_OK)
        goto fail;
    CLC_TRY(write_text(folder, CLC_RUN_EVALUATION_TEXT, text, size));
    json = json_dumps(rows, JSON_INDENT(2));
    status = json ? write_text(folder, CLC_RUN_EVALUATION_JSON, json, strlen(json))
                  : clc_fail_alloc(4096);
fail:
    free(text);
    free(json);
    return status;
}
