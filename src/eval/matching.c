#include "eval/matching.h"

#include "core/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Texts of the samples that could be read. */
typedef struct texts {
    int32_t *numbers; /* in the field */
    int32_t *owner;   /* row of their sample */
    int32_t *same;    /* equal texts have the same number */
    size_t count;
} texts;

static void free_texts(texts *t) {
    free(t->numbers);
    free(t->owner);
    free(t->same);
}

/* What text `number` of field 1, of `sample`, says: its bytes as they were read, not its tokens, of
 * which a small vocabulary makes the same <unk> of many; where there are none, its numbers. */
static const char *bytes_of(const clc_dataset *data, size_t sample, int32_t number, size_t *n) {
    const clc_field *f = &data->fields[1];
    const clc_extent *x = &f->extents[number];
    const size_t width = f->kind == CLC_KIND_SERIES ? (size_t)f->channels : 1;
    if (data->texts) {
        const size_t fields = data->texts->fields.count;
        const size_t field = 1 + fields - (size_t)data->field_count;
        const clc_text_span *span =
            clc_texts_of(data->texts, data->text_samples[sample], field, n) +
            (number - f->firsts[sample]);
        *n = span->length;
        return data->texts->blob + span->offset;
    }
    *n = (size_t)x->length * width * sizeof(float);
    return (f->kind == CLC_KIND_SERIES ? (const char *)f->values : (const char *)f->ids) +
           x->offset * width * sizeof(float);
}

static clc_status add_text(const clc_dataset *data, size_t sample, int32_t number, int32_t row,
                           clc_name_set *set, texts *t) {
    clc_status status = CLC_OK;
    size_t n, same;
    const char *bytes = bytes_of(data, sample, number, &n);
    CLC_TRY(clc_name_set_add(set, bytes, n, &same, NULL));
    t->numbers[t->count] = number;
    t->owner[t->count] = row;
    t->same[t->count++] = (int32_t)same;
fail:
    return status;
}

static clc_status choose_texts(const clc_dataset *data, const bool *bad, texts *t) {
    clc_status status = CLC_OK;
    const clc_field *f = &data->fields[1];
    clc_name_set set = {0};
    int32_t row = 0;
    CLC_NEW(t->numbers, f->count);
    CLC_NEW(t->owner, f->count);
    CLC_NEW(t->same, f->count);
    for (size_t i = 0; i < data->count; i++) {
        for (int32_t k = f->firsts[i]; !bad[i] && k < f->firsts[i + 1]; k++)
            CLC_TRY(add_text(data, i, k, row, &set, t));
        row += !bad[i];
    }
fail:
    clc_name_set_free(&set);
    return status;
}

static clc_status score(clc_device *device, const clc_features *bank, const clc_features *queries,
                        const clc_relevance *relevance, clc_retrieval_score *result) {
    clc_status status = CLC_OK;
    clc_retrieval_place *places = NULL;
    CLC_NEW(places, queries->rows);
    CLC_TRY(clc_retrieval_places(device, bank, queries, relevance, places));
    CLC_TRY(clc_retrieval_score_make(places, queries->rows, result));
fail:
    free(places);
    return status;
}

static clc_status score_both(clc_device *device, const clc_features sides[2], const texts *t,
                             clc_matching *matching) {
    clc_status status = CLC_OK;
    clc_relevance to_text = {0}, to_image = {0};
    CLC_TRY(
        clc_relevance_of_texts(t->owner, t->same, t->count, sides[0].rows, &to_text, &to_image));
    CLC_TRY(score(device, &sides[1], &sides[0], &to_text, &matching->score[0]));
    CLC_TRY(score(device, &sides[0], &sides[1], &to_image, &matching->score[1]));
    for (int i = 0; i < 2; i++)
        matching->count[i] = sides[i].rows;
fail:
    clc_relevance_free(&to_text);
    clc_relevance_free(&to_image);
    return status;
}

static clc_status make_room(clc_embedder *embedder, size_t rows, clc_features *features) {
    *features = (clc_features){.dim = clc_embedder_features(embedder)};
    return clc_buffer_create(embedder->device, rows * (size_t)features->dim * sizeof(float),
                             "features", &features->data);
}

static void name_fields(const clc_dataset *data, clc_matching *matching) {
    for (int i = 0; i < 2; i++)
        snprintf(matching->names[i], sizeof matching->names[i], "%s",
                 data->fields[i].kind == CLC_KIND_IMAGES ? "image"
                 : clc_dataset_has_pictures(data)        ? "text"
                                                         : data->fields[i].name);
}

clc_status clc_matching_make(clc_embedder *const embedders[2], const clc_dataset *data,
                             clc_matching *matching) {
    clc_status status = CLC_OK;
    clc_device *device = embedders[0]->device;
    clc_features sides[2] = {{0}, {0}};
    texts t = {0};
    bool *bad = NULL;
    *matching = (clc_matching){.count = {0, 0}};
    name_fields(data, matching);
    CLC_NEW(bad, data->count);
    CLC_TRY(make_room(embedders[0], data->count, &sides[0]));
    CLC_TRY(clc_embedder_run(embedders[0], data, NULL, data->count, sides[0].data, bad,
                             &sides[0].rows));
    CLC_TRY(choose_texts(data, bad, &t));
    CLC_TRY(make_room(embedders[1], t.count, &sides[1]));
    CLC_TRY(
        clc_embedder_run_field(embedders[1], &data->fields[1], t.numbers, t.count, sides[1].data));
    sides[1].rows = t.count;
    CLC_TRY(score_both(device, sides, &t, matching));
fail:
    clc_buffer_release(device, &sides[0].data);
    clc_buffer_release(device, &sides[1].data);
    free_texts(&t);
    free(bad);
    return status;
}
