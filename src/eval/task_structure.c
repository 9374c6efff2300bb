#include "core/signals.h"
#include "eval/spread.h"
#include "eval/task.h"

#include <math.h>
#include <string.h>

/* Samples that are looked at: what is measured takes time in proportion to their square. */
enum { MOST_SAMPLES = 2048 };

static bool can(const clc_evaluation *e, char *why, size_t size) {
    const clc_dataset *data = e->sets.test ? e->sets.test : e->sets.train;
    const bool able = data->count >= 2;
    if (!able)
        snprintf(why, size, "it needs at least two samples, not %zu", data->count);
    return able;
}

/* Rows of the features, evenly spaced. */
static clc_status pick(const clc_evaluation *e, const clc_evaluated_set *set, size_t n,
                       float *values, int32_t *samples) {
    clc_status status = CLC_OK;
    const size_t dim = (size_t)set->features.dim, row = dim * sizeof *values;
    for (size_t i = 0; i < n; i++) {
        const size_t from = i * set->features.rows / n;
        samples[i] = set->samples[from];
        CLC_TRY(clc_buffer_read(e->device, set->features.data, from * row, row, values + i * dim));
    }
fail:
    return status;
}

/* Features of one view of each sample; *rows: of those that could be read. */
static clc_status embed_view(clc_evaluated *row, const clc_evaluated_set *set,
                             const int32_t *samples, size_t n, uint32_t view, float *values,
                             size_t *rows) {
    clc_status status = CLC_OK;
    clc_embedder *embedder = &row->embedders[0];
    const size_t bytes = n * (size_t)row->dim * sizeof *values;
    cl_mem buffer = NULL;
    bool *bad = NULL;
    CLC_NEW(bad, n);
    CLC_TRY(clc_buffer_create(embedder->device, bytes, "features", &buffer));
    CLC_TRY(clc_embedder_show_view(embedder, view));
    CLC_TRY(clc_embedder_run(embedder, set->data, samples, n, buffer, bad, rows));
    CLC_TRY(clc_buffer_read(embedder->device, buffer, 0, bytes, values));
fail:
    if (embedder->shows_view)
        clc_embedder_show_plain(embedder);
    clc_buffer_release(embedder->device, &buffer);
    free(bad);
    return status;
}

/* The mean squared distance of two views of an image, of length 1. */
static clc_status alignment(clc_evaluated *row, const clc_evaluated_set *set,
                            const int32_t *samples, size_t n, double *mean) {
    clc_status status = CLC_OK;
    const size_t dim = (size_t)row->dim;
    float *views[2] = {NULL, NULL};
    size_t rows[2];
    for (int v = 0; v < 2; v++) {
        CLC_NEW(views[v], n * dim);
        CLC_TRY(embed_view(row, set, samples, n, (uint32_t)v, views[v], &rows[v]));
    }
    if (rows[0] == rows[1])
        *mean = clc_alignment(views[0], views[1], rows[0], dim);
fail:
    free(views[0]);
    free(views[1]);
    return status;
}

static clc_status measure(clc_evaluated *row, const clc_evaluated_set *set, const float *values,
                          const int32_t *samples, size_t n, json_t *result) {
    clc_status status = CLC_OK;
    clc_spread spread;
    double rank, aligned = NAN;
    CLC_TRY(clc_rankme(values, n, (size_t)row->dim, &rank));
    if (clc_signals_stop())
        return CLC_INTERRUPTED;
    CLC_TRY(clc_spread_measure(values, NULL, (int)n, row->dim, &spread));
    if (row->embedders[0].graph && row->embedders[0].in.like->kind == CLC_KIND_IMAGES)
        CLC_TRY(alignment(row, set, samples, n, &aligned));
    json_object_set_new(result, "samples", json_integer((json_int_t)n));
    json_object_set_new(result, "rankme", clc_json_number(rank));
    json_object_set_new(result, "effective_rank", clc_json_number(spread.rank));
    json_object_set_new(result, "deviation", clc_json_number(spread.deviation));
    json_object_set_new(result, "uniformity", clc_json_number(spread.uniformity));
    json_object_set_new(result, "alignment", clc_json_number(aligned));
fail:
    return status;
}

static clc_status run(clc_evaluated *row, json_t *result) {
    clc_status status = CLC_OK;
    const clc_evaluation *e = row->of;
    const clc_evaluated_set *set;
    float *values = NULL;
    int32_t *samples = NULL;
    CLC_TRY(clc_evaluated_all(row, e->sets.test ? CLC_SPLIT_TEST : CLC_SPLIT_TRAIN, &set));
    const size_t n = set->features.rows < MOST_SAMPLES ? set->features.rows : MOST_SAMPLES;
    CLC_NEW(values, n * (size_t)row->dim);
    CLC_NEW(samples, n);
    CLC_TRY(pick(e, set, n, values, samples));
    CLC_TRY(measure(row, set, values, samples, n, result));
fail:
    free(values);
    free(samples);
    return status;
}

static const clc_task_column columns[] = {{"", "dim", CLC_CELL_DIM},
                                          {"samples", "samples", CLC_CELL_COUNT},
                                          {"rankme", "RankMe", CLC_CELL_TENTH},
                                          {"effective_rank", "effective rank", CLC_CELL_TENTH},
                                          {"deviation", "deviation", CLC_CELL_NUMBER},
                                          {"uniformity", "uniformity", CLC_CELL_NUMBER},
                                          {"alignment", "alignment", CLC_CELL_NUMBER},
                                          {NULL, NULL, CLC_CELL_COUNT}};

const clc_task clc_task_structure = {
    .name = "structure",
    .label = "structure",
    .about = "how much of the space is used, and do views stay together? needs no labels",
    .costly = true,
    .can = can,
    .run = run,
    .columns = columns};
