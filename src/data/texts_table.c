/* Tables of texts, and lines of text. */
#include "data/csv.h"
#include "data/texts_build.h"

#include <stdio.h>
#include <string.h>

static clc_status first_record(const char *text, size_t n, char separator, clc_names *fields) {
    bool more;
    clc_csv csv = clc_csv_start(text, n, separator);
    return clc_csv_next(&csv, fields, &more);
}

/* The separator with which the first line names all columns that are needed. */
static clc_status find_separator(clc_texts_builder *b, const char *text, size_t n, char *separator,
                                 clc_names *header, clc_texts_columns *columns, bool *found) {
    static const char separators[] = {',', ';', '\t'};
    clc_status status = CLC_OK;
    size_t most = 0;
    char likely = ',';
    *found = false;
    for (size_t i = 0; i < sizeof separators; i++) {
        if (first_record(text, n, separators[i], header) != CLC_OK)
            continue;
        if (header->count > most)
            likely = separators[i];
        most = header->count > most ? header->count : most;
        CLC_TRY(clc_texts_find_columns(b, header, columns, found));
        *separator = separators[i];
        if (*found)
            return CLC_OK;
    }
    if (first_record(text, n, likely, header) != CLC_OK)
        clc_names_truncate(header, 0);
    status = clc_texts_find_columns(b, header, columns, found);
fail:
    return status;
}

static clc_status read_row(clc_texts_builder *b, const clc_csv *csv, const clc_names *record,
                           size_t width, const clc_texts_columns *c) {
    clc_status status = CLC_OK;
    char reason[96];
    size_t sample;
    int32_t label = -1;
    if (record->count != width) {
        snprintf(reason, sizeof reason, "%zu fields in place of %zu", record->count, width);
        return clc_texts_bad_row(b, csv->line, reason);
    }
    /* Classes of other splits count, too: both have the same numbers. */
    if (c->label >= 0)
        CLC_TRY(clc_texts_class(b, clc_names_at(record, (size_t)c->label), &label));
    if (c->split >= 0 && !clc_texts_wants(b, clc_names_at(record, (size_t)c->split)))
        return CLC_OK;
    const char *path = c->path >= 0 ? clc_names_at(record, (size_t)c->path) : NULL;
    if (path && !*path)
        return clc_texts_bad_row(b, csv->line, "no path of a picture");
    if (path)
        CLC_TRY(clc_texts_picture(b, path, &sample));
    else
        CLC_TRY(clc_texts_row(b, csv->line, &sample));
    b->labels[sample] = label;
    for (size_t f = 0; f < b->texts->fields.count; f++) {
        const size_t column = (size_t)c->fields[f];
        CLC_TRY(clc_texts_add(b, sample, f, clc_names_at(record, column),
                              clc_names_length(record, column)));
    }
fail:
    return status;
}

static clc_status read_rows(clc_texts_builder *b, clc_csv csv, size_t width,
                            const clc_texts_columns *columns) {
    clc_status status = CLC_OK;
    clc_names record = {0};
    bool more;
    CLC_TRY(clc_csv_next(&csv, &record, &more)); /* the header */
    for (;;) {
        CLC_TRY(clc_csv_next(&csv, &record, &more));
        if (!more)
            break;
        CLC_TRY(read_row(b, &csv, &record, width, columns));
    }
fail:
    clc_names_free(&record);
    return status;
}

static clc_status read_lines(clc_texts_builder *b, const char *text, size_t n) {
    clc_status status = CLC_OK;
    size_t at = n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0, sample, line = 0;
    CLC_TRY(clc_names_add(&b->texts->fields, "text", 4));
    while (at < n) {
        const char *end = memchr(text + at, '\n', n - at);
        const size_t length = end ? (size_t)(end - text) - at : n - at;
        const size_t before = b->entry_count;
        line++;
        if (memchr(text + at, 0, length))
            CLC_TRY(clc_fail(CLC_FORMAT, "%s:%zu: a byte of zero; is it text?", b->path, line));
        CLC_TRY(clc_texts_add(b, b->texts->count, 0, text + at, length));
        if (b->entry_count > before)
            CLC_TRY(clc_texts_row(b, line, &sample));
        at += length + 1;
    }
fail:
    return status;
}

clc_status clc_texts_read_table(clc_texts_builder *b, const char *text, size_t n) {
    clc_status status = CLC_OK;
    clc_names header = {0};
    clc_texts_columns columns;
    bool found;
    char separator = ',';
    const clc_texts_options *o = b->options;
    CLC_TRY(find_separator(b, text, n, &separator, &header, &columns, &found));
    if (found)
        status = read_rows(b, clc_csv_start(text, n, separator), header.count, &columns);
    else if (b->wanted.count || b->texts->fields.count || o->pictures || *o->label_column ||
             *o->split_column)
        status = clc_texts_no_column(b, &header);
    else
        status = read_lines(b, text, n);
fail:
    clc_names_free(&header);
    return status;
}
