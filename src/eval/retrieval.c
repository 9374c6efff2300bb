#include "eval/retrieval.h"

#include "eval/cosines.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

static const char source[] = "eval/retrieval.cl";
const int clc_recall_at[CLC_RECALLS] = {1, 5, 10};

enum { COUNTS = 3 };

typedef struct retrieval_run {
    clc_device *device;
    const clc_features *bank, *queries;
    const clc_relevance *relevance;
    clc_cosines cosines;
    cl_mem query_starts, sets, set_starts, items;
    cl_mem best, counts; /* (query_block), (query_block,COUNTS) */
    clc_sequence find, count;
} retrieval_run;

static size_t pairs_of(const clc_relation *relation) {
    return (size_t)relation->starts[relation->sources];
}

static clc_status upload(retrieval_run *run, const int32_t *numbers, size_t n, cl_mem *buffer) {
    clc_status status = CLC_OK;
    const size_t bytes = n * sizeof *numbers;
    CLC_TRY(clc_buffer_create(run->device, bytes, "retrieval", buffer));
    if (bytes)
        CLC_TRY(clc_buffer_write(run->device, *buffer, 0, bytes, numbers));
fail:
    return status;
}

static clc_status allocate(retrieval_run *run) {
    clc_status status = CLC_OK;
    const clc_relation *sets = &run->relevance->sets, *rows = &run->relevance->rows;
    const size_t q = run->cosines.query_block;
    CLC_TRY(upload(run, sets->starts, sets->sources + 1, &run->query_starts));
    CLC_TRY(upload(run, sets->targets, pairs_of(sets), &run->sets));
    CLC_TRY(upload(run, rows->starts, rows->sources + 1, &run->set_starts));
    CLC_TRY(upload(run, rows->targets, pairs_of(rows), &run->items));
    CLC_TRY(clc_buffer_create(run->device, q * sizeof(float), "retrieval", &run->best));
    CLC_TRY(clc_buffer_create(run->device, q * COUNTS * sizeof(cl_int), "retrieval", &run->counts));
fail:
    return status;
}

clc_status clc_retrieval_request(clc_device *device) {
    return clc_cosines_request(device, source);
}

/* The last but one pairs of arguments, the block of queries and that of the bank, are set for each
 * tile. */
enum { FIND_BLOCKS = 6, COUNT_BLOCKS = 7 };

static clc_status build(retrieval_run *run) {
    clc_status status = CLC_OK;
    const size_t q = run->cosines.query_block, stride = run->cosines.bank_block;
    const clc_launch_spec find = clc_tile_spec(run->device, source, "retrieval_best",
                                               clc_ceil_div(q, run->device->group_size));
    const clc_launch_spec count = clc_tile_spec(run->device, source, "retrieval_count", q);
    CLC_TRY(CLC_LAUNCH(&run->find, run->device, &find, CLC_MEM(run->cosines.tile),
                       CLC_MEM(run->query_starts), CLC_MEM(run->sets), CLC_MEM(run->set_starts),
                       CLC_MEM(run->items), CLC_MEM(run->best), CLC_INT(0), CLC_INT(0), CLC_INT(0),
                       CLC_INT(0), CLC_INT(stride)));
    CLC_TRY(CLC_LAUNCH(&run->count, run->device, &count, CLC_MEM(run->cosines.tile),
                       CLC_MEM(run->query_starts), CLC_MEM(run->sets), CLC_MEM(run->set_starts),
                       CLC_MEM(run->items), CLC_MEM(run->best), CLC_MEM(run->counts), CLC_INT(0),
                       CLC_INT(0), CLC_INT(0), CLC_INT(0), CLC_INT(stride)));
    CLC_TRY(clc_sequence_prepare(&run->find, run->device));
    CLC_TRY(clc_sequence_prepare(&run->count, run->device));
fail:
    return status;
}

static clc_status forget(retrieval_run *run) {
    clc_status status = CLC_OK;
    const cl_float none = -INFINITY;
    const size_t q = run->cosines.query_block;
    CLC_CL(clEnqueueFillBuffer(run->device->queue, run->best, &none, sizeof none, 0,
                               q * sizeof none, 0, NULL, NULL));
    CLC_TRY(clc_buffer_zero(run->device, run->counts, 0, q * COUNTS * sizeof(cl_int)));
fail:
    return status;
}

/* Makes the tiles of a block of queries and runs a sequence on each. If `made`, the one tile there
 * is has been left by the run before. */
static clc_status pass(retrieval_run *run, const clc_sequence *sequence, cl_uint argument,
                       size_t first, size_t queries, bool made) {
    clc_status status = CLC_OK;
    const clc_launch *launch = &sequence->items[0];
    size_t columns = run->bank->rows;
    CLC_TRY(clc_tile_place(launch, argument, first, queries));
    for (size_t b = 0; b < run->bank->rows; b += run->cosines.bank_block) {
        if (!made)
            CLC_TRY(clc_cosines_tile(&run->cosines, b, &columns));
        CLC_TRY(clc_tile_place(launch, argument + 2, b, columns));
        CLC_TRY(clc_sequence_run(sequence, run->device));
    }
fail:
    return status;
}

