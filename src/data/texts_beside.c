/* Files of texts beside pictures: "x.txt" and "x.json" of "x.jpg". */
#include "data/csv.h"
#include "data/format.h"
#include "data/texts_build.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

clc_beside_kind clc_beside_kind_of(const char *name) {
    const char *dot = strrchr(clc_base_name(name), '.');
    if (dot && !strcasecmp(dot, ".txt"))
        return CLC_BESIDE_TXT;
    return dot && !strcasecmp(dot, ".json") ? CLC_BESIDE_JSON : CLC_BESIDE_NONE;
}

/* The length of the key: up to the first dot of the last name. */
static size_t key_length(const char *name) {
    const char *base = clc_base_name(name);
    return (size_t)(base - name) + strcspn(base, ".");
}

static clc_status grow(clc_beside *beside) {
    clc_status status = CLC_OK;
    const size_t capacity = beside->capacity ? 2 * beside->capacity : 64;
    for (int k = 0; k < 2; k++) {
        char **texts;
        size_t *lengths = NULL;
        CLC_NEW(texts, capacity);
        if (beside->capacity)
            memcpy(texts, beside->texts[k], beside->capacity * sizeof *texts);
        free(beside->texts[k]);
        beside->texts[k] = texts;
        CLC_NEW(lengths, capacity);
        if (beside->capacity)
            memcpy(lengths, beside->lengths[k], beside->capacity * sizeof *lengths);
        free(beside->lengths[k]);
        beside->lengths[k] = lengths;
    }
    beside->capacity = capacity;
fail:
    return status;
}

clc_status clc_beside_add(clc_beside *beside, const char *name, clc_beside_kind kind, char *text,
                          size_t n) {
    clc_status status = CLC_OK;
    size_t key;
    CLC_TRY(clc_name_set_add(&beside->keys, name, key_length(name), &key, NULL));
    if (key >= beside->capacity)
        CLC_TRY(grow(beside));
    free(beside->texts[kind][key]);
    beside->texts[kind][key] = text;
    beside->lengths[kind][key] = n;
    return CLC_OK;
fail:
    free(text);
    return status;
}

/* The fields: those that are wanted, or one. */
static clc_status name_fields(clc_texts_builder *b) {
    clc_status status = CLC_OK;
    clc_names *fields = &b->texts->fields;
    for (size_t i = 0; i < b->wanted.count; i++)
        CLC_TRY(
            clc_names_add(fields, clc_names_at(&b->wanted, i), clc_names_length(&b->wanted, i)));
    if (!fields->count)
        status = clc_names_add(fields, "caption", 7);
fail:
    return status;
}

static clc_status add_label(clc_texts_builder *b, const json_t *object, size_t sample) {
    const char *text = NULL, *wanted = b->options->label_column;
    char number[32];
    if (*wanted)
        text = clc_json_text(json_object_get(object, wanted), number);
    for (size_t i = 0; !*wanted && !text && clc_csv_label_names[i]; i++)
        text = clc_json_text(json_object_get(object, clc_csv_label_names[i]), number);
    if (!*wanted && !text) /* webdataset's */
        text = clc_json_text(json_object_get(object, "cls"), number);
    return text ? clc_texts_class(b, text, &b->labels[sample]) : CLC_OK;
}

/* The keys of an object, for a message. */
static void list_keys(const json_t *object, char *text, size_t size) {
    const char *name;
    json_t *value;
    size_t n = 0;
    text[0] = '\0';
    json_object_foreach((json_t *)object, name, value) {
        if (n + 48 < size)
            n += (size_t)snprintf(text + n, size - n, "%s%.40s", n ? ", " : "", name);
    }
}

static clc_status add_field(clc_texts_builder *b, const json_t *object, size_t sample,
                            size_t field) {
    clc_status status = CLC_OK;
    const char *name = clc_names_at(&b->texts->fields, field);
    const json_t *value = json_object_get(object, name);
    char reason[512], keys[360];
    bool good;
    if (!value && !b->wanted.count)
        value = json_object_get(object, "text");
    CLC_TRY(clc_texts_add_json(b, sample, field, value, &good));
    if (good)
        return CLC_OK;
    list_keys(object, keys, sizeof keys);
    snprintf(reason, sizeof reason, "its .json has no text %.80s; there are: %s", name, keys);
    status = clc_texts_reject(b, sample, reason);
fail:
    return status;
}

/* Texts of one picture, whose key has these files. */
static clc_status add_texts(const clc_beside *beside, clc_texts_builder *b, size_t sample,
                            size_t key) {
    clc_status status = CLC_OK;
    const char *txt = beside->texts[CLC_BESIDE_TXT][key];
    const char *json = beside->texts[CLC_BESIDE_JSON][key];
    json_t *object = json ? json_loadb(json, beside->lengths[CLC_BESIDE_JSON][key], 0, NULL) : NULL;
    if (json && !json_is_object(object))
        CLC_TRY(clc_texts_reject(b, sample, "its .json is no JSON object"));
    if (json_is_object(object))
        CLC_TRY(add_label(b, object, sample));
    for (size_t f = 0; f < b->texts->fields.count && b->labels[sample] != CLC_TEXTS_REJECTED; f++) {
        const bool lines = !b->wanted.count || !strcmp(clc_names_at(&b->texts->fields, f), "txt");
        if (lines && txt)
            CLC_TRY(clc_texts_add_lines(b, sample, f, txt, beside->lengths[CLC_BESIDE_TXT][key]));
        else if (json_is_object(object))
            CLC_TRY(add_field(b, object, sample, f));
    }
fail:
    json_decref(object);
    return status;
}

/* Names files of texts without a picture. */
static clc_status report_lonely(const clc_beside *beside, const bool *used, clc_texts_builder *b) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < beside->keys.names.count; i++)
        if (!used[i])
            CLC_TRY(clc_texts_bad(b, clc_names_at(&beside->keys.names, i),
                                  "a text without a picture beside it"));
fail:
    return status;
}

clc_status clc_beside_finish(clc_beside *beside, clc_texts_builder *b) {
    clc_status status = CLC_OK;
    bool *used = NULL;
    size_t sample;
    CLC_NEW(used, beside->keys.names.count);
    CLC_TRY(name_fields(b));
    for (size_t i = 0; i < beside->pictures.count; i++) {
        const char *name = clc_names_at(&beside->pictures, i);
        const size_t key = clc_name_set_find(&beside->keys, name, key_length(name));
        if (key == SIZE_MAX) {
            CLC_TRY(clc_texts_bad(b, name, "a picture without a .txt or .json beside it"));
            continue;
        }
        used[key] = true;
        CLC_TRY(clc_texts_sample(b, name, false, &sample));
        CLC_TRY(add_texts(beside, b, sample, key));
    }
    status = report_lonely(beside, used, b);
fail:
    free(used);
    return status;
}

void clc_beside_free(clc_beside *beside) {
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < beside->capacity; i++)
            free(beside->texts[k][i]);
        free(beside->texts[k]);
        free(beside->lengths[k]);
    }
    clc_names_free(&beside->pictures);
    clc_name_set_free(&beside->keys);
    *beside = (clc_beside){0};
}
