/* search_cat WORK BANK BANK_LABELS QUERIES QUERY_LABELS DIM CLASSES K ROUNDS ROWS: does WORK
 * (search, knn or retrieval) on features (rows,DIM) of float32 and labels of int32, as they lie in
 * files, and prints one JSON object: the seconds of the best round and of processor
 * time, bytes of device memory beside
 * the features, and what was found; `search` writes the K rows of each query as int32 to the file
 * ROWS. For judges. */
#include "core/clock.h"
#include "core/file.h"
#include "device/open.h"
#include "eval/knn.h"
#include "eval/ranking.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    NAME,
    WORK,
    BANK,
    BANK_LABELS,
    QUERIES,
    QUERY_LABELS,
    DIM,
    CLASSES,
    NEIGHBOURS,
    ROUNDS,
    ROWS,
    COUNT
};

typedef struct work {
    clc_device *device;
    clc_features bank, queries;
    int k;
    float *cosines;
    int32_t *rows, *predictions;
    const char *output;
    clc_ranking_score score;
} work;

static clc_status load(clc_device *device, const char *path, const char *labels, int dim,
                       int classes, clc_features *features) {
    clc_status status = CLC_OK;
    void *values = NULL, *classes_of = NULL;
    size_t bytes, label_bytes;
    CLC_TRY(clc_file_read_all(path, SIZE_MAX, &values, &bytes));
    CLC_TRY(clc_file_read_all(labels, SIZE_MAX, &classes_of, &label_bytes));
    *features = (clc_features){.rows = bytes / sizeof(float) / (size_t)dim,
                               .dim = dim,
                               .labels = classes_of,
                               .classes = classes};
    classes_of = NULL;
    if (label_bytes != features->rows * sizeof(int32_t))
        CLC_TRY(clc_fail(CLC_INVALID, "%s: not a label a row", labels));
    CLC_TRY(clc_features_upload(device, values, features));
fail:
    free(values);
    free(classes_of);
    return status;
}

static clc_status search(work *w) {
    const clc_knn_found found = {.cosines = w->cosines, .rows = w->rows};
    return clc_knn_find(w->device, &w->bank, &w->queries, w->k, 1, &found);
}

static clc_status knn(work *w) {
    return clc_knn_classify(w->device, &w->bank, &w->queries, w->k, 0.1, w->predictions);
}

static clc_status retrieval(work *w) {
    return clc_ranking_score_make(w->device, &w->bank, &w->queries, &w->score);
}

static clc_status report(const work *w, const char *what, const double seconds[2], uint64_t bytes) {
    const clc_ranking_score *s = &w->score;
    size_t right = 0;
    for (size_t q = 0; q < w->queries.rows; q++)
        right += w->predictions[q] == w->queries.labels[q];
    printf("{\"seconds\": %.6f, \"cpu\": %.6f, \"bytes\": %llu, \"right\": %zu, \"map\": %.9f, "
           "\"mean_average_precision_at_r\": %.9f, \"r_precision\": %.9f, "
           "\"mean_reciprocal_rank\": %.9f, \"precision_at_1\": %.9f}\n",
           seconds[0], seconds[1], (unsigned long long)bytes, right, s->map, s->map_at_r,
           s->r_precision, s->mrr, s->first.recall[0]);
    return strcmp(what, "search")
               ? CLC_OK
               : clc_file_write_all(w->output, w->rows, w->queries.rows * (size_t)w->k * 4);
}

static clc_status run(work *w, char **a) {
    static const struct {
        const char *name;
        clc_status (*run)(work *);
    } kinds[] = {{"search", search}, {"knn", knn}, {"retrieval", retrieval}};
    clc_status status = CLC_OK;
    const int dim = atoi(a[DIM]), classes = atoi(a[CLASSES]);
    double best[2] = {1e30, 1e30};
    uint64_t before;
    w->k = atoi(a[NEIGHBOURS]);
    w->output = a[ROWS];
    CLC_TRY(clc_device_open(NULL, CLC_PROFILE_AUTO, &w->device));
    CLC_TRY(load(w->device, a[BANK], a[BANK_LABELS], dim, classes, &w->bank));
    CLC_TRY(load(w->device, a[QUERIES], a[QUERY_LABELS], dim, classes, &w->queries));
    before = w->device->allocated;
    CLC_NEW(w->cosines, w->queries.rows * (size_t)w->k);
    CLC_NEW(w->rows, w->queries.rows * (size_t)w->k);
    CLC_NEW(w->predictions, w->queries.rows);
    for (int round = 0; round < atoi(a[ROUNDS]); round++)
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            if (!strcmp(a[WORK], kinds[i].name)) {
                const double start = clc_seconds(), before_it = (double)clock();
                CLC_TRY(kinds[i].run(w));
                best[0] = fmin(best[0], clc_seconds() - start);
                best[1] = fmin(best[1], ((double)clock() - before_it) / CLOCKS_PER_SEC);
            }
    CLC_TRY(report(w, a[WORK], best, w->device->peak - before));
fail:
    return status;
}

int main(int count, char **arguments) {
    work w = {0};
    const clc_status status = count == COUNT ? run(&w, arguments) : CLC_INVALID;
    if (status != CLC_OK)
        fprintf(stderr, "search_cat: %s\n", clc_error());
    if (w.device) {
        clc_buffer_release(w.device, &w.bank.data);
        clc_buffer_release(w.device, &w.queries.data);
    }
    clc_device_close(&w.device);
    free((void *)w.bank.labels);
    free((void *)w.queries.labels);
    free(w.cosines);
    free(w.rows);
    free(w.predictions);
    return (int)status;
}
