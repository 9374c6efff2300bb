#define _POSIX_C_SOURCE 200809L /* getline */
#include "report/history.h"

#include "core/file.h"
#include "model/run_folder.h"
#include "report/json.h"

#include <math.h>
#include <string.h>

int clc_history_column(const clc_history *history, const char *key) {
    for (size_t i = 0; i < history->columns; i++)
        if (!strcmp(history->keys[i], key))
            return (int)i;
    return -1;
}

static int column_of(clc_history *h, const char *key) {
    const int known = clc_history_column(h, key);
    if (known >= 0 || h->columns == CLC_HISTORY_COLUMNS || strlen(key) >= CLC_HISTORY_KEY)
        return known;
    snprintf(h->keys[h->columns], CLC_HISTORY_KEY, "%s", key);
    return (int)h->columns++;
}

/* Time is not a column: it says how long it took. */
static void take_time(clc_history *h, const json_t *line) {
    const double time = json_number_value(json_object_get(line, "time"));
    if (h->last_time > 0 && time > h->last_time)
        h->seconds += time - h->last_time;
    h->last_time = time;
}

static clc_status take_row(clc_history *h, json_t *line) {
    const char *key;
    json_t *value;
    if (h->count == h->capacity) {
        const size_t capacity = h->capacity ? 2 * h->capacity : 256;
        double *values = realloc(h->values, capacity * CLC_HISTORY_COLUMNS * sizeof *values);
        if (!values)
            return clc_fail_alloc(capacity * CLC_HISTORY_COLUMNS * sizeof *values);
        h->values = values;
        h->capacity = capacity;
    }
    double *row = h->values + h->count++ * CLC_HISTORY_COLUMNS;
    for (int i = 0; i < CLC_HISTORY_COLUMNS; i++)
        row[i] = NAN;
    json_object_foreach(line, key, value) {
        const int column = json_is_number(value) && strcmp(key, "time") ? column_of(h, key) : -1;
        if (column >= 0)
            row[column] = json_number_value(value);
    }
    take_time(h, line);
    return CLC_OK;
}

/* The rows and events behind `step`, which the run did again. */
static void drop_behind(clc_history *h, double step) {
    const int column = clc_history_column(h, "step");
    while (h->count && column >= 0 && clc_history_at(h, h->count - 1, column) > step)
        h->count--;
    while (json_array_size(h->events)) {
        const size_t last = json_array_size(h->events) - 1;
        const json_t *event = json_array_get(h->events, last);
        if (!(json_number_value(json_object_get(event, "step")) > step))
            break;
        json_array_remove(h->events, last);
    }
}

static clc_status take_event(clc_history *h, json_t *line, const char *event) {
    if (!strcmp(event, "resume")) {
        drop_behind(h, json_number_value(json_object_get(line, "step")));
        h->last_time = 0;
    }
    return json_array_append(h->events, line) == 0 ? CLC_OK : clc_fail_alloc(64);
}

static clc_status take_line(clc_history *h, const char *text, size_t n) {
    clc_status status = CLC_OK;
    json_t *line = json_loadb(text, n, 0, NULL);
    const char *event = json_string_value(json_object_get(line, "event"));
    if (event)
        status = take_event(h, line, event);
    else if (json_is_number(json_object_get(line, "step")))
        status = take_row(h, line);
    else
        h->broken++;
    json_decref(line);
    return status;
}

clc_status clc_history_read(clc_history *h) {
    clc_status status = CLC_OK;
    char *line = NULL;
    size_t capacity = 0;
    if (fseek(h->file, h->offset, SEEK_SET) != 0)
        return clc_fail_file("read", CLC_RUN_METRICS_JSONL);
    for (ssize_t n; (n = getline(&line, &capacity, h->file)) > 0 && line[n - 1] == '\n';) {
        h->offset += n;
        CLC_TRY(take_line(h, line, (size_t)n));
    }
fail:
    free(line);
    return status;
}

clc_status clc_history_empty(clc_history **made) {
    clc_status status = CLC_OK;
    clc_history *h = NULL;
    CLC_NEW(h, 1);
    h->events = json_array();
    if (!h->events)
        CLC_TRY(clc_fail_alloc(64));
    *made = h;
    h = NULL;
fail:
    free(h);
    return status;
}

clc_status clc_history_open(const char *folder, clc_history **opened) {
    clc_status status = CLC_OK;
    clc_history *h = NULL;
    char path[CLC_PATH_BYTES];
    CLC_TRY(clc_history_empty(&h));
    CLC_TRY(clc_run_path(folder, CLC_RUN_METRICS_JSONL, path));
    h->file = fopen(path, "r");
    if (!h->file)
        CLC_TRY(
            clc_fail_context(clc_fail_file("read", path), "'%s' is no folder of a run", folder));
    CLC_TRY(clc_history_read(h));
    *opened = h;
    h = NULL;
fail:
    clc_history_free(&h);
    return status;
}

void clc_history_free(clc_history **history) {
    clc_history *h = *history;
    if (!h)
        return;
    if (h->file)
        fclose(h->file);
    json_decref(h->events);
    free(h->values);
    free(h);
    *history = NULL;
}

/* ---- points ---- */

typedef struct bucket {
    double mean, low, high, last;
} bucket;

static bucket gather(const clc_history *h, int column, size_t from, size_t to) {
    bucket b = {NAN, NAN, NAN, NAN};
    double sum = 0;
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        const double value = clc_history_at(h, i, column);
        if (isnan(value))
            continue;
        b.low = n && b.low < value ? b.low : value;
        b.high = n && b.high > value ? b.high : value;
        b.last = value;
        sum += value;
        n++;
    }
    if (n)
        b.mean = sum / (double)n;
    return b;
}

json_t *clc_history_json(const clc_history *h, size_t most) {
    json_t *rows = json_object(), *low = json_object(), *high = json_object();
    const size_t points = h->count < most ? h->count : most;
    json_object_set_new(rows, "step", json_array());
    for (int c = 0; c < (int)h->columns; c++) {
        const bool last = !strcmp(h->keys[c], "step") || !strcmp(h->keys[c], "epoch");
        json_t *middle = json_array(), *least = json_array(), *greatest = json_array();
        for (size_t p = 0; p < points; p++) {
            const bucket b = gather(h, c, p * h->count / points, (p + 1) * h->count / points);
            json_array_append_new(middle, last && b.last == floor(b.last)
                                              ? json_integer((json_int_t)b.last)
                                              : clc_json_number(b.mean));
            json_array_append_new(least, clc_json_number(b.low));
            json_array_append_new(greatest, clc_json_number(b.high));
        }
        json_object_set_new(rows, h->keys[c], middle);
        if (!last && points < h->count) {
            json_object_set(low, h->keys[c], least);
            json_object_set(high, h->keys[c], greatest);
        }
        json_decref(least);
        json_decref(greatest);
    }
    json_object_set_new(rows, "low", low);
    json_object_set_new(rows, "high", high);
    return rows;
}
