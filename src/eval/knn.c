#include "eval/knn.h"

#include "core/signals.h"
#include "eval/cosines.h"
#include "eval/nearest.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

/* What the neighbours of a block's queries may take. */
static const size_t neighbour_bytes = 16u << 20;
static const char source[] = "eval/knn.cl";

typedef struct knn_run {
    clc_device *device;
    const clc_features *bank, *queries;
    int k;
    float temperature;
    clc_knn_found found; /* where it goes */
    size_t query_block;
    bool in_tiles; /* of cosines; else at once */
    clc_nearest nearest;
    clc_cosines cosines;
    cl_mem values,
        indices; /* (query_block,k): the nearest so far; without tiles those of nearest */
    cl_mem labels, scores, predicted;
    clc_sequence select, vote;
} knn_run;

static bool votes(const knn_run *run) {
    return run->found.predictions || run->found.logits;
}

static size_t scores_of(const knn_run *run, size_t queries) {
    return votes(run) ? queries * (size_t)run->bank->classes : 1;
}

static clc_status allocate(knn_run *run) {
    clc_status status = CLC_OK;
    const size_t q = run->query_block;
    const size_t neighbours = q * (size_t)run->k, labels = run->bank->rows * sizeof(cl_int);
    const struct {
        cl_mem *buffer;
        size_t bytes;
    } table[] = {{&run->labels, labels},
                 {&run->scores, scores_of(run, q) * sizeof(float)},
                 {&run->predicted, q * sizeof(cl_int)},
                 {&run->values, neighbours * sizeof(float)},
                 {&run->indices, neighbours * sizeof(cl_int)}};
    for (size_t i = 0; i < (run->in_tiles ? 5 : 3); i++)
        CLC_TRY(clc_buffer_create(run->device, table[i].bytes, "kNN", table[i].buffer));
    if (votes(run))
        CLC_TRY(clc_buffer_write(run->device, run->labels, 0, labels, run->bank->labels));
fail:
    return status;
}

clc_status clc_knn_request(clc_device *device) {
    const clc_status status = clc_cosines_request(device, source);
    return status == CLC_OK ? clc_nearest_request(device) : status;
}

static clc_status build(knn_run *run) {
    clc_status status = CLC_OK;
    const size_t q = run->query_block, items = run->device->group_size;
    const clc_launch_spec select = clc_tile_spec(run->device, source, "knn_select", q);
    const clc_launch_spec vote =
        clc_tile_spec(run->device, source, "knn_vote", clc_ceil_div(q, items));
    if (run->in_tiles)
        CLC_TRY(CLC_LAUNCH(&run->select, run->device, &select, CLC_MEM(run->cosines.tile),
                           CLC_MEM(run->values), CLC_MEM(run->indices), CLC_INT(run->k), CLC_INT(0),
                           CLC_INT(0), CLC_INT(run->cosines.bank_block)));
    CLC_TRY(CLC_LAUNCH(&run->vote, run->device, &vote, CLC_MEM(run->values), CLC_MEM(run->indices),
                       CLC_MEM(run->labels), CLC_MEM(run->scores), CLC_MEM(run->predicted),
                       CLC_INT(q), CLC_INT(run->k), CLC_INT(run->bank->classes),
                       CLC_FLOAT(run->temperature)));
    CLC_TRY(clc_sequence_prepare(&run->select, run->device));
    CLC_TRY(clc_sequence_prepare(&run->vote, run->device));
fail:
    return status;
}

static clc_status forget_neighbours(knn_run *run) {
    clc_status status = CLC_OK;
    const cl_float none = -INFINITY;
    const cl_int last = INT_MAX;
    const size_t count = run->query_block * (size_t)run->k;
    CLC_CL(clEnqueueFillBuffer(run->device->queue, run->values, &none, sizeof none, 0,
                               count * sizeof none, 0, NULL, NULL));
    CLC_CL(clEnqueueFillBuffer(run->device->queue, run->indices, &last, sizeof last, 0,
                               count * sizeof last, 0, NULL, NULL));
fail:
    return status;
}

static clc_status read_votes(knn_run *run, size_t first, size_t queries) {
    clc_status status = CLC_OK;
    const clc_knn_found *f = &run->found;
    const size_t n = scores_of(run, queries);
    float *logits = f->logits ? f->logits + first * (size_t)run->bank->classes : NULL;
    if (f->predictions)
        CLC_TRY(clc_buffer_read(run->device, run->predicted, 0, queries * sizeof(cl_int),
                                f->predictions + first));
    if (logits)
        CLC_TRY(clc_buffer_read(run->device, run->scores, 0, n * sizeof *logits, logits));
    for (size_t i = 0; logits && i < n; i++)
        logits[i] = logf(logits[i]);
fail:
    return status;
}

typedef struct neighbour {
    float cosine;
    int32_t row;
} neighbour;

static int by_rank(const void *a, const void *b) {
    const neighbour *x = a, *y = b;
    return x->cosine != y->cosine ? (x->cosine < y->cosine) - (x->cosine > y->cosine)
                                  : (x->row > y->row) - (x->row < y->row);
}

/* The device keeps them in a heap. */
static void sort_neighbours(neighbour *list, size_t k, float *cosines, int32_t *rows) {
    for (size_t i = 0; i < k; i++)
        list[i] = (neighbour){cosines[i], rows[i]};
    qsort(list, k, sizeof *list, by_rank);
    for (size_t i = 0; i < k; i++) {
        cosines[i] = list[i].cosine;
        rows[i] = list[i].row == INT_MAX ? -1 : list[i].row;
    }
}

