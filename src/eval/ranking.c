#include "eval/ranking.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/signals.h"
#include "eval/cosines.h"

#include <limits.h>
#include <string.h>

/* What the rankings of a block's queries may take. */
static const size_t ranking_bytes = 64u << 20;
static const char source[] = "eval/ranking.cl";

/* Rows by class: order[i] is the i-th, of class classes[i]; class c begins at starts[c]. What has
 * no class stands last, as class -1. */
typedef struct by_class {
    int32_t *order, *classes; /* (rows) */
    int32_t *starts;          /* (classes + 1) */
} by_class;

typedef struct ranking_run {
    clc_device *device;
    const clc_features *bank, *queries;
    bool self;    /* queries are the bank */
    int32_t most; /* relevant rows of a query */
    int parts;    /* of the table */
    by_class banked, asked;
    clc_cosines cosines;
    cl_mem bank_order, query_order, classes, starts;
    cl_mem relevant, counts, table; /* (block + 1,most), (block,2 most + 1), (block,parts + 2) */
    clc_sequence gather, sort, count;
    float *values; /* on the host */
    int32_t *numbers;
    clc_ranking_measures *measures; /* (queries) */
} ranking_run;

static void by_class_free(by_class *b) {
    free(b->order);
    free(b->classes);
    free(b->starts);
}

static clc_status by_class_make(const clc_features *features, int classes, by_class *b) {
    clc_status status = CLC_OK;
    const size_t none = (size_t)classes; /* the last, of what has no class */
    int32_t *next = NULL;
    CLC_NEW(b->order, features->rows);
    CLC_NEW(b->classes, features->rows);
    CLC_NEW(b->starts, none + 2);
    CLC_NEW(next, none + 2);
    for (size_t i = 0; i < features->rows; i++) {
        const int32_t label = features->labels[i];
        if (label >= classes)
            CLC_TRY(clc_fail(CLC_INVALID,
                             "retrieval: label %d of row %zu is outside the %d classes", (int)label,
                             i, classes));
        next[(label < 0 ? none : (size_t)label) + 1]++;
    }
    for (size_t c = 0; c <= none; c++)
        next[c + 1] += next[c];
    memcpy(b->starts, next, (none + 2) * sizeof *next);
    for (size_t i = 0; i < features->rows; i++) {
        const int32_t label = features->labels[i];
        const int32_t place = next[label < 0 ? none : (size_t)label]++;
        b->order[place] = (int32_t)i;
        b->classes[place] = label < 0 ? -1 : label;
    }
fail:
    free(next);
    return status;
}

static clc_status sort_rows(ranking_run *run) {
    clc_status status = CLC_OK;
    const int classes = run->bank->classes;
    CLC_TRY(by_class_make(run->bank, classes, &run->banked));
    CLC_TRY(by_class_make(run->queries, classes, &run->asked));
    run->most = 1;
    for (int c = 0; c < classes; c++) {
        const int32_t count = run->banked.starts[c + 1] - run->banked.starts[c];
        run->most = count > run->most ? count : run->most;
    }
    enum { LEAST_PARTS = 64, MOST_PARTS = 1 << 15 };
    run->parts = LEAST_PARTS;
    while (run->parts < run->most && run->parts < MOST_PARTS)
        run->parts *= 2;
fail:
    return status;
}

/* ---- on the device ---- */

static clc_status upload(ranking_run *run, const int32_t *numbers, size_t n, cl_mem *buffer) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_buffer_create(run->device, n * sizeof *numbers, "retrieval", buffer));
    CLC_TRY(clc_buffer_write(run->device, *buffer, 0, n * sizeof *numbers, numbers));
fail:
    return status;
}

static size_t counts_of(const ranking_run *run) {
    return 2 * (size_t)run->most + 1;
}

static size_t bytes_of_query(const ranking_run *run) {
    return 4 * ((size_t)run->most + counts_of(run) + (size_t)run->parts + 2);
}

static clc_status allocate(ranking_run *run) {
    clc_status status = CLC_OK;
    clc_device *device = run->device;
    const size_t most = (size_t)run->most;
    CLC_TRY(upload(run, run->banked.order, run->bank->rows, &run->bank_order));
    CLC_TRY(upload(run, run->asked.order, run->queries->rows, &run->query_order));
    CLC_TRY(upload(run, run->asked.classes, run->queries->rows, &run->classes));
    CLC_TRY(upload(run, run->banked.starts, (size_t)run->bank->classes + 1, &run->starts));
    CLC_TRY(clc_cosines_make_wide(device, run->bank, run->bank_order, run->queries,
                                  run->query_order, ranking_bytes / bytes_of_query(run),
                                  &run->cosines));
    const size_t q = run->cosines.query_block;
    CLC_TRY(clc_buffer_create(device, (q + 1) * most * sizeof(float), "retrieval", &run->relevant));
    CLC_TRY(
        clc_buffer_create(device, q * counts_of(run) * sizeof(cl_int), "retrieval", &run->counts));
    CLC_TRY(clc_buffer_create(device, q * ((size_t)run->parts + 2) * sizeof(cl_int), "retrieval",
                              &run->table));
    CLC_NEW(run->values, q * most);
    CLC_NEW(run->numbers, q * counts_of(run));
    CLC_NEW(run->measures, run->queries->rows);
fail:
    return status;
}

