#include "report/bench.h"

#include "core/rng.h"
#include "device/sequence.h"
#include "loss/loss.h"
#include "report/progress.h"

#include <jansson.h>

enum { DIM = 128, LEAST_VIEWS = 1024, MOST_ROUNDS = 5 };

typedef struct loss_time {
    int views;
    double seconds;
    size_t workspace;
} loss_time;

static clc_status upload_random(clc_device *device, cl_mem buffer, size_t count) {
    clc_status status = CLC_OK;
    clc_rng rng = clc_rng_make(1, 2);
    float *values = NULL;
    CLC_NEW(values, count);
    for (size_t i = 0; i < count; i++)
        values[i] = clc_uniform(clc_rng_next(&rng)) - 0.5f;
    CLC_TRY(clc_buffer_write(device, buffer, 0, count * sizeof *values, values));
fail:
    free(values);
    return status;
}

static clc_status time_sequence(const clc_sequence *sequence, clc_device *device,
                                double *seconds) {
    clc_status status = CLC_OK;
    *seconds = 1e30;
    for (int i = 0; i < MOST_ROUNDS; i++) {
        const double start = clc_seconds();
        CLC_TRY(clc_sequence_run(sequence, device));
        CLC_TRY(clc_device_finish(device));
        const double taken = clc_seconds() - start;
        *seconds = taken < *seconds ? taken : *seconds;
        if (i > 0 && taken > 2)
            break;
    }
fail:
    return status;
}

static clc_status time_loss(clc_device *device, const clc_loss *loss, loss_time *result) {
    clc_status status = CLC_OK;
    const clc_loss_shape shape = {.views = result->views, .dim = DIM};
    const clc_loss_options options = {.temperature = 0.5};
    const size_t bytes = (size_t)result->views * DIM * sizeof(float);
    cl_mem z = NULL, dz = NULL, value = NULL, workspace = NULL;
    clc_sequence sequence = {0};
    result->workspace = loss->workspace(device, &shape, &options);
    CLC_TRY(clc_buffer_create(device, bytes, "embeddings", &z));
    CLC_TRY(clc_buffer_create(device, bytes, "gradients", &dz));
    CLC_TRY(clc_buffer_create(device, sizeof(float), "loss", &value));
    CLC_TRY(clc_buffer_create(device, result->workspace, "workspace", &workspace));
    CLC_TRY(upload_random(device, z, (size_t)result->views * DIM));
    CLC_TRY(loss->build(&sequence, device, &shape, &options, z, dz, value, workspace));
    CLC_TRY(time_sequence(&sequence, device, &result->seconds));
fail:
    clc_sequence_free(&sequence);
    clc_buffer_release(device, &z);
    clc_buffer_release(device, &dz);
    clc_buffer_release(device, &value);
    clc_buffer_release(device, &workspace);
    return status;
}

static void print(const char *name, const loss_time *r, bool json, FILE *file) {
    const double dense = 4.0 * r->views * r->views;
    if (json)
        fprintf(file, "{\"loss\":\"%s\",\"views\":%d,\"dim\":%d,\"seconds\":%.6f,"
                      "\"workspace_bytes\":%zu,\"dense_bytes\":%.0f}\n",
                name, r->views, DIM, r->seconds, r->workspace, dense);
    else
        fprintf(file, "%-10s %8d %12.2f %14.1f %14.1f\n", name, r->views, 1e3 * r->seconds,
                (double)r->workspace / 1e6, dense / 1e6);
    fflush(file);
}

clc_status clc_bench_loss(const char *selector, int most, bool json, FILE *file) {
    clc_status status = CLC_OK;
    clc_device *device = NULL;
    const clc_loss *loss = clc_loss_find("ntxent");
    CLC_TRY(clc_device_open(selector, CLC_PROFILE_AUTO, &device));
    if (!json)
        fprintf(file, "%-10s %8s %12s %14s %14s\n", "loss", "views", "ms", "workspace MB",
                "dense N^2 MB");
    for (int views = LEAST_VIEWS; views <= most; views *= 2) {
        loss_time result = {.views = views};
        CLC_TRY(time_loss(device, loss, &result));
        print("ntxent", &result, json, file);
    }
fail:
    clc_device_close(&device);
    return status;
}
