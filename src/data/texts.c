/* Opens texts of any format, and puts them in the order of samples. */
#include "data/texts_build.h"

#include "core/file.h"
#include "data/format.h"

#include <stdio.h>
#include <string.h>

/* 4 GB of captions, held in memory twice for a moment. */
static const size_t max_bytes = (size_t)4 << 30;

/* firsts and spans, by counting; samples without a text of some field are left out. */
static clc_status sort_entries(clc_texts_builder *b) {
    clc_status status = CLC_OK;
    clc_texts *t = b->texts;
    const size_t fields = t->fields.count;
    size_t *at = NULL;
    CLC_NEW(t->firsts, t->count * fields + 1);
    CLC_NEW(at, t->count * fields);
    CLC_NEW(t->spans, b->entry_count);
    for (size_t i = 0; i < b->entry_count; i++)
        t->firsts[b->entries[i].sample * fields + b->entries[i].field + 1]++;
    for (size_t i = 0; i < t->count * fields; i++) {
        t->firsts[i + 1] += t->firsts[i];
        at[i] = t->firsts[i];
    }
    for (size_t i = 0; i < b->entry_count; i++) {
        const clc_text_entry *e = &b->entries[i];
        t->spans[at[e->sample * fields + e->field]++] = (clc_text_span){e->offset, e->length};
    }
fail:
    free(at);
    return status;
}

/* The first field that the sample has no text of; the number of fields: it has all. */
static size_t lacks(const clc_texts *t, size_t sample) {
    size_t field = 0, n;
    while (field < t->fields.count && (clc_texts_of(t, sample, field, &n), n > 0))
        field++;
    return field;
}

static clc_status drop_incomplete(clc_texts_builder *b) {
    clc_status status = CLC_OK;
    clc_texts *t = b->texts;
    const size_t fields = t->fields.count;
    clc_names kept = {0};
    size_t to = 0, spans = 0;
    char reason[128];
    for (size_t s = 0; s < t->count; s++) {
        const size_t lacking = lacks(t, s), *first = t->firsts + s * fields;
        if (b->labels[s] == CLC_TEXTS_REJECTED)
            continue;
        if (lacking < fields) {
            snprintf(reason, sizeof reason, "no text in %.80s", clc_names_at(&t->fields, lacking));
            CLC_TRY(clc_texts_bad(b, clc_names_at(&t->names, s), reason));
            continue;
        }
        const size_t n = first[fields] - first[0], shift = first[0] - spans;
        memmove(t->spans + spans, t->spans + first[0], n * sizeof *t->spans);
        for (size_t f = 0; f < fields; f++)
            t->firsts[to * fields + f] = first[f] - shift;
        CLC_TRY(clc_names_add(&kept, clc_names_at(&t->names, s), clc_names_length(&t->names, s)));
        b->labels[to++] = b->labels[s];
        spans += n;
    }
    t->firsts[to * fields] = spans;
    t->count = to;
    clc_names_free(&t->names);
    t->names = kept;
    return CLC_OK;
fail:
    clc_names_free(&kept);
    return status;
}

static clc_status finish(clc_texts_builder *b) {
    clc_status status = CLC_OK;
    clc_texts *t = b->texts;
    bool labelled = false;
    CLC_TRY(sort_entries(b));
    CLC_TRY(drop_incomplete(b));
    if (t->count == 0)
        return clc_fail(CLC_FORMAT, "%s: no sample has a text%s%s", b->path,
                        t->bad.count ? "; the first bad one: " : "",
                        t->bad.count ? clc_names_at(&t->bad.entries, 1) : "");
    for (size_t i = 0; i < t->count; i++)
        labelled = labelled || b->labels[i] >= 0;
    if (!labelled)
        return CLC_OK;
    CLC_TRY(clc_classes_number(&b->classes, b->options->known, b->labels, t->count, &t->classes));
    t->labels = b->labels;
    b->labels = NULL;
fail:
    return status;
}

static clc_status read_file(clc_texts_builder *b) {
    clc_status status = CLC_OK;
    void *text = NULL;
    size_t n;
    bool taken = false;
    CLC_TRY(clc_file_read_all(b->path, max_bytes, &text, &n));
    CLC_TRY(clc_texts_read_json(b, text, n, &taken));
    if (!taken)
        status = clc_texts_read_table(b, text, n);
fail:
    free(text);
    return status;
}

static clc_status read_any(clc_texts_builder *b) {
    struct stat info;
    if (stat(b->path, &info) != 0)
        return clc_fail_file("read", b->path);
    if (S_ISDIR(info.st_mode))
        return clc_texts_read_folder(b);
    if (clc_format_tar.recognise(b->path))
        return clc_texts_read_tar(b);
    return read_file(b);
}