clc_status clc_ranking_request(clc_device *device) {
    return clc_cosines_request(device, source);
}

/* The pairs of arguments that are set for each tile: the block of queries, then that of the bank.
 */
enum { GATHER_BLOCKS = 4, SORT_BLOCKS = 5, COUNT_BLOCKS = 6 };

static clc_status build(ranking_run *run) {
    clc_status status = CLC_OK;
    clc_device *device = run->device;
    const size_t q = run->cosines.query_block, stride = run->cosines.bank_block;
    const clc_launch_spec gather = clc_tile_spec(device, source, "ranking_gather", q);
    const clc_launch_spec sort = clc_tile_spec(device, source, "ranking_sort", q);
    const clc_launch_spec count = clc_tile_spec(device, source, "ranking_count", q);
    CLC_TRY(CLC_LAUNCH(&run->gather, device, &gather, CLC_MEM(run->cosines.tile),
                       CLC_MEM(run->classes), CLC_MEM(run->starts), CLC_MEM(run->relevant),
                       CLC_INT(0), CLC_INT(0), CLC_INT(0), CLC_INT(0), CLC_INT(stride),
                       CLC_INT(run->self), CLC_INT(run->most)));
    CLC_TRY(CLC_LAUNCH(&run->sort, device, &sort, CLC_MEM(run->classes), CLC_MEM(run->starts),
                       CLC_MEM(run->relevant), CLC_MEM(run->counts), CLC_MEM(run->table),
                       CLC_INT(0), CLC_INT(0), CLC_INT(run->self), CLC_INT(run->most),
                       CLC_INT(run->parts)));
    CLC_TRY(CLC_LAUNCH(&run->count, device, &count, CLC_MEM(run->cosines.tile),
                       CLC_MEM(run->classes), CLC_MEM(run->starts), CLC_MEM(run->relevant),
                       CLC_MEM(run->table), CLC_MEM(run->counts), CLC_INT(0), CLC_INT(0),
                       CLC_INT(0), CLC_INT(0), CLC_INT(stride), CLC_INT(run->self),
                       CLC_INT(run->most), CLC_INT(run->parts)));
    CLC_TRY(clc_sequence_prepare(&run->gather, device));
    CLC_TRY(clc_sequence_prepare(&run->sort, device));
    CLC_TRY(clc_sequence_prepare(&run->count, device));
fail:
    return status;
}

/* Runs a sequence on the tiles of a block of queries with rows [begin, end) of the bank. */
static clc_status pass(ranking_run *run, const clc_sequence *sequence, cl_uint argument,
                       size_t begin, size_t end) {
    clc_status status = CLC_OK;
    size_t columns;
    for (size_t b = begin; b < end; b += run->cosines.bank_block) {
        if (clc_signals_stop())
            CLC_TRY(clc_fail(CLC_INTERRUPTED, "interrupted in retrieval"));
        CLC_TRY(clc_cosines_tile(&run->cosines, b, &columns));
        CLC_TRY(clc_tile_place(&sequence->items[0], argument, b, columns));
        CLC_TRY(clc_sequence_run(sequence, run->device));
        /* Tiles wait for each other anyway; so Ctrl-C is heard. */
        CLC_TRY(clc_device_finish(run->device));
    }
fail:
    return status;
}

/* Rows of the bank that are relevant for any of these queries. */
static void range_of(const ranking_run *run, size_t first, size_t queries, size_t *begin,
                     size_t *end) {
    *begin = *end = 0;
    for (size_t q = first; q < first + queries; q++) {
        const int32_t c = run->asked.classes[q];
        if (c < 0)
            break;
        *begin = q == first ? (size_t)run->banked.starts[c] : *begin;
        *end = (size_t)run->banked.starts[c + 1];
    }
}

