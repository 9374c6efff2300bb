/* Tables as text: fields between separators, quoted as RFC 4180 says. */
#ifndef CLC_DATA_CSV_H
#define CLC_DATA_CSV_H

#include "data/names.h"

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

#endif
