#include "eval/compare.h"

#include "core/file.h"
#include "core/log.h"
#include "core/path.h"
#include "eval/compare_groups.h"
#include "eval/task.h"
#include "model/run_folder.h"
#include "report/page.h"
#include "report/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Columns of the text; all figures are in the other files. */
enum { MOST_COLUMNS = 24, MOST_LINES = 4 };

typedef struct column {
    char figure[200], heading[200];
    clc_cell cell;
} column;

typedef struct columns {
    column list[MOST_COLUMNS];
    size_t count;
} columns;

static json_t *figure_of(const json_t *group, const char *name) {
    return json_object_get(json_object_get(group, "figures"), name);
}

static const char *name_of(const json_t *group) {
    return json_string_value(json_object_get(group, "name"));
}

static double mean_of(const json_t *figure) {
    return clc_json_figure(figure, "mean");
}

/* NaN: of one run only. */
static double deviation_of(const json_t *figure) {
    return clc_json_figure(figure, "deviation");
}

/* ---- which figures ---- */

static void add_column(columns *c, const char *figure, const char *of,
                       const clc_task_column *from) {
    if (c->count == MOST_COLUMNS)
        return;
    column *last = &c->list[c->count];
    for (size_t i = 0; i < c->count; i++)
        if (!strcmp(c->list[i].figure, figure))
            return;
    snprintf(last->figure, sizeof last->figure, "%s", figure);
    snprintf(last->heading, sizeof last->heading, "%s %s", of, from->heading);
    for (char *at = last->heading; *at; at++)
        *at = *at == '_' ? ' ' : *at;
    last->cell = from->cell;
    c->count++;
}

/* The lines of a task of which there is that figure: "<task>.<line>.<key>". */
static void add_lines(columns *c, json_t *groups, const clc_task *task,
                      const clc_task_column *from) {
    const size_t prefix = strlen(task->name), before = c->count;
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const char *name;
        json_t *figure;
        json_object_foreach(json_object_get(json_array_get(groups, i), "figures"), name, figure) {
            const char *last = strrchr(name, '.');
            char line[160];
            if (strncmp(name, task->name, prefix) || name[prefix] != '.' ||
                strcmp(last + 1, from->key) || last == name + prefix ||
                c->count >= before + MOST_LINES)
                continue;
            snprintf(line, sizeof line, "%.*s", (int)(last - (name + prefix + 1)),
                     name + prefix + 1);
            add_column(c, name, line, from);
        }
    }
}

static bool any_has(const json_t *groups, const char *figure) {
    for (size_t i = 0; i < json_array_size(groups); i++)
        if (figure_of(json_array_get(groups, i), figure))
            return true;
    return false;
}

/* What a task says itself. */
static void add_compared(columns *c, const json_t *groups, const clc_task *task) {
    char name[160];
    for (const clc_task_column *from = task->compared; from->key; from++) {
        snprintf(name, sizeof name, "%s.%s", task->name, from->key);
        if (any_has(groups, name))
            add_column(c, name, task->label, from);
    }
}

/* The first figure of a task that is no count, by each of its lines. */
static void add_first(columns *c, json_t *groups, const clc_task *task) {
    const clc_task_column *from = task->columns;
    char name[160];
    bool lines = false;
    for (; from->key && (!*from->key || from->cell == CLC_CELL_WORD); from++)
        lines |= from->cell == CLC_CELL_LINE;
    if (!from->key)
        return;
    while (from[1].key && from->cell == CLC_CELL_COUNT)
        from++;
    if (lines) {
        add_lines(c, groups, task, from);
        return;
    }
    snprintf(name, sizeof name, "%s.%s", task->name, from->key);
    if (any_has(groups, name))
        add_column(c, name, task->label, from);
}

/* ---- text ---- */

static void add_cell(clc_table *table, const json_t *figure, clc_cell cell) {
    const double scale = cell == CLC_CELL_PERCENT ? 100 : 1;
    const int digits = cell == CLC_CELL_COUNT     ? 0
                       : cell == CLC_CELL_PERCENT ? 2
                       : cell == CLC_CELL_TENTH   ? 1
                                                  : 4;
    const double deviation = deviation_of(figure);
    if (!figure)
        clc_table_cell(table, "%s", "");
    else if (isnan(deviation) || (cell == CLC_CELL_COUNT && !(deviation > 0)))
        clc_table_cell(table, "%.*f", digits, scale * mean_of(figure));
    else
        clc_table_cell(table, "%.*f ± %.*f", digits, scale * mean_of(figure), digits,
                       scale * deviation);
}

