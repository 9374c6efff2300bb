/* Series in tables: a row a step. */
#include "core/file.h"
#include "data/csv.h"
#include "data/format.h"
#include "data/series.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CHANNELS_MAX = 4096, NONE = -1 };
static const size_t max_bytes = (size_t)4 << 30;

/* A step before the rows are sorted. */
typedef struct row {
    size_t series, number; /* among the rows kept: where its values are */
    double time;
    size_t text; /* where its time stands, if not all are numbers */
} row;

typedef struct table {
    const char *path;
    const clc_series_options *options;
    clc_series *series;
    clc_names header;
    int id, time, label, split;
    int channels[CHANNELS_MAX];
    clc_name_set ids, classes;
    char **reasons; /* (ids): why a series is left out, or NULL; owned */
    int32_t *labels;
    size_t id_capacity;
    row *rows;
    float *values; /* (rows,channels) */
    size_t count, capacity;
    clc_names times;
    bool texts; /* a time is no number */
} table;

static const char *const id_names[] = {"id", NULL}, *const time_names[] = {"time", "t", NULL};

/* ---- columns ---- */

static clc_status no_column(const table *t, const char *wanted, const char *usual) {
    char text[1024];
    clc_csv_describe(&t->header, text, sizeof text);
    return clc_fail(CLC_FORMAT, "%s has no column %s; there are: %s", t->path,
                    *wanted ? wanted : usual, text);
}

/* The next name of a list with commas between, without blanks around it; false: there is none. */
static bool next_name(const char **list, char name[256]) {
    const char *begin = *list + strspn(*list, " \t,");
    const size_t n = strcspn(begin, ",");
    *list = begin + n;
    snprintf(name, 256, "%.*s", (int)(n < 255 ? n : 255), begin);
    for (size_t end = strlen(name); end > 0 && (name[end - 1] == ' ' || name[end - 1] == '\t');)
        name[--end] = '\0';
    return n > 0;
}

static clc_status add_channel(table *t, int column) {
    if (t->series->channels == CHANNELS_MAX)
        return clc_fail(CLC_FORMAT,
                        "%s: more than %d columns of values; name those that count "
                        "with data.value_columns",
                        t->path, CHANNELS_MAX);
    t->channels[t->series->channels++] = column;
    return CLC_OK;
}

static clc_status find_channels(table *t) {
    clc_status status = CLC_OK;
    char name[256];
    const char *list = t->options->config->value_columns;
    while (next_name(&list, name)) {
        const int column = clc_csv_find(&t->header, name);
        if (column < 0)
            return no_column(t, name, "");
        CLC_TRY(add_channel(t, column));
    }
    if (t->series->channels)
        return CLC_OK;
    for (int i = 0; i < (int)t->header.count; i++)
        if (i != t->id && i != t->time && i != t->label && i != t->split)
            CLC_TRY(add_channel(t, i));
    if (!t->series->channels)
        status = clc_fail(CLC_FORMAT, "%s has no column of values beside id, time, class and split",
                          t->path);
fail:
    return status;
}

static clc_status find_columns(table *t) {
    const clc_config_data *c = t->options->config;
    t->id = clc_csv_column(&t->header, c->id_column, id_names);
    t->time = clc_csv_column(&t->header, c->time_column, time_names);
    t->label = clc_csv_column(&t->header, c->label_column, clc_csv_label_names);
    t->split = clc_csv_column(&t->header, c->split_column, clc_csv_split_names);
    t->series->divided = t->split >= 0;
    if (t->id < 0)
        return no_column(t, c->id_column, "id (set data.id_column)");
    if (t->time < 0)
        return no_column(t, c->time_column, "time (set data.time_column)");
    if (t->label < 0 && *c->label_column)
        return no_column(t, c->label_column, "");
    if (t->split < 0 && *c->split_column)
        return no_column(t, c->split_column, "");
    return find_channels(t);
}

/* The header with the separator that finds the columns, or else the first. */
static clc_status read_header(table *t, const char *text, size_t n, char *separator) {
    static const char separators[] = {',', ';', '\t'};
    clc_status status = CLC_OK;
    bool more;
    for (size_t i = 0; i <= sizeof separators; i++) {
        *separator = separators[i < sizeof separators ? i : 0];
        clc_csv csv = clc_csv_start(text, n, *separator);
        CLC_TRY(clc_csv_next(&csv, &t->header, &more));
        if (!more)
            CLC_TRY(clc_fail(CLC_FORMAT, "%s: it is empty", t->path));
        if (clc_csv_column(&t->header, t->options->config->id_column, id_names) >= 0)
            break;
    }
    status = find_columns(t);
fail:
    return status;
}

