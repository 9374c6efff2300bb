/* Tables as text: fields between separators, quoted as RFC 4180 says. */
#ifndef CLC_DATA_CSV_H
#define CLC_DATA_CSV_H

#include "core/names.h"

typedef struct clc_csv {
    const char *text;
    size_t n, at;
    char separator; /* 0: a record is one field, the whole line, without quoting */
    size_t line;    /* of the record read last, from 1 */
    size_t lines;   /* ended so far */
} clc_csv;

/* A table of these bytes, which it does not own; a byte order mark is passed over. */
clc_csv clc_csv_start(const void *text, size_t n, char separator);

/* Puts the fields of the next record in the place of `fields`; *more: whether there was one. Lines
 * end with LF or CR LF, empty ones are passed over. CLC_FORMAT with the line: a quotation that does
 * not end, a byte of zero. */
clc_status clc_csv_next(clc_csv *csv, clc_names *fields, bool *more);

/* The column of that name, else that of the name in another case; -1: there is none. */
int clc_csv_find(const clc_names *header, const char *name);

/* The names of picture, class and split that are usual, ended by NULL. */
extern const char *const clc_csv_path_names[], *const clc_csv_label_names[],
                                                   *const clc_csv_split_names[];

/* The column that is wanted, or if that is empty the first of the usual names; -1: none. */
int clc_csv_column(const clc_names *header, const char *wanted, const char *const *usual);

/* The names with commas between, as far as they fit. */
void clc_csv_describe(const clc_names *header, char *text, size_t size);

#endif
