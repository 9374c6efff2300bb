#include "report/table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

enum { GAP = 2 }; /* spaces between columns */

void clc_table_begin(clc_table *table, const char *align, size_t columns) {
    *table = (clc_table){.columns = columns ? columns : 1};
    snprintf(table->align, sizeof table->align, "%s", align);
}

static clc_status grow(clc_table *table) {
    if (table->count < table->capacity)
        return CLC_OK;
    const size_t capacity = table->capacity ? table->capacity * 2 : 32;
    char **cells = realloc(table->cells, capacity * sizeof *cells);
    if (!cells)
        return clc_fail_alloc(capacity * sizeof *cells);
    table->cells = cells;
    table->capacity = capacity;
    return CLC_OK;
}

/* What would break the line, or be an order to the terminal. */
static void replace_controls(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            *text = '?';
}

void clc_table_cell(clc_table *table, const char *format, ...) {
    char text[256], *copy = NULL;
    va_list arguments;
    if (table->status == CLC_OK)
        table->status = grow(table);
    if (table->status != CLC_OK)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    replace_controls(text);
    copy = strdup(text);
    if (copy)
        table->cells[table->count++] = copy;
    else
        table->status = clc_fail_alloc(strlen(text) + 1);
}

void clc_table_percent(clc_table *table, double share) {
    clc_table_cell(table, "%.2f", 100 * share);
}

/* Places that UTF-8 takes on a terminal: Chinese, Japanese and Korean characters (from U+3000 on)
 * and pictures (from U+10000 on) two, all others one. */
static int places_of(const char *text) {
    int places = 0;
    for (; *text; text++) {
        const unsigned char byte = (unsigned char)*text;
        const bool continues = (byte & 0xC0) == 0x80;
        const bool wide = (byte >= 0xE3 && byte <= 0xED) || byte >= 0xF0;
        places += continues ? 0 : wide ? 2 : 1;
    }
    return places;
}

static bool left_aligned(const clc_table *table, size_t column) {
    return column < strlen(table->align) && table->align[column] == 'l';
}

static void print_row(const clc_table *table, const int *widths, size_t first, FILE *file) {
    for (size_t c = 0; c < table->columns && first + c < table->count; c++) {
        const char *cell = table->cells[first + c];
        const bool last = c + 1 == table->columns || first + c + 1 == table->count;
        const int missing = widths[c] - places_of(cell);
        const bool left = left_aligned(table, c);
        fprintf(file, "%*s%s", left ? 0 : missing, "", cell);
        fprintf(file, "%*s", last ? 0 : GAP + (left ? missing : 0), "");
    }
    fputc('\n', file);
}

clc_status clc_table_print(clc_table *table, FILE *file) {
    clc_status status = table->status;
    int *widths = NULL, whole = 0;
    if (status != CLC_OK)
        goto fail;
    CLC_NEW(widths, table->columns);
    for (size_t i = 0; i < table->count; i++) {
        const int places = places_of(table->cells[i]);
        int *width = &widths[i % table->columns];
        *width = places > *width ? places : *width;
    }
    for (size_t c = 0; c < table->columns; c++)
        whole += widths[c] + (c ? GAP : 0);
    for (size_t first = 0; first < table->count; first += table->columns) {
        print_row(table, widths, first, file);
        for (int i = 0; first == 0 && i < whole; i++)
            fputc('-', file);
        if (first == 0)
            fputc('\n', file);
    }
    if (ferror(file))
        status = clc_fail(CLC_IO, "a table could not be written; is the disk full?");
fail:
    free(widths);
    clc_table_free(table);
    return status;
}

void clc_table_free(clc_table *table) {
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (clc_table){0};
}
