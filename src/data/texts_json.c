/* Texts in JSON: an object a line, an array of objects, COCO's captions. */
#include "data/texts_build.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *clc_json_text(const json_t *value, char number[32]) {
    if (json_is_integer(value)) {
        snprintf(number, 32, "%lld", (long long)json_integer_value(value));
        return number;
    }
    return json_string_value(value);
}

clc_status clc_texts_add_json(clc_texts_builder *b, size_t sample, size_t field,
                              const json_t *value, bool *good) {
    clc_status status = CLC_OK;
    const json_t *one;
    size_t i;
    *good = json_is_string(value) || json_is_array(value);
    if (json_is_string(value))
        return clc_texts_add(b, sample, field, json_string_value(value), json_string_length(value));
    json_array_foreach(value, i, one) {
        *good = *good && json_is_string(one);
        if (*good)
            CLC_TRY(
                clc_texts_add(b, sample, field, json_string_value(one), json_string_length(one)));
    }
fail:
    return status;
}

static clc_status keys_of(const json_t *object, clc_names *keys) {
    clc_status status = CLC_OK;
    const char *name;
    json_t *value;
    clc_names_truncate(keys, 0);
    json_object_foreach((json_t *)object, name, value)
        CLC_TRY(clc_names_add(keys, name, strlen(name)));
fail:
    return status;
}

/* What is found where, of the first object: the others are looked up by these names. */
typedef struct rows {
    bool known;
    clc_names keys; /* of the first object */
    clc_texts_columns columns;
} rows;

static const json_t *value_at(const rows *r, const json_t *object, int column) {
    return column < 0 ? NULL : json_object_get(object, clc_names_at(&r->keys, (size_t)column));
}

/* Whether the value is a text or an array of texts. */
static bool is_texts(const json_t *value) {
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!json_is_string(json_array_get(value, i)))
            return false;
    return json_is_string(value) || json_is_array(value);
}

/* The first field that the object has no texts of; the number of fields: it has all. */
static size_t lacks(const clc_texts_builder *b, const rows *r, const json_t *object) {
    size_t f = 0;
    while (f < b->texts->fields.count && is_texts(value_at(r, object, r->columns.fields[f])))
        f++;
    return f;
}

static clc_status bad_value(clc_texts_builder *b, const rows *r, const json_t *object, size_t field,
                            size_t line) {
    char reason[128];
    snprintf(reason, sizeof reason, "%.80s is %s", clc_names_at(&b->texts->fields, field),
             value_at(r, object, r->columns.fields[field]) ? "no text and no array of texts"
                                                           : "not there");
    return clc_texts_bad_row(b, line, reason);
}

static clc_status add_values(clc_texts_builder *b, const rows *r, const json_t *object,
                             size_t line) {
    clc_status status = CLC_OK;
    bool good;
    size_t sample;
    int32_t label = -1;
    char number[32];
    const char *class = clc_json_text(value_at(r, object, r->columns.label), number);
    const char *split = json_string_value(value_at(r, object, r->columns.split));
    const char *path = json_string_value(value_at(r, object, r->columns.path));
    if (class)
        CLC_TRY(clc_texts_class(b, class, &label));
    if (r->columns.split >= 0 && !clc_texts_wants(b, split ? split : ""))
        return CLC_OK;
    if (r->columns.path >= 0 && !(path && *path))
        return clc_texts_bad_row(b, line, "no path of a picture");
    const size_t lacking = lacks(b, r, object);
    if (lacking < b->texts->fields.count)
        return bad_value(b, r, object, lacking, line);
    if (path)
        CLC_TRY(clc_texts_picture(b, path, &sample));
    else
        CLC_TRY(clc_texts_row(b, line, &sample));
    b->labels[sample] = label;
    for (size_t f = 0; f < b->texts->fields.count; f++)
        CLC_TRY(clc_texts_add_json(b, sample, f, value_at(r, object, r->columns.fields[f]), &good));
fail:
    return status;
}

static clc_status read_object(clc_texts_builder *b, rows *r, const json_t *object, size_t line) {
    clc_status status = CLC_OK;
    bool found = true;
    if (!json_is_object(object))
        return clc_texts_bad_row(b, line, "no JSON object");
    if (!r->known) {
        CLC_TRY(keys_of(object, &r->keys));
        CLC_TRY(clc_texts_find_columns(b, &r->keys, &r->columns, &found));
        if (!found)
            return clc_texts_no_column(b, &r->keys);
        r->known = true;
    }
    status = add_values(b, r, object, line);
fail:
    return status;
}

