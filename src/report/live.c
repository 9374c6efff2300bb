#define _DEFAULT_SOURCE /* winsize */
#include "report/live.h"

#include "core/signals.h"
#include "text/utf8.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    TALL = 6, /* lines of a curve, without its title */
    LEAST_COLUMNS = 20,
    MOST_COLUMNS = 500,
    MARGIN = 10, /* for the scale */
    BRAILLE = 0x2800,
};

/* Dots (4 TALL, 2 columns). */
typedef struct canvas {
    int columns, lines;
    uint8_t *cells; /* (lines,columns): bits of a Braille pattern */
} canvas;

static void dot(canvas *c, int x, int y) {
    static const uint8_t bits[4][2] = {{1, 8}, {2, 16}, {4, 32}, {64, 128}};
    c->cells[y / 4 * c->columns + x / 2] |= bits[y % 4][x % 2];
}

/* What falls into a column of dots. */
typedef struct span {
    double low, high;
} span;

static span span_of(const clc_history *h, int column, size_t from, size_t to) {
    span s = {INFINITY, -INFINITY};
    for (size_t i = from; i < to; i++) {
        const double value = clc_history_at(h, i, column);
        s.low = value < s.low ? value : s.low;
        s.high = value > s.high ? value : s.high;
    }
    return s;
}

static int level(double value, span all, int most) {
    const double part = all.high > all.low ? (value - all.low) / (all.high - all.low) : 0.5;
    return most - (int)lrint(part * most);
}

static void plot(const clc_history *h, int column, span all, canvas *c) {
    const int width = 2 * c->columns, most = 4 * c->lines - 1;
    for (int x = 0; x < width; x++) {
        const size_t from = (size_t)x * h->count / (size_t)width;
        size_t to = (size_t)(x + 1) * h->count / (size_t)width;
        to = to > from ? to : from + 1;
        const span s = span_of(h, column, from, to);
        if (!isfinite(s.low))
            continue;
        for (int y = level(s.high, all, most); y <= level(s.low, all, most); y++)
            dot(c, x, y);
    }
}

static double last_of(const clc_history *h, int column) {
    for (size_t i = h->count; i-- > 0;)
        if (!isnan(clc_history_at(h, i, column)))
            return clc_history_at(h, i, column);
    return NAN;
}

static clc_status draw_curve(const clc_history *h, int column, int columns, FILE *file) {
    clc_status status = CLC_OK;
    const span all = span_of(h, column, 0, h->count);
    canvas c = {columns - MARGIN, TALL, NULL};
    char title[CLC_HISTORY_KEY];
    CLC_NEW(c.cells, c.lines * c.columns);
    for (size_t i = 0; i < sizeof title; i++)
        title[i] = h->keys[column][i] == '_' ? ' ' : h->keys[column][i];
    plot(h, column, all, &c);
    fprintf(file, "%s  %.5g\n", title, last_of(h, column));
    for (int y = 0; y < c.lines; y++) {
        if (y == 0 || y == c.lines - 1)
            fprintf(file, "%*.4g ", MARGIN - 1, y ? all.low : all.high);
        else
            fprintf(file, "%*s", MARGIN, "");
        for (int x = 0; x < c.columns; x++) {
            char bytes[4];
            fwrite(bytes, 1, clc_utf8_put(BRAILLE + c.cells[y * c.columns + x], bytes), file);
        }
        fputc('\n', file);
    }
fail:
    free(c.cells);
    return status;
}

/* Step and epoch are what the others are plotted over. */
static bool is_curve(const clc_history *h, int column) {
    return strcmp(h->keys[column], "step") && strcmp(h->keys[column], "epoch") &&
           isfinite(span_of(h, column, 0, h->count).low);
}

static double last_named(const clc_history *h, const char *key) {
    const int column = clc_history_column(h, key);
    return column < 0 ? NAN : last_of(h, column);
}

clc_status clc_live_draw(const clc_history *h, int columns, int lines, FILE *file) {
    clc_status status = CLC_OK;
    columns = columns < LEAST_COLUMNS ? LEAST_COLUMNS : columns;
    columns = columns > MOST_COLUMNS ? MOST_COLUMNS : columns;
    if (!h->count) {
        fputs("no steps yet\n", file);
        return CLC_OK;
    }
    fprintf(file, "epoch %.0f, step %.0f\n", last_named(h, "epoch"), last_named(h, "step"));
    for (int i = 0, used = 1; i < (int)h->columns; i++) {
        if (!is_curve(h, i) || (used > 1 && used + TALL + 1 > lines))
            continue;
        CLC_TRY(draw_curve(h, i, columns, file));
        used += TALL + 1;
    }
fail:
    return status;
}

static void size_of_terminal(int *columns, int *lines) {
    struct winsize size = {0};
    *columns = 80;
    *lines = 1 << 20; /* no terminal: all curves */
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row) {
        *columns = size.ws_col;
        *lines = size.ws_row - 2;
    }
}

static bool has_ended(const clc_history *h) {
    const size_t n = json_array_size(h->events);
    const char *last =
        n ? json_string_value(json_object_get(json_array_get(h->events, n - 1), "event")) : NULL;
    return last && !strcmp(last, "trained");
}

clc_status clc_live_run(const char *folder, bool once) {
    clc_status status = CLC_OK;
    clc_history *history = NULL;
    const struct timespec second = {.tv_sec = 1};
    int columns, lines;
    once = once || !isatty(STDOUT_FILENO);
    clc_signals_install();
    CLC_TRY(clc_history_open(folder, &history));
    for (;;) {
        size_of_terminal(&columns, &lines);
        if (!once)
            fputs("\033[H\033[J", stdout); /* the cursor to the corner, the rest cleared */
        CLC_TRY(clc_live_draw(history, columns, lines, stdout));
        fflush(stdout);
        if (once || has_ended(history) || clc_signals_stop())
            break;
        nanosleep(&second, NULL); /* a signal, of a changed window too, ends it early */
        CLC_TRY(clc_history_read(history));
    }
fail:
    clc_history_free(&history);
    clc_signals_restore();
    return status;
}
