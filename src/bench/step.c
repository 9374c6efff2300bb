#include "bench/bench.h"

#include "core/clock.h"
#include "device/program.h"
#include "device/roofline.h"
#include "train/stand_in.h"

#include <jansson.h>
#include <string.h>

enum { WARM_STEPS = 2, ROUNDS = 3, PROFILED_STEPS = 2 };
static const double round_seconds = 1.5;

/* One line of the result: all launches of an op, or those of one layer. */
typedef struct op_time {
    char op[48], layer[64];
    double seconds, flops, bytes;
    int launches;
} op_time;

typedef struct bench {
    clc_session session;
    op_time *ops;
    size_t op_count;
    clc_roofline roofline;
    double step_seconds, first_step_seconds, profiled_seconds;
    clc_loader *loader;
    int64_t steps;
} bench;

static clc_status run_steps(bench *b, int n) {
    clc_status status = CLC_OK;
    clc_step_slot slot;
    clc_batch batch;
    for (int i = 0; i < n; i++, b->steps++) {
        CLC_TRY(clc_loader_next(b->loader, &batch));
        CLC_TRY(clc_step_enqueue(&b->session.step, 0.01f, &batch, &slot));
    }
    CLC_TRY(clc_device_finish(b->session.device));
fail:
    return status;
}

/* The best of some rounds: other programs on the machine can only slow a round down. */
static clc_status time_steps(bench *b) {
    clc_status status = CLC_OK;
    double start = clc_seconds();
    CLC_TRY(run_steps(b, 1));
    b->first_step_seconds = clc_seconds() - start;
    CLC_TRY(run_steps(b, WARM_STEPS - 1));
    start = clc_seconds();
    CLC_TRY(run_steps(b, 1));
    const double one = clc_seconds() - start;
    const int n = one > round_seconds ? 1 : (int)(round_seconds / (one > 1e-4 ? one : 1e-4));
    b->step_seconds = one;
    for (int round = 0; round < ROUNDS; round++) {
        start = clc_seconds();
        CLC_TRY(run_steps(b, n));
        const double each = (clc_seconds() - start) / n;
        b->step_seconds = each < b->step_seconds ? each : b->step_seconds;
    }
fail:
    return status;
}

/* The line of a launch: of its op, or of its op in its layer. NULL without memory. */
static op_time *find_op(bench *b, const clc_launch *launch, bool layers) {
    const char *layer = layers ? launch->layer : "";
    for (size_t i = 0; i < b->op_count; i++)
        if (!strcmp(b->ops[i].op, launch->op) && !strcmp(b->ops[i].layer, layer))
            return &b->ops[i];
    op_time *ops = realloc(b->ops, (b->op_count + 1) * sizeof *ops);
    if (!ops)
        return NULL;
    b->ops = ops;
    op_time *op = &b->ops[b->op_count++];
    *op = (op_time){0};
    snprintf(op->op, sizeof op->op, "%s", launch->op);
    snprintf(op->layer, sizeof op->layer, "%s", layer);
    return op;
}

/* Runs a stage once more, timed, and adds its launches to their lines. */
static clc_status profile_stage(bench *b, clc_sequence *sequence, bool layers, bool first) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < sequence->count; i++)
        sequence->items[i].seconds = 0;
    CLC_TRY(clc_sequence_profile(sequence, b->session.device));
    for (size_t i = 0; i < sequence->count; i++) {
        const clc_launch *launch = &sequence->items[i];
        op_time *op = find_op(b, launch, layers);
        if (!op)
            return clc_fail_alloc(sizeof *op);
        op->seconds += launch->seconds / PROFILED_STEPS;
        b->profiled_seconds += launch->seconds / PROFILED_STEPS;
        op->flops += first ? launch->flops : 0;
        op->bytes += first ? launch->bytes : 0;
        op->launches += first;
    }
fail:
    return status;
}

static clc_status profile(bench *b, bool layers) {
    clc_status status = CLC_OK;
    const clc_stage *stages;
    const size_t count = clc_step_stages(&b->session.step, b->steps, &stages);
    for (int i = 0; i < PROFILED_STEPS; i++)
        for (size_t s = 0; s < count; s++)
            CLC_TRY(profile_stage(b, stages[s].sequence, layers, i == 0));
fail:
    return status;
}

static double giga(double amount, double seconds) {
    return seconds > 0 ? amount / seconds * 1e-9 : 0;
}

static double cold_start(const bench *b) {
    return b->session.prepare_seconds + b->first_step_seconds;
}

/* The least time that the device's roofline allows, as a share of the time taken. A convolution
 * counts the operations of the definition, so that Winograd's can pass 1. */
static double roofline_share(const bench *b, const op_time *op) {
    return op->seconds > 0 ? clc_roofline_seconds(&b->roofline, op->flops, op->bytes) / op->seconds
                           : 0;
}