/* Places of the block of queries that begins at `first`. */
static clc_status place(retrieval_run *run, size_t first, clc_retrieval_place *places) {
    clc_status status = CLC_OK;
    const bool one_tile = run->cosines.bank_block >= run->bank->rows;
    size_t queries;
    CLC_TRY(forget(run));
    CLC_TRY(clc_cosines_queries(&run->cosines, first, &queries));
    CLC_TRY(pass(run, &run->find, FIND_BLOCKS, first, queries, false));
    CLC_TRY(pass(run, &run->count, COUNT_BLOCKS, first, queries, one_tile));
    CLC_TRY(clc_buffer_read(run->device, run->counts, 0, queries * sizeof *places, places + first));
fail:
    return status;
}

static void release(retrieval_run *run) {
    cl_mem *buffers[] = {&run->query_starts, &run->sets, &run->set_starts,
                         &run->items,        &run->best, &run->counts};
    clFinish(run->device->queue);
    clc_cosines_release(&run->cosines);
    clc_sequence_free(&run->find);
    clc_sequence_free(&run->count);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        clc_buffer_release(run->device, buffers[i]);
}

/* What nothing finite is relevant for stands last; what nothing at all is, nowhere. */
static void settle(const retrieval_run *run, clc_retrieval_place *places) {
    const clc_relation *sets = &run->relevance->sets, *rows = &run->relevance->rows;
    for (size_t q = 0; q < run->queries->rows; q++) {
        bool any = false;
        for (int32_t s = sets->starts[q]; s < sets->starts[q + 1]; s++)
            any |= rows->starts[sets->targets[s]] < rows->starts[sets->targets[s] + 1];
        if (!any)
            places[q] = (clc_retrieval_place){0};
        else if (places[q].relevant == 0)
            places[q] = (clc_retrieval_place){(int32_t)run->bank->rows - 1, 1, 1};
    }
}

static clc_status check(const clc_features *bank, const clc_features *queries,
                        const clc_relevance *relevance) {
    if (relevance->sets.sources != queries->rows)
        return clc_fail(CLC_INVALID, "retrieval: %zu queries, but relevant rows of %zu",
                        queries->rows, relevance->sets.sources);
    return clc_features_comparable(bank, queries, "retrieval");
}

clc_status clc_retrieval_places(clc_device *device, const clc_features *bank,
                                const clc_features *queries, const clc_relevance *relevance,
                                clc_retrieval_place *places) {
    clc_status status = check(bank, queries, relevance);
    retrieval_run run = {
        .device = device, .bank = bank, .queries = queries, .relevance = relevance};
    if (status != CLC_OK || !queries->rows)
        return status;
    CLC_TRY(clc_cosines_make(device, bank, queries, queries->rows, &run.cosines));
    CLC_TRY(allocate(&run));
    CLC_TRY(build(&run));
    for (size_t first = 0; first < queries->rows; first += run.cosines.query_block)
        CLC_TRY(place(&run, first, places));
    settle(&run, places);
fail:
    release(&run);
    return status;
}

/* The probability that one of r relevant rows is among the first m of n in random order. */
static double among_first(int m, int r, int n) {
    double none = 1;
    for (int i = 0; i < m && none > 0; i++)
        none *= n - r > i ? (double)(n - r - i) / (double)(n - i) : 0;
    return 1 - none;
}

static double recall_of(const clc_retrieval_place *place, int k) {
    return among_first(k - place->better, place->relevant, place->equal);
}

/* The first of r rows among n in random order is expected to be number (n + 1) / (r + 1). */
static double rank_of(const clc_retrieval_place *place) {
    return place->better + (place->equal + 1.0) / (place->relevant + 1.0);
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

clc_status clc_retrieval_score_make(const clc_retrieval_place *places, size_t n,
                                    clc_retrieval_score *score) {
    clc_status status = CLC_OK;
    double *ranks = NULL;
    size_t count = 0;
    *score = (clc_retrieval_score){0};
    CLC_NEW(ranks, n);
    for (size_t q = 0; q < n; q++) {
        if (!places[q].relevant)
            continue;
        ranks[count++] = rank_of(&places[q]);
        for (int i = 0; i < CLC_RECALLS; i++)
            score->recall[i] += recall_of(&places[q], clc_recall_at[i]);
    }
    for (int i = 0; i < CLC_RECALLS; i++)
        score->recall[i] /= (double)(count ? count : 1);
    qsort(ranks, count, sizeof *ranks, by_value);
    score->queries = count;
    score->median_rank = count ? (ranks[(count - 1) / 2] + ranks[count / 2]) / 2 : 0;
fail:
    free(ranks);
    return status;
}