/* Brings the block of queries that begins at `first` to the host as rankings. */
static clc_status rank(ranking_run *run, size_t first, size_t *queries) {
    clc_status status = CLC_OK;
    clc_device *device = run->device;
    size_t begin, end;
    CLC_TRY(clc_cosines_queries(&run->cosines, first, queries));
    range_of(run, first, *queries, &begin, &end);
    CLC_TRY(clc_tile_place(&run->gather.items[0], GATHER_BLOCKS, first, *queries));
    CLC_TRY(clc_tile_place(&run->sort.items[0], SORT_BLOCKS, first, *queries));
    CLC_TRY(clc_tile_place(&run->count.items[0], COUNT_BLOCKS, first, *queries));
    CLC_TRY(pass(run, &run->gather, GATHER_BLOCKS + 2, begin, end));
    CLC_TRY(clc_sequence_run(&run->sort, device));
    CLC_TRY(pass(run, &run->count, COUNT_BLOCKS + 2, 0, run->bank->rows));
    CLC_TRY(clc_buffer_read(device, run->relevant, 0, *queries * (size_t)run->most * sizeof(float),
                            run->values));
    CLC_TRY(clc_buffer_read(device, run->counts, 0, *queries * counts_of(run) * sizeof(cl_int),
                            run->numbers));
fail:
    return status;
}

/* ---- measures ---- */

static void measure(ranking_run *run, size_t first, size_t queries) {
    for (size_t q = 0; q < queries; q++) {
        const int32_t c = run->asked.classes[first + q];
        const int32_t *starts = run->banked.starts;
        const int32_t relevant = c < 0 ? 0 : starts[c + 1] - starts[c] - run->self;
        const clc_ranking ranking = {relevant, run->numbers + q * counts_of(run),
                                     run->values + q * (size_t)run->most};
        clc_ranking_measure(&ranking, &run->measures[first + q]);
    }
}

static clc_status average(const ranking_run *run, clc_ranking_score *score) {
    clc_status status = CLC_OK;
    clc_retrieval_place *places = NULL;
    *score = (clc_ranking_score){0};
    CLC_NEW(places, run->queries->rows);
    for (size_t q = 0; q < run->queries->rows; q++) {
        const clc_ranking_measures *m = &run->measures[q];
        places[q] = m->first;
        score->mrr += m->reciprocal_rank;
        score->map += m->average_precision;
        score->r_precision += m->r_precision;
        score->map_at_r += m->precision_at_r;
    }
    CLC_TRY(clc_retrieval_score_make(places, run->queries->rows, &score->first));
    const double count = score->first.queries ? (double)score->first.queries : 1;
    score->mrr /= count;
    score->map /= count;
    score->r_precision /= count;
    score->map_at_r /= count;
fail:
    free(places);
    return status;
}

static void release(ranking_run *run) {
    cl_mem *buffers[] = {&run->bank_order, &run->query_order, &run->classes, &run->starts,
                         &run->relevant,   &run->counts,      &run->table};
    clFinish(run->device->queue);
    clc_cosines_release(&run->cosines);
    clc_sequence_free(&run->gather);
    clc_sequence_free(&run->sort);
    clc_sequence_free(&run->count);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        clc_buffer_release(run->device, buffers[i]);
    by_class_free(&run->banked);
    by_class_free(&run->asked);
    free(run->values);
    free(run->numbers);
    free(run->measures);
}

static clc_status check(const clc_features *bank, const clc_features *queries) {
    if (!bank->labels || !queries->labels || bank->classes < 1)
        return clc_fail(CLC_INVALID, "retrieval by labels: needs labels of rows and queries");
    return clc_features_comparable(bank, queries, "retrieval");
}

static void show(size_t done, size_t all, double started) {
    const double seconds = clc_seconds() - started;
    clc_live("retrieval: %zu of %zu queries, %.0f s left", done, all,
             seconds / (double)done * (double)(all - done));
}

clc_status clc_ranking_score_make(clc_device *device, const clc_features *bank,
                                  const clc_features *queries, clc_ranking_score *score) {
    const clc_features *asked = queries ? queries : bank;
    const double started = clc_seconds();
    clc_status status = check(bank, asked);
    ranking_run run = {.device = device, .bank = bank, .queries = asked, .self = !queries};
    *score = (clc_ranking_score){0};
    if (status != CLC_OK || !asked->rows)
        return status;
    CLC_TRY(sort_rows(&run));
    CLC_TRY(allocate(&run));
    CLC_TRY(build(&run));
    for (size_t first = 0, n; first < asked->rows; first += n) {
        CLC_TRY(rank(&run, first, &n));
        measure(&run, first, n);
        show(first + n, asked->rows, started);
    }
    CLC_TRY(average(&run, score));
fail:
    clc_live("%s", "");
    release(&run);
    return status;
}