static void print_text(const bench *b, bool layers, FILE *file) {
    const int batch = b->session.config.training.batch, views = b->session.step.wiring.views.count;
    fprintf(file, "roofline: %.1f GFLOP/s of fused multiply-adds, %.1f GB/s of copying\n",
            b->roofline.flops * 1e-9, b->roofline.bytes * 1e-9);
    fprintf(file, "%-28s%s%.*s %8s %10s %7s %9s %7s %9s\n", "op", layers ? " layer" : "",
            layers ? 26 : 0, "                          ", "launches", "ms", "share", "GFLOP/s",
            "GB/s", "roofline");
    for (size_t i = 0; i < b->op_count; i++) {
        const op_time *op = &b->ops[i];
        fprintf(file, layers ? "%-28s %-31s" : "%-28s%s", op->op, op->layer);
        fprintf(file, " %8d %10.3f %6.1f%% %9.1f %7.1f %8.1f%%\n", op->launches, 1e3 * op->seconds,
                100 * op->seconds / b->profiled_seconds, giga(op->flops, op->seconds),
                giga(op->bytes, op->seconds), 100 * roofline_share(b, op));
    }
    fprintf(file, "sum of ops %.1f ms; whole step %.1f ms: %.1f %s/s, %.1f views/s\n",
            1e3 * b->profiled_seconds, 1e3 * b->step_seconds, batch / b->step_seconds,
            clc_dataset_unit(b->session.data), views * batch / b->step_seconds);
    fprintf(file, "start to the end of the first step: %.2f s\n", cold_start(b));
}

static clc_status print_json(const bench *b, FILE *file) {
    const int batch = b->session.config.training.batch, views = b->session.step.wiring.views.count;
    const clc_program_counts counts = clc_program_counts_get(b->session.device);
    json_t *ops = json_array();
    for (size_t i = 0; i < b->op_count; i++) {
        const op_time *op = &b->ops[i];
        json_array_append_new(ops, json_pack("{s:s,s:s,s:i,s:f,s:f,s:f,s:f}", "op", op->op, "layer",
                                             op->layer, "launches", op->launches, "seconds",
                                             op->seconds, "gflops", giga(op->flops, op->seconds),
                                             "gbytes", giga(op->bytes, op->seconds),
                                             "roofline_share", roofline_share(b, op)));
    }
    json_t *root = json_pack(
        "{s:s,s:f,s:f,s:f,s:f,s:f,s:f,s:i,s:i,s:i,s:I,s:o}", "device", b->session.device->info.name,
        "peak_gflops", b->roofline.flops * 1e-9, "peak_gbytes", b->roofline.bytes * 1e-9,
        "step_seconds", b->step_seconds, "views_per_second", views * batch / b->step_seconds,
        "images_per_second", batch / b->step_seconds, "cold_start_seconds", cold_start(b),
        "programs_built", (int)counts.built, "programs_loaded", (int)counts.loaded, "batch", batch,
        "device_bytes", (json_int_t)b->session.device->peak, "ops", ops);
    if (!root)
        return clc_fail_alloc(1024);
    json_dumpf(root, file, JSON_INDENT(2));
    fputc('\n', file);
    json_decref(root);
    return CLC_OK;
}

static clc_status open_bench(const clc_train_options *options, bench **made) {
    clc_status status = CLC_OK;
    bench *b = NULL;
    CLC_NEW(b, 1);
    *made = b;
    CLC_TRY(clc_stand_in_open(&b->session, options));
    CLC_TRY(clc_step_loader(&b->session.step, 0, &b->loader));
    CLC_TRY(time_steps(b));
fail:
    return status;
}

static void close_bench(bench *b) {
    if (!b)
        return;
    if (b->session.device)
        clc_device_finish(b->session.device);
    clc_loader_close(&b->loader);
    clc_session_close(&b->session);
    free(b->ops);
    free(b);
}

clc_status clc_bench_time(const clc_train_options *options, clc_bench_times *times) {
    clc_status status = CLC_OK;
    bench *b = NULL;
    CLC_TRY(open_bench(options, &b));
    const clc_wiring *w = &b->session.step.wiring;
    *times = (clc_bench_times){.seconds = b->step_seconds,
                               .bytes = b->session.device->peak,
                               .teacher_views = w->branches.teacher.views};
    for (int i = 0; i < w->branches.student_count; i++)
        times->views += w->branches.students[i].views;
fail:
    close_bench(b);
    return status;
}

clc_status clc_bench_step(const clc_train_options *options, bool layers, bool json, FILE *file) {
    clc_status status = CLC_OK;
    bench *b = NULL;
    CLC_TRY(open_bench(options, &b));
    CLC_TRY(profile(b, layers));
    CLC_TRY(clc_roofline_measure(b->session.device, &b->roofline));
    if (json)
        CLC_TRY(print_json(b, file));
    else
        print_text(b, layers, file);
fail:
    close_bench(b);
    return status;
}
