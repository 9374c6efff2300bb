#include "text/synonyms.h"

#include "core/file.h"

#include <string.h>

enum { MAX_BYTES = 256 << 20, GROUP_MAX = 256 };

typedef struct pair {
    int32_t from, to;
} pair;

typedef struct reader {
    clc_tokenizer *tokenizer;
    clc_synonyms *synonyms;
    clc_ids ids;
    int32_t group[GROUP_MAX];
    size_t group_count;
    pair *pairs;
    size_t count, capacity;
} reader;

static clc_status add_pair(reader *r, int32_t from, int32_t to) {
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? 2 * r->capacity : 1024;
        pair *pairs = realloc(r->pairs, capacity * sizeof *pairs);
        if (!pairs)
            return clc_fail_alloc(capacity * sizeof *pairs);
        r->pairs = pairs;
        r->capacity = capacity;
    }
    r->pairs[r->count++] = (pair){from, to};
    return CLC_OK;
}

static clc_status read_word(reader *r, const char *word, size_t n) {
    clc_status status = CLC_OK;
    while (n > 0 && strchr(" \r", *word)) {
        word++;
        n--;
    }
    while (n > 0 && strchr(" \r", word[n - 1]))
        n--;
    if (n == 0)
        return CLC_OK;
    r->ids.n = 0;
    CLC_TRY(clc_tokenizer_encode(r->tokenizer, word, n, 2, false, &r->ids));
    if (r->ids.n != 1 || r->ids.data[0] == CLC_TOKEN_UNKNOWN || r->group_count == GROUP_MAX) {
        r->synonyms->left_out++;
        return CLC_OK;
    }
    r->synonyms->words++;
    r->group[r->group_count++] = r->ids.data[0];
fail:
    return status;
}

static clc_status read_line(reader *r, const char *line, size_t n) {
    clc_status status = CLC_OK;
    r->group_count = 0;
    for (size_t at = 0, end; at <= n; at = end + 1) {
        for (end = at; end < n && line[end] != ',' && line[end] != '\t';)
            end++;
        CLC_TRY(read_word(r, line + at, end - at));
    }
    for (size_t i = 0; i < r->group_count; i++)
        for (size_t k = 0; k < r->group_count; k++)
            if (r->group[i] != r->group[k])
                CLC_TRY(add_pair(r, r->group[i], r->group[k]));
fail:
    return status;
}

static int compare(const void *a, const void *b) {
    const pair *x = a, *y = b;
    return x->from != y->from ? (x->from > y->from) - (x->from < y->from)
                              : (x->to > y->to) - (x->to < y->to);
}

static clc_status make_table(reader *r) {
    clc_status status = CLC_OK;
    clc_synonyms *s = r->synonyms;
    const size_t vocabulary = (size_t)clc_tokenizer_vocabulary(r->tokenizer);
    int32_t n = 0;
    CLC_NEW(s->starts, vocabulary + 1);
    CLC_NEW(s->ids, r->count);
    qsort(r->pairs, r->count, sizeof *r->pairs, compare);
    for (size_t i = 0; i < r->count; i++) {
        if (i > 0 && !compare(&r->pairs[i - 1], &r->pairs[i]))
            continue;
        s->ids[n++] = r->pairs[i].to;
        s->starts[r->pairs[i].from + 1]++;
    }
    for (size_t i = 0; i < vocabulary; i++)
        s->starts[i + 1] += s->starts[i];
fail:
    return status;
}

clc_status clc_synonyms_load(const char *path, clc_tokenizer *tokenizer, clc_synonyms *synonyms) {
    clc_status status = CLC_OK;
    reader r = {.tokenizer = tokenizer, .synonyms = synonyms};
    void *bytes = NULL;
    size_t n;
    *synonyms = (clc_synonyms){0};
    CLC_TRY(clc_file_read_all(path, MAX_BYTES, &bytes, &n));
    const char *text = bytes;
    for (size_t at = 0; at < n;) {
        const char *end = memchr(text + at, '\n', n - at);
        const size_t length = end ? (size_t)(end - text) - at : n - at;
        CLC_TRY(read_line(&r, text + at, length));
        at += length + 1;
    }
    if (r.count == 0)
        CLC_TRY(clc_fail(CLC_FORMAT,
                         "%s: no line has two words that are one token each (%zu words are, %zu "
                         "are not); words of a line have tabs or commas between",
                         path, synonyms->words, synonyms->left_out));
    if (r.count > INT32_MAX)
        CLC_TRY(clc_fail(CLC_FORMAT, "%s: %zu pairs of synonyms are too many", path, r.count));
    status = make_table(&r);
fail:
    free(bytes);
    free(r.pairs);
    clc_ids_free(&r.ids);
    if (status != CLC_OK)
        clc_synonyms_free(synonyms);
    return status;
}

void clc_synonyms_free(clc_synonyms *synonyms) {
    free(synonyms->starts);
    free(synonyms->ids);
    *synonyms = (clc_synonyms){0};
}