/* ---- rows ---- */

static clc_status reject(table *t, size_t series, size_t line, const char *column,
                         const char *text) {
    char reason[512];
    if (t->reasons[series])
        return CLC_OK;
    snprintf(reason, sizeof reason, "line %zu: '%.80s' in %.80s is no finite number", line, text,
             column);
    t->reasons[series] = strdup(reason);
    return t->reasons[series] ? CLC_OK : clc_fail_alloc(sizeof reason);
}

static bool parse_number(const char *text, double *value) {
    char *end;
    *value = strtod(text, &end);
    if (end == text)
        return false;
    return end[strspn(end, " \t")] == '\0';
}

/* The number of the series of that name, with its class. */
static clc_status series_of(table *t, const clc_names *record, size_t *series) {
    clc_status status = CLC_OK;
    bool added;
    size_t class;
    CLC_TRY(clc_name_set_add(&t->ids, clc_names_at(record, (size_t)t->id),
                             clc_names_length(record, (size_t)t->id), series, &added));
    if (!added)
        return CLC_OK;
    if (*series == t->id_capacity) {
        const size_t capacity = t->id_capacity ? 2 * t->id_capacity : 64;
        char **reasons = realloc(t->reasons, capacity * sizeof *reasons);
        t->reasons = reasons ? reasons : t->reasons;
        int32_t *labels = reasons ? realloc(t->labels, capacity * sizeof *labels) : NULL;
        t->labels = labels ? labels : t->labels;
        if (!labels)
            return clc_fail_alloc(capacity * sizeof *reasons);
        t->id_capacity = capacity;
    }
    t->reasons[*series] = NULL;
    t->labels[*series] = -1;
    const char *name = t->label < 0 ? "" : clc_names_at(record, (size_t)t->label);
    if (*name && strcmp(name, "-1")) {
        CLC_TRY(clc_name_set_add(&t->classes, name, strlen(name), &class, NULL));
        t->labels[*series] = (int32_t) class;
    }
fail:
    return status;
}

static clc_status grow(table *t) {
    const size_t capacity = t->capacity ? 2 * t->capacity : 256;
    row *rows = realloc(t->rows, capacity * sizeof *rows);
    t->rows = rows ? rows : t->rows;
    const size_t bytes = capacity * (size_t)t->series->channels * sizeof(float);
    float *values = rows ? realloc(t->values, bytes) : NULL;
    t->values = values ? values : t->values;
    if (!values)
        return clc_fail_alloc(bytes);
    t->capacity = capacity;
    return CLC_OK;
}

static clc_status add_row(table *t, const clc_names *record, size_t line) {
    clc_status status = CLC_OK;
    char where[640];
    size_t series;
    double value;
    if (record->count != t->header.count) {
        snprintf(where, sizeof where, "%.600s:%zu", t->path, line);
        return clc_bad_files_add(&t->series->bad, where, "a row of another number of fields");
    }
    CLC_TRY(series_of(t, record, &series));
    if (t->count == t->capacity)
        CLC_TRY(grow(t));
    row *r = &t->rows[t->count];
    const char *time = clc_names_at(record, (size_t)t->time);
    *r = (row){.series = series, .number = t->count, .text = t->times.count};
    if (!parse_number(time, &r->time) || !isfinite(r->time))
        t->texts = true;
    CLC_TRY(clc_names_add(&t->times, time, strlen(time)));
    for (int c = 0; c < t->series->channels; c++) {
        const char *text = clc_names_at(record, (size_t)t->channels[c]);
        if (!parse_number(text, &value) || !isfinite((float)value))
            CLC_TRY(
                reject(t, series, line, clc_names_at(&t->header, (size_t)t->channels[c]), text));
        t->values[t->count * (size_t)t->series->channels + (size_t)c] = (float)value;
    }
    t->count++;
fail:
    return status;
}

static bool wanted(const table *t, const clc_names *record) {
    if (t->split < 0 || t->options->split == CLC_SPLIT_ALL || record->count != t->header.count)
        return true;
    return clc_split_of_word(clc_names_at(record, (size_t)t->split)) == t->options->split;
}