static clc_status print_table(const json_t *groups, const columns *c, FILE *file) {
    clc_table table;
    clc_table_begin(&table, "l", c->count + 2);
    clc_table_cell(&table, "features");
    clc_table_cell(&table, "runs");
    for (size_t i = 0; i < c->count; i++)
        clc_table_cell(&table, "%s", c->list[i].heading);
    for (size_t g = 0; g < json_array_size(groups); g++) {
        const json_t *group = json_array_get(groups, g);
        clc_table_cell(&table, "%s", name_of(group));
        clc_table_cell(&table, "%zu", json_array_size(json_object_get(group, "runs")));
        for (size_t i = 0; i < c->count; i++)
            add_cell(&table, figure_of(group, c->list[i].figure), c->list[i].cell);
    }
    return clc_table_print(&table, file);
}

/* How a group stands to the highest of a figure. */
typedef enum standing { WITHIN, BELOW, UNKNOWN, STANDINGS } standing;
static const char *const standing_words[STANDINGS] = {
    "within the spread of it", "below it", "of one run only, so that the spread is not known"};

static standing stands(const json_t *figure, const json_t *highest) {
    const double difference = mean_of(highest) - mean_of(figure);
    const double spread = hypot(deviation_of(figure), deviation_of(highest));
    return isnan(spread) ? UNKNOWN : difference <= spread ? WITHIN : BELOW;
}

static const json_t *highest_of(const json_t *groups, const char *name) {
    const json_t *highest = NULL;
    for (size_t g = 0; g < json_array_size(groups); g++) {
        const json_t *group = json_array_get(groups, g);
        if (figure_of(group, name) &&
            (!highest || mean_of(figure_of(group, name)) > mean_of(figure_of(highest, name))))
            highest = group;
    }
    return highest;
}

/* {"figure": .., "highest": "simclr", "within the spread of it": [names] ...} */
static json_t *differences_of(const json_t *groups, const column *c) {
    const json_t *highest = highest_of(groups, c->figure);
    json_t *result = json_pack("{s:s,s:s}", "figure", c->figure, "highest", name_of(highest));
    for (standing s = 0; s < STANDINGS; s++) {
        json_t *names = json_array();
        for (size_t g = 0; g < json_array_size(groups); g++) {
            const json_t *group = json_array_get(groups, g);
            const json_t *figure = figure_of(group, c->figure);
            if (figure && group != highest && stands(figure, figure_of(highest, c->figure)) == s)
                json_array_append_new(names, json_string(name_of(group)));
        }
        json_object_set_new(result, standing_words[s], names);
    }
    return result;
}

static void print_differences(const json_t *difference, const char *heading, FILE *file) {
    fprintf(file, "%s: highest %s", heading,
            json_string_value(json_object_get(difference, "highest")));
    for (standing s = 0; s < STANDINGS; s++) {
        const json_t *names = json_object_get(difference, standing_words[s]);
        for (size_t i = 0; i < json_array_size(names); i++)
            fprintf(file, "%s%s%s", i ? ", " : "; ", json_string_value(json_array_get(names, i)),
                    i + 1 < json_array_size(names) ? "" : " ");
        if (json_array_size(names))
            fprintf(file, "%s", standing_words[s]);
    }
    fputc('\n', file);
}

static clc_status print_all(const json_t *groups, const columns *c, json_t *differences,
                            FILE *file) {
    const clc_status status = print_table(groups, c, file);
    if (json_array_size(groups) > 1)
        fputs("\nmean ± standard deviation over runs that differ in the seed alone; a difference "
              "is within\nthe spread if it is at most the root of the sum of both deviations' "
              "squares\n",
              file);
    for (size_t i = 0; i < c->count && json_array_size(groups) > 1; i++) {
        if (c->list[i].cell != CLC_CELL_PERCENT && c->list[i].cell != CLC_CELL_NUMBER)
            continue;
        json_t *difference = differences_of(groups, &c->list[i]);
        print_differences(difference, c->list[i].heading, file);
        json_array_append_new(differences, difference);
    }
    return status;
}

/* ---- files ---- */

