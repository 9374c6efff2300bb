/* Samples and their texts as they come. */
#include "data/texts_build.h"

#include "data/csv.h"
#include "data/format.h"

#include <stdio.h>
#include <string.h>

clc_status clc_texts_sample(clc_texts_builder *b, const char *name, bool merge, size_t *sample) {
    clc_status status = CLC_OK;
    bool added = true;
    *sample = b->texts->count;
    if (merge)
        CLC_TRY(clc_name_set_add(&b->pictures, name, strlen(name), sample, &added));
    if (!added)
        return CLC_OK;
    if (b->texts->count == b->label_capacity) {
        size_t capacity = b->label_capacity ? 2 * b->label_capacity : 256;
        int32_t *labels = realloc(b->labels, capacity * sizeof *labels);
        if (!labels)
            return clc_fail_alloc(capacity * sizeof *labels);
        b->labels = labels;
        b->label_capacity = capacity;
    }
    CLC_TRY(clc_names_add(&b->texts->names, name, strlen(name)));
    b->labels[b->texts->count++] = -1;
fail:
    return status;
}

clc_status clc_texts_picture(clc_texts_builder *b, const char *path, size_t *sample) {
    clc_status status = CLC_OK;
    const size_t n = strlen(path), prefix = *path == '/' ? 0 : strlen(b->folder);
    char *joined = NULL;
    CLC_NEW(joined, prefix + n + 1);
    memcpy(joined, b->folder, prefix);
    memcpy(joined + prefix, path, n);
    status = clc_texts_sample(b, joined, true, sample);
fail:
    free(joined);
    return status;
}

static void name_row(const clc_texts_builder *b, size_t line, char name[640]) {
    snprintf(name, 640, "%.600s:%zu", b->path, line);
}

clc_status clc_texts_row(clc_texts_builder *b, size_t line, size_t *sample) {
    char name[640];
    name_row(b, line, name);
    return clc_texts_sample(b, name, false, sample);
}

clc_status clc_texts_bad(clc_texts_builder *b, const char *name, const char *reason) {
    return clc_bad_files_add(&b->texts->bad, name, reason);
}

clc_status clc_texts_bad_row(clc_texts_builder *b, size_t line, const char *reason) {
    char name[640];
    name_row(b, line, name);
    return clc_texts_bad(b, name, reason);
}

static clc_status grow_blob(clc_texts_builder *b, size_t n) {
    size_t capacity = b->blob_capacity ? b->blob_capacity : 4096;
    while (capacity - b->texts->blob_bytes < n)
        capacity *= 2;
    char *blob = realloc(b->texts->blob, capacity);
    if (!blob)
        return clc_fail_alloc(capacity);
    b->texts->blob = blob;
    b->blob_capacity = capacity;
    return CLC_OK;
}

clc_status clc_texts_add(clc_texts_builder *b, size_t sample, size_t field, const char *text,
                         size_t n) {
    clc_status status = CLC_OK;
    for (; n > 0 && clc_is_blank(*text); n--)
        text++;
    while (n > 0 && clc_is_blank(text[n - 1]))
        n--;
    if (n == 0) {
        b->texts->empty++;
        return CLC_OK;
    }
    if (n > UINT32_MAX)
        return clc_fail(CLC_FORMAT, "%s: a text of %zu bytes", b->path, n);
    if (b->entry_count == b->entry_capacity) {
        size_t capacity = b->entry_capacity ? 2 * b->entry_capacity : 256;
        clc_text_entry *entries = realloc(b->entries, capacity * sizeof *entries);
        if (!entries)
            return clc_fail_alloc(capacity * sizeof *entries);
        b->entries = entries;
        b->entry_capacity = capacity;
    }
    if (n > b->blob_capacity - b->texts->blob_bytes)
        CLC_TRY(grow_blob(b, n));
    memcpy(b->texts->blob + b->texts->blob_bytes, text, n);
    b->entries[b->entry_count++] =
        (clc_text_entry){sample, (uint32_t)field, (uint32_t)n, b->texts->blob_bytes};
    b->texts->blob_bytes += n;
fail:
    return status;
}

clc_status clc_texts_add_lines(clc_texts_builder *b, size_t sample, size_t field, const char *text,
                               size_t n) {
    clc_status status = CLC_OK;
    for (size_t at = 0; at < n;) {
        const char *end = memchr(text + at, '\n', n - at);
        const size_t length = end ? (size_t)(end - text) - at : n - at;
        CLC_TRY(clc_texts_add(b, sample, field, text + at, length));
        at += length + 1;
    }
fail:
    return status;
}