static clc_status read_neighbours(knn_run *run, size_t first, size_t queries) {
    clc_status status = CLC_OK;
    const size_t k = (size_t)run->k, n = queries * k;
    float *cosines = run->found.cosines ? run->found.cosines + first * k : NULL;
    int32_t *rows = run->found.rows ? run->found.rows + first * k : NULL;
    neighbour *list = NULL;
    if (!cosines || !rows)
        return CLC_OK;
    CLC_NEW(list, k);
    CLC_TRY(clc_buffer_read(run->device, run->values, 0, n * sizeof *cosines, cosines));
    CLC_TRY(clc_buffer_read(run->device, run->indices, 0, n * sizeof *rows, rows));
    for (size_t q = 0; q < queries; q++)
        sort_neighbours(list, k, cosines + q * k, rows + q * k);
fail:
    free(list);
    return status;
}

static clc_status find_in_tiles(knn_run *run, size_t first, size_t *queries) {
    clc_status status = CLC_OK;
    size_t columns;
    CLC_TRY(forget_neighbours(run));
    CLC_TRY(clc_cosines_queries(&run->cosines, first, queries));
    for (size_t b = 0; b < run->bank->rows; b += run->cosines.bank_block) {
        CLC_TRY(clc_cosines_tile(&run->cosines, b, &columns));
        CLC_TRY(clc_tile_place(&run->select.items[0], 4, b, columns));
        CLC_TRY(clc_sequence_run(&run->select, run->device));
    }
fail:
    return status;
}

/* Classifies the block of queries that begins at `first`. */
static clc_status classify(knn_run *run, size_t first) {
    clc_status status = CLC_OK;
    size_t queries;
    CLC_TRY(run->in_tiles ? find_in_tiles(run, first, &queries)
                          : clc_nearest_find(&run->nearest, first, &queries));
    if (votes(run))
        CLC_TRY(clc_sequence_run(&run->vote, run->device));
    CLC_TRY(read_votes(run, first, queries));
    CLC_TRY(read_neighbours(run, first, queries));
fail:
    return status;
}

static void release(knn_run *run) {
    cl_mem *buffers[] = {&run->labels, &run->scores, &run->predicted, &run->values, &run->indices};
    clFinish(run->device->queue);
    clc_cosines_release(&run->cosines);
    clc_nearest_release(&run->nearest);
    clc_sequence_free(&run->select);
    clc_sequence_free(&run->vote);
    for (size_t i = 0; i < (run->in_tiles ? 5 : 3); i++)
        clc_buffer_release(run->device, buffers[i]);
}

static clc_status check(const knn_run *run, double temperature) {
    if (run->k < 1)
        return clc_fail(CLC_INVALID, "kNN needs at least 1 neighbour, not %d", run->k);
    if (!votes(run))
        return clc_features_comparable(run->bank, run->queries, "kNN");
    if (!(temperature > 0))
        return clc_fail(CLC_INVALID, "kNN needs a temperature above 0, not %g", temperature);
    return clc_features_check(run->bank, run->queries, "kNN");
}

/* Blocks of queries by either way. */
static clc_status choose_way(knn_run *run) {
    clc_status status = CLC_OK;
    const size_t most = neighbour_bytes / ((size_t)run->k * (sizeof(float) + sizeof(cl_int)));
    run->in_tiles = !clc_nearest_serves(run->device, run->bank->dim);
    if (run->in_tiles) {
        CLC_TRY(clc_cosines_make(run->device, run->bank, run->queries, most, &run->cosines));
        run->query_block = run->cosines.query_block;
        return CLC_OK;
    }
    clc_nearest_plan(run->device, run->bank, run->queries, run->k, most, &run->nearest);
    CLC_TRY(clc_nearest_make(&run->nearest));
    run->query_block = run->nearest.query_block;
    run->values = run->nearest.values;
    run->indices = run->nearest.indices;
fail:
    return status;
}

static clc_status run_blocks(knn_run *run) {
    clc_status status = CLC_OK;
    CLC_TRY(choose_way(run));
    CLC_TRY(allocate(run));
    CLC_TRY(build(run));
    for (size_t first = 0; first < run->queries->rows; first += run->query_block) {
        if (clc_signals_stop())
            CLC_TRY(clc_fail(CLC_INTERRUPTED, "interrupted in kNN"));
        CLC_TRY(classify(run, first));
    }
fail:
    return status;
}

clc_status clc_knn_find(clc_device *device, const clc_features *bank, const clc_features *queries,
                        int k, double temperature, const clc_knn_found *found) {
    knn_run run = {.device = device,
                   .bank = bank,
                   .queries = queries,
                   .k = k,
                   .temperature = (float)temperature,
                   .found = *found};
    clc_status status = check(&run, temperature);
    if (status != CLC_OK || !queries->rows)
        return status;
    if ((size_t)k > bank->rows)
        run.k = (int)bank->rows;
    status = run_blocks(&run);
    release(&run);
    return status;
}

clc_status clc_knn_classify(clc_device *device, const clc_features *bank,
                            const clc_features *queries, int k, double temperature,
                            int32_t *predictions) {
    return clc_knn_find(device, bank, queries, k, temperature,
                        &(clc_knn_found){.predictions = predictions});
}