/* A text in a CSV file. */
static void put_quoted(const char *text, FILE *file) {
    fputc('"', file);
    for (; *text; text++)
        fprintf(file, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', file);
}

static void put_csv(const json_t *groups, FILE *file) {
    fputs("name,features,figure,runs,mean,deviation\n", file);
    for (size_t g = 0; g < json_array_size(groups); g++) {
        const json_t *group = json_array_get(groups, g);
        const char *name;
        json_t *figure;
        json_object_foreach(json_object_get(group, "figures"), name, figure) {
            put_quoted(name_of(group), file);
            fputc(',', file);
            put_quoted(json_string_value(json_object_get(group, "features")), file);
            fprintf(file, ",%s,%zu,%.10g,", name,
                    json_array_size(json_object_get(figure, "values")), mean_of(figure));
            if (!isnan(deviation_of(figure)))
                fprintf(file, "%.10g", deviation_of(figure));
            fputc('\n', file);
        }
    }
}

static clc_status write_file(const char *folder, const char *name, const char *text) {
    char path[CLC_PATH_BYTES];
    const clc_status status = clc_path_format(path, "%s/%s", folder, name);
    return status == CLC_OK ? clc_file_write_all(path, text, strlen(text)) : status;
}

/* [{"figure": "knn.accuracy", "heading": "kNN accuracy", "percent": true} ...] */
static json_t *list_columns(const columns *c) {
    json_t *list = json_array();
    for (size_t i = 0; i < c->count; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:b}", "figure", c->list[i].figure,
                                              "heading", c->list[i].heading, "percent",
                                              c->list[i].cell == CLC_CELL_PERCENT));
    return list;
}

/* A stream to memory that a name is given to when it is complete. */
typedef struct sheet {
    char *text;
    size_t size;
    FILE *file;
} sheet;

static clc_status write_all(json_t *groups, const columns *c, const char *folder) {
    clc_status status = CLC_OK;
    sheet text = {0}, csv = {0};
    char *json = NULL;
    json_t *differences = json_array();
    text.file = open_memstream(&text.text, &text.size);
    csv.file = open_memstream(&csv.text, &csv.size);
    if (!text.file || !csv.file)
        CLC_TRY(clc_fail_alloc(4096));
    CLC_TRY(print_all(groups, c, differences, text.file));
    put_csv(groups, csv.file);
    json_t *all = json_pack("{s:o,s:O,s:O}", "columns", list_columns(c), "rows", groups,
                            "differences", differences);
    json = json_dumps(all, JSON_INDENT(2));
    json_decref(all);
    if (fflush(text.file) || fflush(csv.file) || !json)
        CLC_TRY(clc_fail_alloc(4096));
    fputs(text.text, stdout);
    CLC_TRY(clc_make_folders(folder));
    CLC_TRY(write_file(folder, "compare.txt", text.text));
    CLC_TRY(write_file(folder, "compare.csv", csv.text));
    CLC_TRY(write_file(folder, CLC_RUN_COMPARISON, json));
fail:
    if (text.file)
        fclose(text.file);
    if (csv.file)
        fclose(csv.file);
    free(text.text);
    free(csv.text);
    free(json);
    json_decref(differences);
    return status;
}

/* A run's own report stays. */
static clc_status write_report(const char *folder) {
    if (!clc_run_has(folder, CLC_RUN_METRICS_JSONL) &&
        !clc_run_has(folder, CLC_RUN_EVALUATION_JSON))
        return clc_page_write(folder);
    clc_warn("compare: '%s' is the folder of a run, whose report stays; --output FOLDER makes one "
             "of the comparison",
             folder);
    return CLC_OK;
}

clc_status clc_compare(const char *const *folders, size_t n, const char *output) {
    clc_status status = CLC_OK;
    json_t *groups = NULL;
    columns c = {.count = 0};
    CLC_TRY(clc_compare_groups(folders, n, &groups));
    for (size_t t = 0; t < CLC_TASK_COUNT; t++)
        if (clc_tasks[t]->compared)
            add_compared(&c, groups, clc_tasks[t]);
        else
            add_first(&c, groups, clc_tasks[t]);
    CLC_TRY(write_all(groups, &c, output ? output : "."));
    CLC_TRY(write_report(output ? output : "."));
fail:
    json_decref(groups);
    return status;
}