clc_status clc_texts_class(clc_texts_builder *b, const char *text, int32_t *label) {
    clc_status status = CLC_OK;
    size_t number;
    *label = -1;
    while (clc_is_blank(*text))
        text++;
    size_t n = strlen(text);
    while (n > 0 && clc_is_blank(text[n - 1]))
        n--;
    if (n == 0 || (n == 2 && !memcmp(text, "-1", 2)))
        return CLC_OK;
    CLC_TRY(clc_name_set_add(&b->classes, text, n, &number, NULL));
    *label = (int32_t)number;
fail:
    return status;
}

clc_status clc_texts_reject(clc_texts_builder *b, size_t sample, const char *reason) {
    b->labels[sample] = CLC_TEXTS_REJECTED;
    return clc_texts_bad(b, clc_names_at(&b->texts->names, sample), reason);
}

bool clc_texts_wants(const clc_texts_builder *b, const char *split) {
    char word[16] = "";
    if (b->options->split == CLC_SPLIT_ALL)
        return true;
    while (clc_is_blank(*split))
        split++;
    size_t n = strlen(split);
    while (n > 0 && clc_is_blank(split[n - 1]))
        n--;
    if (n < sizeof word)
        memcpy(word, split, n);
    return clc_split_of_word(word) == b->options->split;
}

static const char *const usual_pairs[] = {"sent0", "sent1", "hard_neg"};
static const char *const usual_texts[] = {"caption", "text",        "sentence",
                                          "title",   "description", NULL};

static clc_status add_field(clc_texts_builder *b, const clc_names *header, const char *name,
                            clc_texts_columns *columns, bool *found) {
    const int column = clc_csv_find(header, name);
    *found = *found && column >= 0;
    columns->fields[b->texts->fields.count] = column;
    return clc_names_add(&b->texts->fields, name, strlen(name));
}

clc_status clc_texts_find_columns(clc_texts_builder *b, const clc_names *header,
                                  clc_texts_columns *c, bool *found) {
    clc_status status = CLC_OK;
    const clc_texts_options *o = b->options;
    const bool pair =
        clc_csv_find(header, usual_pairs[0]) >= 0 && clc_csv_find(header, usual_pairs[1]) >= 0;
    *found = true;
    clc_names_truncate(&b->texts->fields, 0);
    for (size_t i = 0; i < b->wanted.count; i++)
        CLC_TRY(add_field(b, header, clc_names_at(&b->wanted, i), c, found));
    for (size_t i = 0; i < 3 && !b->wanted.count && pair; i++)
        if (clc_csv_find(header, usual_pairs[i]) >= 0)
            CLC_TRY(add_field(b, header, usual_pairs[i], c, found));
    const int usual = clc_csv_column(header, "", usual_texts);
    if (!b->texts->fields.count && usual >= 0)
        CLC_TRY(add_field(b, header, clc_names_at(header, (size_t)usual), c, found));
    c->path = o->pictures ? clc_csv_column(header, o->path_column, clc_csv_path_names) : -1;
    c->label = clc_csv_column(header, o->label_column, clc_csv_label_names);
    c->split = clc_csv_column(header, o->split_column, clc_csv_split_names);
    b->texts->divided = c->split >= 0;
    *found = *found && b->texts->fields.count > 0 && (!o->pictures || c->path >= 0) &&
             (!*o->label_column || c->label >= 0) && (!*o->split_column || c->split >= 0);
fail:
    return status;
}

/* The first name that is wanted and isn't there. */
static const char *missing(const clc_texts_builder *b, const clc_names *header) {
    const clc_texts_options *o = b->options;
    for (size_t i = 0; i < b->wanted.count; i++)
        if (clc_csv_find(header, clc_names_at(&b->wanted, i)) < 0)
            return clc_names_at(&b->wanted, i);
    if (!b->wanted.count && !b->texts->fields.count)
        return "of texts (caption, text, sentence, title, description, or sent0 and sent1)";
    if (o->pictures && clc_csv_column(header, o->path_column, clc_csv_path_names) < 0)
        return *o->path_column ? o->path_column
                               : "of pictures (path, file, filename, filepath or image)";
    return *o->label_column && clc_csv_find(header, o->label_column) < 0 ? o->label_column
                                                                         : o->split_column;
}

clc_status clc_texts_no_column(const clc_texts_builder *b, const clc_names *header) {
    char text[1024];
    clc_csv_describe(header, text, sizeof text);
    return clc_fail(CLC_FORMAT, "%s has no column %s; there are: %s", b->path, missing(b, header),
                    text);
}
