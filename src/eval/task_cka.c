#include "core/clock.h"
#include "core/log.h"
#include "eval/encoder.h"
#include "eval/layers.h"
#include "eval/task.h"

#include <string.h>

/* Samples that are looked at, evenly spaced. */
enum { MOST_SAMPLES = 2048, LEAST_SAMPLES = 3 };

static bool can(const clc_evaluation *e, char *why, size_t size) {
    const clc_dataset *data = e->sets.test ? e->sets.test : e->sets.train;
    const bool able = data->count >= LEAST_SAMPLES;
    if (!able)
        snprintf(why, size, "it needs at least %d samples, not %zu", LEAST_SAMPLES, data->count);
    return able;
}

static bool fits(const clc_evaluated *row) {
    return row->embedders[0].graph != NULL;
}

/* Whether two tokenizers give the same numbers to the same texts. */
static clc_status same_tokens(const clc_tokenizer *a, const clc_tokenizer *b, bool *same) {
    clc_status status = CLC_OK;
    char *texts[2] = {NULL, NULL};
    *same = a == b;
    if (*same || !a || !b)
        return CLC_OK;
    CLC_TRY(clc_tokenizer_to_json(a, &texts[0]));
    CLC_TRY(clc_tokenizer_to_json(b, &texts[1]));
    *same = !strcmp(texts[0], texts[1]);
fail:
    free(texts[0]);
    free(texts[1]);
    return status;
}

/* Samples are read as this run reads them, so the other must read the same. */
static clc_status check_other(const clc_evaluation *e, const clc_encoder *other,
                              const clc_tower_encoder *tower, const char *path) {
    clc_status status = CLC_OK;
    const clc_dataset *data = clc_evaluation_known(e);
    const clc_field *field = &data->fields[0];
    const bool images = field->kind == CLC_KIND_IMAGES;
    const int own = images ? e->config->data.channels : field->channels;
    const int others = images ? other->config.data.channels : tower->like.channels;
    bool same = true;
    if (field->kind == CLC_KIND_TOKENS)
        CLC_TRY(same_tokens(data->tokenizer, other->tokenizer, &same));
    else if (own != others)
        status = clc_fail(CLC_INVALID,
                          "evaluation.cka_with = %s: that run's samples have %d channels, this "
                          "run's %d: no sample is the same to both",
                          path, others, own);
    if (!same)
        status = clc_fail(CLC_INVALID,
                          "evaluation.cka_with = %s: that run has another tokenizer: compare runs "
                          "that started from the same tokens",
                          path);
fail:
    return status;
}

static clc_status make_other(clc_evaluated *row, const clc_evaluated_set *set,
                             const int32_t *samples, size_t n, clc_layers *layers) {
    clc_status status = CLC_OK;
    const clc_evaluation *e = row->of;
    const clc_embedder_input *own = &row->embedders[0].in;
    const char *path = e->config->evaluation.cka_with;
    clc_encoder *other = NULL;
    CLC_TRY(clc_encoder_open_on(path, e->device, &other));
    clc_tower_encoder *tower = clc_encoder_tower(other, own->like->kind);
    if (!tower)
        CLC_TRY(CLC_INVALID);
    CLC_TRY(check_other(e, other, tower, path));
    const clc_embedder_input in = {.tower = (int)(tower - other->towers),
                                   .field = own->field,
                                   .like = &tower->like,
                                   .height = own->height,
                                   .width = own->width};
    CLC_TRY(clc_layers_make(e->device, &other->config, &tower->params, &in, set->data, samples, n,
                            layers));
fail:
    clc_encoder_close(&other);
    return status;
}

static clc_status compare(const clc_layers *of, const clc_layers *with, json_t *result) {
    clc_status status = CLC_OK;
    double cka[CLC_LAYERS_MOST * CLC_LAYERS_MOST];
    char key[40];
    CLC_TRY(clc_linear_ckas(of->spaces, of->count, with->spaces, with->count, of->rows, cka));
    for (size_t i = 0; i < of->count; i++) {
        json_t *line = json_object();
        for (size_t j = 0; j < with->count; j++) {
            snprintf(key, sizeof key, "with_%s", with->names[j]);
            json_object_set_new(line, key, clc_json_number(cka[i * with->count + j]));
        }
        json_object_set_new(result, of->names[i], line);
    }
fail:
    return status;
}

static clc_status run(clc_evaluated *row, json_t *result) {
    clc_status status = CLC_OK;
    const clc_evaluation *e = row->of;
    const char *path = e->config->evaluation.cka_with;
    const clc_evaluated_set *set;
    clc_layers own = {0}, other = {0};
    int32_t *samples = NULL;
    CLC_TRY(clc_evaluated_all(row, e->sets.test ? CLC_SPLIT_TEST : CLC_SPLIT_TRAIN, &set));
    const size_t n = set->features.rows < MOST_SAMPLES ? set->features.rows : MOST_SAMPLES;
    CLC_NEW(samples, n);
    for (size_t i = 0; i < n; i++)
        samples[i] = set->samples[i * set->features.rows / n];
    CLC_TRY(clc_layers_make(e->device, e->config, row->embedders[0].graph->params,
                            &row->embedders[0].in, set->data, samples, n, &own));
    if (*path)
        CLC_TRY(make_other(row, set, samples, n, &other));
    json_object_set_new(result, "run", json_string(path));
    json_object_set_new(result, "samples", json_integer((json_int_t)n));
    CLC_TRY(compare(&own, *path ? &other : &own, result));
fail:
    clc_layers_free(&own);
    clc_layers_free(&other);
    free(samples);
    return status;
}

static clc_status more(const json_t *row, FILE *file) {
    const json_t *result = json_object_get(row, "cka");
    const char *path = json_string_value(json_object_get(result, "run"));
    fprintf(file,
            "\nlinear CKA of the layers with those of %s, of %.0f samples: 1 is the same up to a "
            "turn and a scale\n",
            path && *path ? path : "the same encoder", clc_json_figure(result, "samples"));
    return CLC_OK;
}

static const clc_task_column columns[] = {{"", "layer", CLC_CELL_LINE},
                                          {"with_features", "with features", CLC_CELL_NUMBER},
                                          {"with_stage_1", "with stage 1", CLC_CELL_NUMBER},
                                          {"with_stage_2", "with stage 2", CLC_CELL_NUMBER},
                                          {"with_stage_3", "with stage 3", CLC_CELL_NUMBER},
                                          {"with_stage_4", "with stage 4", CLC_CELL_NUMBER},
                                          {"with_stage_5", "with stage 5", CLC_CELL_NUMBER},
                                          {"with_stage_6", "with stage 6", CLC_CELL_NUMBER},
                                          {"with_stage_7", "with stage 7", CLC_CELL_NUMBER},
                                          {"with_stage_8", "with stage 8", CLC_CELL_NUMBER},
                                          {NULL, NULL, CLC_CELL_COUNT}};

const clc_task clc_task_cka = {
    .name = "cka",
    .label = "CKA",
    .about = "how alike are layers, of the encoder or with evaluation.cka_with's? needs no labels",
    .costly = true,
    .can = can,
    .fits = fits,
    .run = run,
    .columns = columns,
    .more = more};