static clc_status read_lines(clc_texts_builder *b, const char *text, size_t n) {
    clc_status status = CLC_OK;
    rows r = {0};
    json_error_t error;
    json_t *object = NULL;
    size_t line = 0;
    for (size_t at = 0; at < n;) {
        const char *end = memchr(text + at, '\n', n - at);
        size_t length = end ? (size_t)(end - text) - at : n - at, begin = at;
        at += length + 1;
        line++;
        for (; length > 0 && clc_is_blank(text[begin]); length--)
            begin++;
        if (length == 0)
            continue;
        json_decref(object);
        object = json_loadb(text + begin, length, 0, &error);
        if (object)
            CLC_TRY(read_object(b, &r, object, line));
        else
            CLC_TRY(clc_texts_bad_row(b, line, error.text));
    }
fail:
    json_decref(object);
    clc_names_free(&r.keys);
    return status;
}

static clc_status read_array(clc_texts_builder *b, const json_t *array) {
    clc_status status = CLC_OK;
    rows r = {0};
    const json_t *object;
    size_t i;
    json_array_foreach(array, i, object) CLC_TRY(read_object(b, &r, object, i + 1));
fail:
    clc_names_free(&r.keys);
    return status;
}

/* COCO's pictures, by the number that annotations know them by. */
static clc_status read_pictures(clc_texts_builder *b, const json_t *images, clc_name_set *ids,
                                size_t **samples) {
    clc_status status = CLC_OK;
    const json_t *image;
    char number[32], reason[64];
    size_t i, id;
    bool added;
    CLC_NEW(*samples, json_array_size(images));
    json_array_foreach(images, i, image) {
        const char *file = json_string_value(json_object_get(image, "file_name"));
        const char *name = clc_json_text(json_object_get(image, "id"), number);
        snprintf(reason, sizeof reason, "picture %zu has no id or no file_name", i);
        if (!file || !*file || !name) {
            CLC_TRY(clc_texts_bad(b, b->path, reason));
            continue;
        }
        CLC_TRY(clc_name_set_add(ids, name, strlen(name), &id, &added));
        CLC_TRY(clc_texts_picture(b, file, &(*samples)[id]));
    }
fail:
    return status;
}

static clc_status read_coco(clc_texts_builder *b, const json_t *root) {
    clc_status status = CLC_OK;
    clc_name_set ids = {0};
    size_t *samples = NULL, i;
    const json_t *annotation;
    char number[32], reason[128];
    bool good;
    CLC_TRY(clc_names_add(&b->texts->fields, "caption", 7));
    CLC_TRY(read_pictures(b, json_object_get(root, "images"), &ids, &samples));
    json_array_foreach(json_object_get(root, "annotations"), i, annotation) {
        const char *name = clc_json_text(json_object_get(annotation, "image_id"), number);
        const size_t id = name ? clc_name_set_find(&ids, name, strlen(name)) : SIZE_MAX;
        if (id == SIZE_MAX) {
            snprintf(reason, sizeof reason, "annotation %zu is of picture %.40s, which isn't there",
                     i, name ? name : "(none)");
            CLC_TRY(clc_texts_bad(b, b->path, reason));
            continue;
        }
        CLC_TRY(
            clc_texts_add_json(b, samples[id], 0, json_object_get(annotation, "caption"), &good));
        if (good)
            continue;
        snprintf(reason, sizeof reason, "annotation %zu has no caption", i);
        CLC_TRY(clc_texts_bad(b, b->path, reason));
    }
fail:
    clc_name_set_free(&ids);
    free(samples);
    return status;
}

static bool ends_as(const char *path, const char *end) {
    const size_t n = strlen(path), m = strlen(end);
    return n >= m && !strcasecmp(path + n - m, end);
}

static bool is_coco(const json_t *root) {
    return json_is_array(json_object_get(root, "images")) &&
           json_is_array(json_object_get(root, "annotations"));
}

clc_status clc_texts_read_json(clc_texts_builder *b, const char *text, size_t n, bool *taken) {
    clc_status status = CLC_OK;
    json_error_t error;
    size_t at = n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (at < n && clc_is_blank(text[at]))
        at++;
    *taken = at < n && (text[at] == '{' || text[at] == '[');
    if (!*taken)
        return CLC_OK;
    const char *end = memchr(text + at, '\n', n - at);
    json_t *first = json_loadb(text + at, end ? (size_t)(end - text) - at : n - at, 0, NULL);
    const bool lines = ends_as(b->path, ".jsonl") || ends_as(b->path, ".ndjson");
    if (lines || (json_is_object(first) && !is_coco(first))) {
        json_decref(first);
        return read_lines(b, text + (end ? 0 : at), end ? n : n - at);
    }
    json_t *root = first ? first : json_loadb(text + at, n - at, 0, &error);
    if (is_coco(root))
        status = read_coco(b, root);
    else if (json_is_array(root))
        status = read_array(b, root);
    else if (root)
        status = clc_fail(CLC_FORMAT,
                          "%s: a JSON object without images and annotations; an object a line, an "
                          "array of objects or COCO's captions are possible",
                          b->path);
    else if (ends_as(b->path, ".json"))
        status = clc_fail(CLC_FORMAT, "%s:%d: no JSON: %s", b->path, error.line, error.text);
    else
        *taken = false; /* a text that begins so */
    json_decref(root);
    return status;
}