static clc_status read_rows(table *t, const char *text, size_t n, char separator) {
    clc_status status = CLC_OK;
    clc_csv csv = clc_csv_start(text, n, separator);
    clc_names record = {0};
    bool more;
    CLC_TRY(clc_csv_next(&csv, &record, &more)); /* the header */
    for (;;) {
        CLC_TRY(clc_csv_next(&csv, &record, &more));
        if (!more)
            break;
        if (wanted(t, &record))
            CLC_TRY(add_row(t, &record, csv.line));
    }
fail:
    clc_names_free(&record);
    return status;
}

/* ---- series ---- */

/* By series, then time, then place in the file. */
typedef struct key {
    const row *row;
    const char *text; /* NULL: times are numbers */
} key;

static int by_time(const void *a, const void *b) {
    const key *x = a, *y = b;
    int order = (x->row->series > y->row->series) - (x->row->series < y->row->series);
    if (!order && x->text)
        order = strcmp(x->text, y->text);
    else if (!order)
        order = (x->row->time > y->row->time) - (x->row->time < y->row->time);
    return order ? order : (x->row->number > y->row->number) - (x->row->number < y->row->number);
}

static clc_status sort_rows(const table *t) {
    clc_status status = CLC_OK;
    clc_series *s = t->series;
    const size_t channels = (size_t)s->channels;
    key *keys = NULL;
    CLC_NEW(keys, t->count);
    CLC_NEW(s->values, t->count * channels);
    for (size_t i = 0; i < t->count; i++)
        keys[i] = (key){&t->rows[i], t->texts ? clc_names_at(&t->times, t->rows[i].text) : NULL};
    qsort(keys, t->count, sizeof *keys, by_time);
    for (size_t i = 0; i < t->count; i++) {
        const row *r = keys[i].row;
        clc_extent *extent = &s->extents[r->series];
        extent->offset = extent->length ? extent->offset : i;
        extent->length++;
        memcpy(s->values + i * channels, t->values + r->number * channels,
               channels * sizeof *s->values);
    }
    s->steps = t->count;
fail:
    free(keys);
    return status;
}

static clc_status make_series(table *t) {
    clc_status status = CLC_OK;
    clc_series *s = t->series;
    clc_series_sieve sieve = {.series = s};
    const size_t count = t->ids.names.count;
    if (t->count > INT32_MAX)
        return clc_fail(CLC_FORMAT, "%s: more than %d rows", t->path, INT32_MAX);
    CLC_NEW(s->extents, count);
    CLC_TRY(sort_rows(t));
    for (size_t i = 0; i < count; i++)
        CLC_TRY(clc_names_add(&s->names, clc_names_at(&t->ids.names, i),
                              clc_names_length(&t->ids.names, i)));
    if (t->classes.names.count > 0) {
        CLC_TRY(clc_classes_number(&t->classes, t->options->known, t->labels, count, &s->classes));
        s->labels = t->labels;
        t->labels = NULL;
    }
    for (size_t i = 0; i < count; i++)
        CLC_TRY(clc_series_keep(&sieve, i, t->reasons[i]));
    clc_series_kept(&sieve);
fail:
    clc_names_free(&sieve.names);
    return status;
}

static void free_table(table *t) {
    for (size_t i = 0; i < t->ids.names.count && t->reasons; i++)
        free(t->reasons[i]);
    free(t->reasons);
    free(t->labels);
    free(t->rows);
    free(t->values);
    clc_names_free(&t->header);
    clc_names_free(&t->times);
    clc_name_set_free(&t->ids);
    clc_name_set_free(&t->classes);
}

clc_status clc_series_read_table(const char *path, const clc_series_options *options,
                                 clc_series *series) {
    clc_status status = CLC_OK;
    table *t = NULL;
    void *text = NULL;
    size_t n;
    char separator;
    CLC_NEW(t, 1);
    *t = (table){.path = path, .options = options, .series = series};
    CLC_TRY(clc_file_read_all(path, max_bytes, &text, &n));
    CLC_TRY(read_header(t, text, n, &separator));
    CLC_TRY(read_rows(t, text, n, separator));
    CLC_TRY(make_series(t));
fail:
    if (t)
        free_table(t);
    free(t);
    free(text);
    if (status == CLC_FORMAT && strncmp(clc_error(), path, strlen(path)))
        clc_fail_context(status, "%s", path);
    return status;
}
