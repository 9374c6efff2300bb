#include "bench/bench.h"

#include "core/clock.h"
#include "core/rng.h"
#include "device/open.h"
#include "device/roofline.h"
#include "eval/knn.h"

#include <stdlib.h>

/* Rows, dimensions and neighbours of the search that is timed. */
enum { ROWS = 1000000, DIM = 128, NEIGHBOURS = 10, LEAST_ROUNDS = 3, MOST_ROUNDS = 20 };
static const int batches[] = {1, 8, 64, 256, 1024};
static const double most_seconds = 1.5; /* of a batch's rounds */

static clc_status random_features(clc_device *device, size_t rows, clc_features *features) {
    clc_status status = CLC_OK;
    clc_rng rng = clc_rng_make(1, (uint32_t)rows);
    float *values = NULL;
    *features = (clc_features){.rows = rows, .dim = DIM};
    CLC_NEW(values, rows * DIM);
    for (size_t i = 0; i < rows * DIM; i++)
        values[i] = clc_uniform(clc_rng_next(&rng)) - 0.5f;
    CLC_TRY(clc_features_upload(device, values, features));
fail:
    free(values);
    return status;
}

static clc_status time_batch(clc_device *device, const clc_features *bank, int queries,
                             double *seconds) {
    clc_status status = CLC_OK;
    clc_features asked = {0};
    clc_knn_found found = {0};
    const double begin = clc_seconds();
    CLC_NEW(found.cosines, (size_t)queries * NEIGHBOURS);
    CLC_NEW(found.rows, (size_t)queries * NEIGHBOURS);
    CLC_TRY(random_features(device, (size_t)queries, &asked));
    *seconds = 1e30;
    for (int i = 0; i < MOST_ROUNDS; i++) {
        const double start = clc_seconds();
        CLC_TRY(clc_knn_find(device, bank, &asked, NEIGHBOURS, 1, &found));
        const double taken = clc_seconds() - start;
        *seconds = taken < *seconds ? taken : *seconds;
        if (i + 1 >= LEAST_ROUNDS && clc_seconds() - begin > most_seconds)
            break;
    }
fail:
    clc_buffer_release(device, &asked.data);
    free(found.cosines);
    free(found.rows);
    return status;
}

static void print(const clc_roofline *roofline, int queries, double seconds, bool json,
                  FILE *file) {
    const double read = (double)ROWS * DIM * 4 / seconds, flops = 2.0 * queries * ROWS * DIM;
    if (json)
        fprintf(file,
                "{\"rows\":%d,\"dim\":%d,\"k\":%d,\"queries\":%d,\"seconds\":%.6f,"
                "\"bytes_per_second\":%.0f,\"share_of_bandwidth\":%.4f,\"gflops\":%.1f,"
                "\"share_of_peak\":%.4f}\n",
                ROWS, DIM, NEIGHBOURS, queries, seconds, read, read / roofline->bytes,
                flops / seconds * 1e-9, flops / seconds / roofline->flops);
    else
        fprintf(file, "%8d %10.2f %12.3f %8.1f %8.1f%% %10.1f %8.1f%%\n", queries, 1e3 * seconds,
                1e3 * seconds / queries, read * 1e-9, 100 * read / roofline->bytes,
                flops / seconds * 1e-9, 100 * flops / seconds / roofline->flops);
    fflush(file);
}

clc_status clc_bench_search(const char *selector, bool json, FILE *file) {
    clc_status status = CLC_OK;
    clc_device *device = NULL;
    clc_features bank = {0};
    clc_roofline roofline;
    double seconds = 0;
    CLC_TRY(clc_device_open(selector, CLC_PROFILE_AUTO, &device));
    CLC_TRY(clc_roofline_measure(device, &roofline));
    CLC_TRY(random_features(device, ROWS, &bank));
    if (!json)
        fprintf(file,
                "the %d nearest of %d rows of %d; the bank is read once a batch\n"
                "%8s %10s %12s %8s %9s %10s %9s\n",
                NEIGHBOURS, ROWS, DIM, "queries", "ms", "ms a query", "GB/s", "of copy", "GFLOP/s",
                "of peak");
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        CLC_TRY(time_batch(device, &bank, batches[i], &seconds));
        print(&roofline, batches[i], seconds, json, file);
    }
fail:
    if (device)
        clc_buffer_release(device, &bank.data);
    clc_device_close(&device);
    return status;
}