/* The names between commas, without blanks around them. */
static clc_status split_columns(clc_texts_builder *b) {
    clc_status status = CLC_OK;
    for (const char *at = b->options->columns; *at;) {
        const char *begin = at + strspn(at, " \t"), *end = begin + strcspn(begin, ",");
        at = *end ? end + 1 : end;
        while (end > begin && clc_is_blank(end[-1]))
            end--;
        if (end > begin)
            CLC_TRY(clc_names_add(&b->wanted, begin, (size_t)(end - begin)));
    }
    if (b->wanted.count > CLC_TEXT_FIELDS_MAX)
        status = clc_fail(CLC_INVALID, "%zu columns of texts; %d are possible", b->wanted.count,
                          CLC_TEXT_FIELDS_MAX);
fail:
    return status;
}

/* Where paths of pictures in the file start. */
static clc_status find_folder(clc_texts_builder *b) {
    clc_status status = CLC_OK;
    const char *given = b->options->folder;
    const size_t n = *given ? strlen(given) : (size_t)(clc_base_name(b->path) - b->path);
    free(b->folder);
    CLC_NEW(b->folder, n + 2);
    memcpy(b->folder, *given ? given : b->path, n);
    if (n > 0 && b->folder[n - 1] != '/')
        b->folder[n] = '/';
fail:
    return status;
}

static const char *first_of(const clc_names *fields) {
    return fields->count ? clc_names_at(fields, 0) : "none";
}

static clc_status check_alike(const clc_texts_builder *b, const char *other,
                              const clc_names *fields, bool divided) {
    const clc_texts *t = b->texts;
    bool same = t->fields.count == fields->count;
    for (size_t i = 0; same && i < fields->count; i++)
        same = !strcmp(clc_names_at(&t->fields, i), clc_names_at(fields, i));
    if (!same)
        return clc_fail(CLC_FORMAT,
                        "%s has texts in %zu columns (%s ...), but %s in %zu (%s ...); name those "
                        "that all have with data.text_columns",
                        b->path, t->fields.count, first_of(&t->fields), other, fields->count,
                        first_of(fields));
    if (t->divided != divided)
        return clc_fail(CLC_FORMAT,
                        "of %s and %s one has a column of splits and the other has none", other,
                        b->path);
    return CLC_OK;
}

/* Reads one file or folder behind those before, the last of which is `other` (NULL: none). */
static clc_status read_next(clc_texts_builder *b, const char *path, const char *other) {
    clc_status status = CLC_OK;
    clc_names fields = b->texts->fields;
    const bool divided = b->texts->divided;
    b->path = path;
    b->texts->fields = (clc_names){0};
    b->texts->divided = false;
    CLC_TRY(find_folder(b));
    CLC_TRY(read_any(b));
    if (other)
        CLC_TRY(check_alike(b, other, &fields, divided));
fail:
    clc_names_free(&fields);
    return status;
}

static void free_builder(clc_texts_builder *b) {
    free(b->folder);
    free(b->labels);
    free(b->entries);
    clc_names_free(&b->wanted);
    clc_name_set_free(&b->pictures);
    clc_name_set_free(&b->classes);
    clc_texts_close(&b->texts);
}

static const char *text_or_empty(const char *text) {
    return text ? text : "";
}

clc_status clc_texts_open_all(const clc_names *paths, const clc_texts_options *options,
                              clc_texts **texts) {
    clc_status status = CLC_OK;
    clc_texts_options o = *options;
    o.columns = text_or_empty(o.columns);
    o.path_column = text_or_empty(o.path_column);
    o.label_column = text_or_empty(o.label_column);
    o.split_column = text_or_empty(o.split_column);
    o.folder = text_or_empty(o.folder);
    clc_texts_builder b = {.options = &o, .path = clc_names_at(paths, 0)};
    *texts = NULL;
    CLC_NEW(b.texts, 1);
    CLC_TRY(split_columns(&b));
    for (size_t i = 0; i < paths->count; i++)
        CLC_TRY(read_next(&b, clc_names_at(paths, i), i ? clc_names_at(paths, i - 1) : NULL));
    CLC_TRY(finish(&b));
    *texts = b.texts;
    b.texts = NULL;
fail:
    if (status == CLC_FORMAT && strncmp(clc_error(), b.path, strlen(b.path)))
        clc_fail_context(status, "%s", b.path);
    free_builder(&b);
    return status;
}

clc_status clc_texts_open(const char *path, const clc_texts_options *options, clc_texts **texts) {
    clc_names paths = {0};
    clc_status status = clc_names_add(&paths, path, strlen(path));
    if (status == CLC_OK)
        status = clc_texts_open_all(&paths, options, texts);
    clc_names_free(&paths);
    return status;
}

void clc_texts_close(clc_texts **texts) {
    clc_texts *t = *texts;
    if (!t)
        return;
    clc_names_free(&t->fields);
    clc_names_free(&t->names);
    clc_names_free(&t->classes);
    clc_names_free(&t->bad.entries);
    free(t->firsts);
    free(t->spans);
    free(t->blob);
    free(t->labels);
    free(t);
    *texts = NULL;
}
