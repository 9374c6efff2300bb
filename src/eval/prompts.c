#include "eval/prompts.h"

#include "text/utf8.h"

#include <string.h>

enum { MAX_BYTES = 64 << 20 };
static const char hole[] = "{}";

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* Takes white space off both ends. */
static void trim(const char **text, size_t *n) {
    for (; *n && is_blank(**text); ++*text)
        --*n;
    while (*n && is_blank((*text)[*n - 1]))
        --*n;
}

/* What is done with a line that isn't empty. */
typedef clc_status (*take_line)(void *context, const char *line, size_t n);

static clc_status each_line(const char *path, take_line take, void *context) {
    static const char mark[] = "\xef\xbb\xbf"; /* byte order mark */
    clc_status status = CLC_OK;
    void *bytes = NULL;
    size_t n, at, number = 0;
    CLC_TRY(clc_file_read_all(path, MAX_BYTES, &bytes, &n));
    const char *text = bytes;
    at = n >= 3 && !memcmp(text, mark, 3) ? 3 : 0;
    for (size_t end; at < n; at = end + 1) {
        const char *line = text + at, *found = memchr(line, '\n', n - at);
        size_t length = found ? (size_t)(found - line) : n - at;
        end = at + length;
        number++;
        trim(&line, &length);
        if (length && memchr(line, '\0', length))
            CLC_TRY(clc_fail(CLC_FORMAT, "a zero byte: it is no text"));
        if (length)
            CLC_TRY(take(context, line, length));
    }
fail:
    free(bytes);
    if (status == CLC_FORMAT && number)
        clc_fail_context(status, "%s:%zu", path, number);
    return status;
}

typedef struct reading {
    clc_name_set classes;
    clc_names words;     /* (classes) */
    clc_names templates; /* each with a hole */
} reading;

static clc_status take_class(void *context, const char *line, size_t n) {
    clc_status status = CLC_OK;
    reading *r = context;
    const char *tab = memchr(line, '\t', n), *words = tab ? tab + 1 : line;
    size_t length = tab ? (size_t)(tab - line) : n, number,
           words_length = n - (size_t)(words - line);
    bool added;
    trim(&line, &length);
    trim(&words, &words_length);
    CLC_TRY(clc_name_set_add(&r->classes, line, length, &number, &added));
    if (!added)
        CLC_TRY(clc_fail(CLC_FORMAT, "class '%.*s' is there already", (int)length, line));
    CLC_TRY(clc_names_add(&r->words, words, words_length));
fail:
    return status;
}

/* The hole of a template, or NULL. */
static const char *find_hole(const char *text, size_t n) {
    for (size_t i = 0; i + 2 <= n; i++)
        if (!memcmp(text + i, hole, 2))
            return text + i;
    return NULL;
}

static clc_status take_template(void *context, const char *line, size_t n) {
    reading *r = context;
    if (!find_hole(line, n))
        return clc_fail(CLC_FORMAT, "the template '%.*s' lacks {}, where the class goes",
                        n < 80 ? (int)n : 80, line);
    return clc_names_add(&r->templates, line, n);
}

/* Puts the words in all holes of the template. */
static clc_status fill(const clc_names *templates, size_t t, const char *words, size_t words_length,
                       clc_bytes *text) {
    clc_status status = CLC_OK;
    const char *from = clc_names_at(templates, t);
    size_t left = clc_names_length(templates, t);
    text->n = 0;
    while (left) {
        const char *at = find_hole(from, left);
        const size_t length = at ? (size_t)(at - from) : left;
        CLC_TRY(clc_bytes_reserve(text, length + words_length));
        memcpy(text->data + text->n, from, length);
        text->n += length;
        if (at) {
            memcpy(text->data + text->n, words, words_length);
            text->n += words_length;
        }
        from += length + (at ? 2 : 0);
        left -= length + (at ? 2 : 0);
    }
fail:
    return status;
}

static clc_status fill_all(const reading *r, clc_names *texts) {
    clc_status status = CLC_OK;
    clc_bytes text = {0};
    for (size_t c = 0; c < r->words.count; c++)
        for (size_t t = 0; t < r->templates.count; t++) {
            CLC_TRY(fill(&r->templates, t, clc_names_at(&r->words, c),
                         clc_names_length(&r->words, c), &text));
            CLC_TRY(clc_names_add(texts, text.data, text.n));
        }
fail:
    clc_bytes_free(&text);
    return status;
}

clc_status clc_prompts_load(const char *classes, const char *templates, clc_prompts *prompts) {
    clc_status status = CLC_OK;
    reading r = {0};
    *prompts = (clc_prompts){0};
    CLC_TRY(each_line(classes, take_class, &r));
    if (!r.words.count)
        CLC_TRY(clc_fail(CLC_FORMAT, "%s: no class in it; give one a line", classes));
    if (templates)
        CLC_TRY(each_line(templates, take_template, &r));
    else
        CLC_TRY(clc_names_add(&r.templates, hole, 2));
    if (!r.templates.count)
        CLC_TRY(clc_fail(CLC_FORMAT, "%s: no template in it; give one a line", templates));
    CLC_TRY(fill_all(&r, &prompts->texts));
    prompts->templates = r.templates.count;
    prompts->classes = r.classes.names;
    r.classes.names = (clc_names){0};
fail:
    clc_name_set_free(&r.classes);
    clc_names_free(&r.words);
    clc_names_free(&r.templates);
    if (status != CLC_OK)
        clc_prompts_free(prompts);
    return status;
}

void clc_prompts_free(clc_prompts *prompts) {
    clc_names_free(&prompts->classes);
    clc_names_free(&prompts->texts);
    *prompts = (clc_prompts){0};
}
