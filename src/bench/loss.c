#include "bench/bench.h"

#include "core/clock.h"
#include "core/rng.h"
#include "device/open.h"
#include "device/sequence.h"
#include "loss/loss.h"

enum { DIM = 128, LEAST_VIEWS = 1024, MOST_ROUNDS = 5, QUEUE = 4096 };

#define UNIT .normalize = true, .weight = 1

/* What is timed: each loss on pairs, NT-Xent first. */
static const struct timed_loss {
    const char *name, *what;
    clc_config_loss options;
    bool targets;
    int classes;
} timed[] = {
    {"ntxent", "ntxent", {UNIT, .temperature = 0.5}, false, 0},
    {"supcon", "supcon, 10 classes", {UNIT, .temperature = 0.1}, false, 10},
    {"infonce", "infonce, batch", {UNIT, .temperature = 0.2}, true, 0},
    {"infonce",
     "infonce, queue of 4096",
     {UNIT, .temperature = 0.2, .negatives = CLC_CONFIG_NEGATIVES_BOTH},
     true,
     0},
    {"npair", "npair", {.temperature = 1, .weight = 1, .l2 = 0.02}, false, 0},
    {"logistic", "logistic", {UNIT, .temperature = 0.1, .bias = -10}, false, 0},
    {"clip", "clip", {UNIT, .temperature = 0.07}, false, 0},
    {"contrastive", "contrastive", {UNIT, .temperature = 1, .margin = 1}, false, 0},
    {"triplet",
     "triplet, hard",
     {UNIT, .temperature = 1, .margin = 0.3, .mining = CLC_CONFIG_MINING_HARD},
     false,
     0},
    {"triplet", "triplet, all", {UNIT, .temperature = 1, .margin = 0.3}, false, 0},
    {"triplet", "triplet, 10 classes", {UNIT, .temperature = 1, .margin = 0.3}, false, 10},
};
enum { TIMED = sizeof timed / sizeof *timed };

typedef struct loss_time {
    int views;
    double seconds;
    size_t workspace;
} loss_time;

/* Random floats, or whole numbers below `classes` as int. */
static clc_status upload(clc_device *device, cl_mem buffer, size_t count, int classes) {
    clc_status status = CLC_OK;
    clc_rng rng = clc_rng_make(1, 2);
    union {
        float f;
        int32_t i;
    } *values = NULL;
    CLC_NEW(values, count);
    for (size_t i = 0; i < count; i++) {
        const uint32_t bits = clc_rng_next(&rng);
        if (classes)
            values[i].i = (int32_t)(bits % (uint32_t)classes);
        else
            values[i].f = clc_uniform(bits) - 0.5f;
    }
    CLC_TRY(clc_buffer_write(device, buffer, 0, count * sizeof *values, values));
fail:
    free(values);
    return status;
}

static clc_status time_sequence(const clc_sequence *sequence, clc_device *device, double *seconds) {
    clc_status status = CLC_OK;
    *seconds = 1e30;
    for (int i = 0; i < MOST_ROUNDS; i++) {
        const double start = clc_seconds();
        CLC_TRY(clc_sequence_run(sequence, device));
        CLC_TRY(clc_device_finish(device));
        const double taken = clc_seconds() - start;
        *seconds = taken < *seconds ? taken : *seconds;
        if (taken > 5 || (i > 0 && taken > 1))
            break;
    }
fail:
    return status;
}

static clc_status time_loss(clc_device *device, const struct timed_loss *t, loss_time *result) {
    clc_status status = CLC_OK;
    const clc_loss *loss = clc_loss_find(t->name);
    const bool queued = t->options.negatives == CLC_CONFIG_NEGATIVES_BOTH;
    const int views = t->targets ? 1 : 2; /* the targets are the other */
    const clc_loss_shape shape = {.images = result->views / 2,
                                  .views = views,
                                  .dim = DIM,
                                  .targets = t->targets,
                                  .queue = queued ? QUEUE : 0,
                                  .labels = t->classes > 0};
    const size_t images = (size_t)shape.images, count = images * (size_t)views * DIM;
    clc_loss_buffers b = {0};
    clc_sequence sequence = {0};
    result->workspace = loss->workspace(device, &shape, &t->options);
    const struct {
        cl_mem *buffer;
        size_t count;
        int classes;
    } all[] = {{&b.z, count, 0},
               {&b.dz, count, 0},
               {&b.target, t->targets ? count : 0, 0},
               {&b.queue, (size_t)shape.queue * DIM, 0},
               {&b.labels, shape.labels ? images : 0, t->classes},
               {&b.value, 1, 0}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].count) {
            CLC_TRY(
                clc_buffer_create(device, all[i].count * 4, "inputs of the loss", all[i].buffer));
            CLC_TRY(upload(device, *all[i].buffer, all[i].count, all[i].classes));
        }
    CLC_TRY(clc_buffer_create(device, result->workspace, "workspace", &b.workspace));
    CLC_TRY(clc_loss_build(loss, &sequence, device, &shape, &t->options, &b));
    CLC_TRY(time_sequence(&sequence, device, &result->seconds));
fail:
    clc_sequence_free(&sequence);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        clc_buffer_release(device, all[i].buffer);
    clc_buffer_release(device, &b.workspace);
    return status;
}

static void print(const char *name, const loss_time *r, bool json, FILE *file) {
    const double dense = 4.0 * r->views * r->views;
    if (json)
        fprintf(file,
                "{\"loss\":\"%s\",\"views\":%d,\"dim\":%d,\"seconds\":%.6f,"
                "\"workspace_bytes\":%zu,\"dense_bytes\":%.0f}\n",
                name, r->views, DIM, r->seconds, r->workspace, dense);
    else
        fprintf(file, "%-24s %8d %12.2f %14.1f %14.1f\n", name, r->views, 1e3 * r->seconds,
                (double)r->workspace / 1e6, dense / 1e6);
    fflush(file);
}

clc_status clc_bench_loss(const char *selector, int most, bool all, bool json, FILE *file) {
    clc_status status = CLC_OK;
    clc_device *device = NULL;
    CLC_TRY(clc_device_open(selector, CLC_PROFILE_AUTO, &device));
    if (!json)
        fprintf(file, "%-24s %8s %12s %14s %14s\n", "loss", "views", "ms", "workspace MB",
                "dense N^2 MB");
    for (int i = 0; i < (all ? TIMED : 1); i++)
        for (int views = LEAST_VIEWS; views <= most; views *= 2) {
            loss_time result = {.views = views};
            CLC_TRY(time_loss(device, &timed[i], &result));
            print(timed[i].what, &result, json, file);
        }
fail:
    clc_device_close(&device);
    return status;
}
