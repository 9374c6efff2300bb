/* What metrics.jsonl tells of a run: rows of numbers, and events between them. */
#ifndef CLC_REPORT_HISTORY_H
#define CLC_REPORT_HISTORY_H

#include "core/status.h"

#include <jansson.h>
#include <stdio.h>

enum { CLC_HISTORY_COLUMNS = 24, CLC_HISTORY_KEY = 40 };

typedef struct clc_history {
    char keys[CLC_HISTORY_COLUMNS][CLC_HISTORY_KEY]; /* of the columns, as they came */
    size_t columns;
    double *values; /* (count,CLC_HISTORY_COLUMNS): NaN where a row has none */
    size_t count, capacity;
    json_t *events;   /* objects with "event" and "step" */
    size_t broken;    /* lines that are no JSON: of a run that was killed, or of another program */
    double seconds;   /* between rows, breaks between sessions not counted */
    double last_time; /* of the last row of this session; 0: none yet */
    FILE *file;
    long offset; /* behind the last whole line */
} clc_history;

/* Opens the metrics of a run's folder and reads them. CLC_IO, with advice: there are none. */
clc_status clc_history_open(const char *folder, clc_history **history);

/* One without rows or a file. */
clc_status clc_history_empty(clc_history **history);

/* Takes in the lines that have come since. Rows that a resumed run does anew are dropped. */
clc_status clc_history_read(clc_history *history);

/* The column of a key, or -1. */
int clc_history_column(const clc_history *history, const char *key);

static inline double clc_history_at(const clc_history *history, size_t row, int column) {
    return history->values[row * CLC_HISTORY_COLUMNS + (size_t)column];
}

/* {"step": [..], "loss": [..], .., "low": {..}, "high": {..}} of at most `most` points: where there
 * are more rows, a point is the mean of some that follow each other, low and high their least and
 * greatest. Step and epoch are the last of them. NULL: no memory. */
json_t *clc_history_json(const clc_history *history, size_t most);

void clc_history_free(clc_history **history);

#endif
