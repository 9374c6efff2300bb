#include "data/csv.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

clc_csv clc_csv_start(const void *text, size_t n, char separator) {
    clc_csv csv = {.text = text, .n = n, .separator = separator};
    if (n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
        csv.at = 3;
    return csv;
}

/* Whether the line ends here; *length: the bytes that end it. */
static bool line_ends(const clc_csv *csv, size_t at, size_t *length) {
    *length = 0;
    if (at == csv->n)
        return true;
    if (csv->text[at] == '\n')
        *length = 1;
    else if (csv->text[at] == '\r' && (at + 1 == csv->n || csv->text[at + 1] == '\n'))
        *length = at + 1 == csv->n ? 1 : 2;
    return *length > 0;
}

/* Passes over the quotation that begins here. */
static clc_status skip_quoted(clc_csv *csv) {
    for (csv->at++; csv->at < csv->n; csv->at++) {
        csv->lines += csv->text[csv->at] == '\n';
        if (csv->text[csv->at] != '"')
            continue;
        csv->at++;
        if (csv->at == csv->n || csv->text[csv->at] != '"')
            return CLC_OK;
    }
    return clc_fail(CLC_FORMAT, "line %zu: a quotation begins here or below and does not end",
                    csv->line);
}

/* Takes the quotes from the last field, in place. What stands behind a quotation belongs to the
 * field, as most programs have it. */
static void unquote(clc_names *fields) {
    size_t start = fields->starts[fields->count - 1], n = fields->bytes - start - 1, to = 0;
    char *text = fields->text + start;
    bool inside = true;
    for (size_t i = 1; i < n; i++) {
        if (inside && text[i] == '"' && text[i + 1] != '"')
            inside = false;
        else
            text[to++] = text[i];
        i += inside && text[i] == '"';
    }
    text[to] = '\0';
    fields->bytes = start + to + 1;
}

static clc_status read_field(clc_csv *csv, clc_names *fields) {
    clc_status status = CLC_OK;
    size_t start = csv->at, end;
    bool quoted = csv->separator && csv->at < csv->n && csv->text[csv->at] == '"';
    if (quoted)
        CLC_TRY(skip_quoted(csv));
    while (!line_ends(csv, csv->at, &end) &&
           !(csv->separator && csv->text[csv->at] == csv->separator))
        csv->at++;
    if (memchr(csv->text + start, 0, csv->at - start))
        return clc_fail(CLC_FORMAT, "line %zu: a byte of zero; is it a list?", csv->line);
    CLC_TRY(clc_names_add(fields, csv->text + start, csv->at - start));
    if (quoted)
        unquote(fields);
fail:
    return status;
}

clc_status clc_csv_next(clc_csv *csv, clc_names *fields, bool *more) {
    clc_status status = CLC_OK;
    size_t end;
    clc_names_truncate(fields, 0);
    *more = false;
    for (; csv->at < csv->n && line_ends(csv, csv->at, &end); csv->at += end)
        csv->lines++;
    if (csv->at == csv->n)
        return CLC_OK;
    csv->line = csv->lines + 1;
    for (bool last = false; !last;) {
        CLC_TRY(read_field(csv, fields));
        last = line_ends(csv, csv->at, &end);
        csv->at += last ? end : 1;
    }
    csv->lines++;
    *more = true;
fail:
    return status;
}

const char *const clc_csv_path_names[] = {"path", "file", "filename", "filepath", "image", NULL};
const char *const clc_csv_label_names[] = {"label", "class", "target", NULL};
const char *const clc_csv_split_names[] = {"split", NULL};

int clc_csv_find(const clc_names *header, const char *name) {
    for (size_t i = 0; i < header->count; i++)
        if (!strcmp(clc_names_at(header, i), name))
            return (int)i;
    for (size_t i = 0; i < header->count; i++)
        if (!strcasecmp(clc_names_at(header, i), name))
            return (int)i;
    return -1;
}

int clc_csv_column(const clc_names *header, const char *wanted, const char *const *usual) {
    int column = -1;
    if (*wanted)
        return clc_csv_find(header, wanted);
    for (size_t i = 0; column < 0 && usual[i]; i++)
        column = clc_csv_find(header, usual[i]);
    return column;
}

void clc_csv_describe(const clc_names *header, char *text, size_t size) {
    text[0] = '\0';
    for (size_t i = 0, n = 0; i < header->count && n + 80 < size; i++)
        n +=
            (size_t)snprintf(text + n, size - n, "%s%.60s", i ? ", " : "", clc_names_at(header, i));
}
