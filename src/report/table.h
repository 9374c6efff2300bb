/* Text tables: columns as wide as their widest cell, a line below the headings. */
#ifndef CLC_REPORT_TABLE_H
#define CLC_REPORT_TABLE_H

#include "core/status.h"

#include <stdio.h>

/* Cells row by row, the headings first. A failed allocation is remembered and reported by
 * clc_table_print, so that filling needs no checks. */
typedef struct clc_table {
    char **cells;
    size_t count, capacity, columns;
    char align[16];
    clc_status status;
} clc_table;

/* Begins a table. Each letter of `align` (at most 15) is a column, 'l' for left or 'r' for right;
 * columns beyond the letters are 'r'. */
void clc_table_begin(clc_table *table, const char *align, size_t columns);

/* Appends the next cell, UTF-8 of up to 255 bytes: the headings of all columns, then row by row.
 * Control characters become question marks. */
void clc_table_cell(clc_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends a share in [0, 1] as a percentage with two decimals. */
void clc_table_percent(clc_table *table, double share);

/* Prints the table and frees it; cells missing in the last row are empty. */
clc_status clc_table_print(clc_table *table, FILE *file);

/* Frees what the table owns; for a table that is not printed. */
void clc_table_free(clc_table *table);

#endif
