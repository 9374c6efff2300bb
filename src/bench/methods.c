#include "bench/bench.h"

#include "core/log.h"
#include "core/words.h"

#include <stdlib.h>

/* A pass backward costs two forward: by data and by weights. */
enum { STUDENT_PASSES = 3, TEACHER_PASSES = 1 };

/* Of a size that a CPU can time; the user's settings follow. Batch-norm in parts and the watch over
 * embeddings are extras of their own. */
static const char *const sizes[] = {"encoder.name=resnet10", "encoder.width=16",
                                    "training.batch=64", "method.norm_parts=0",
                                    "training.watch_every=0"};
enum { SIZES = sizeof sizes / sizeof *sizes };

static clc_status time_method(const clc_train_options *given, const char *name,
                              clc_bench_times *times) {
    clc_status status = CLC_OK;
    const char **overrides = NULL;
    char method[64];
    size_t n = 0;
    clc_train_options options = *given;
    CLC_NEW(overrides, SIZES + given->override_count + 1);
    for (size_t i = 0; i < SIZES; i++)
        overrides[n++] = sizes[i];
    for (size_t i = 0; i < given->override_count; i++)
        overrides[n++] = given->overrides[i];
    snprintf(method, sizeof method, "method.name=%s", name);
    overrides[n++] = method;
    options.config = NULL;
    options.overrides = overrides;
    options.override_count = n;
    CLC_TRY(clc_bench_time(&options, times));
fail:
    free(overrides);
    return status;
}

static int passes(const clc_bench_times *t) {
    return STUDENT_PASSES * t->views + TEACHER_PASSES * t->teacher_views;
}

static void print(const char *name, const clc_bench_times *t, const clc_bench_times *simclr,
                  bool json, FILE *file) {
    const double relative = t->seconds / simclr->seconds;
    const double by_passes = (double)passes(t) / passes(simclr);
    if (json)
        fprintf(file,
                "{\"method\": \"%s\", \"views\": %d, \"teacher_views\": %d, \"seconds\": %.6f, "
                "\"relative\": %.3f, \"relative_passes\": %.3f, \"device_bytes\": %llu}\n",
                name, t->views, t->teacher_views, t->seconds, relative, by_passes,
                (unsigned long long)t->bytes);
    else
        fprintf(file, "%-8s %6d %8d %9.1f %10.2f %10.2f %10.1f\n", name, t->views, t->teacher_views,
                1e3 * t->seconds, relative, by_passes, (double)t->bytes / 1e6);
    fflush(file);
}

clc_status clc_bench_methods(const clc_train_options *options, bool json, FILE *file) {
#define WORD(unused, word) #word,
    static const char *const words[] = {CLC_METHODS(WORD, )};
#undef WORD
    clc_status status = CLC_OK;
    const bool quiet = clc_log_quiet(true);
    clc_bench_times simclr, times;
    /* Twice: what a process does first is slower. */
    for (int i = 0; i < 2; i++)
        CLC_TRY(time_method(options, "simclr", &simclr));
    if (!json)
        fprintf(file, "%-8s %6s %8s %9s %10s %10s %10s\n", "method", "views", "teacher", "ms",
                "to simclr", "in passes", "device MB");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        CLC_TRY(time_method(options, words[i], &times));
        print(words[i], &times, &simclr, json, file);
    }
fail:
    clc_log_quiet(quiet);
    return status;
}
