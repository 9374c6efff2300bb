#include "tune/tune.h"

#include "core/log.h"
#include "device/open.h"
#include "device/program.h"
#include "train/stand_in.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A change is worth while only if it is clearly faster than what the rule takes. */
static const double least_gain = 1.03;

/* The problems of the network: building it has noted them in the device's tuning. */
static clc_status collect(const clc_train_options *options, clc_tuning *problems) {
    clc_status status = CLC_OK;
    clc_session session = {0};
    char *text = NULL;
    CLC_TRY(clc_stand_in_plan(&session, options));
    CLC_TRY(clc_tuning_text(session.device->tuning, true, &text));
    CLC_TRY(clc_tuning_parse(problems, text));
fail:
    free(text);
    clc_session_close(&session);
    return status;
}

static bool make_problem(clc_device *device, const char *key, void *shape,
                         clc_tune_problem *problem) {
    return clc_tune_conv2d(device, key, shape, problem) ||
           clc_tune_gemm(device, key, shape, problem);
}

/* A row: what was measured, the choice, and every candidate's time. */
static void print_row(const char *key, const clc_tune_problem *p, const clc_tune_result *r,
                      int chosen, FILE *file) {
    fprintf(file, "%-52s %-20s %6.2fx ", key, p->candidates[chosen],
            r[p->by_rule].seconds / r[chosen].seconds);
    for (size_t i = 0; i < p->candidate_count; i++)
        if (r[i].wrong)
            fprintf(file, " %s WRONG", p->candidates[i]);
        else
            fprintf(file, " %s %.2f", p->candidates[i], 1e3 * r[i].seconds);
    fputc('\n', file);
    fflush(file);
}

static clc_status tune_one(clc_device *device, const char *key, double *before, double *after,
                           FILE *file) {
    clc_status status = CLC_OK;
    clc_tune_problem problem;
    clc_tune_result results[CLC_TUNE_CANDIDATES];
    _Alignas(16) unsigned char shape[CLC_TUNE_SHAPE_BYTES];
    int best;
    if (!make_problem(device, key, shape, &problem))
        return CLC_OK;
    CLC_TRY(clc_tune_measure(&problem, results, &best));
    if (best < 0)
        return clc_fail(CLC_OPENCL, "no way of computing %s gives right results on this device",
                        key);
    const clc_tune_result *rule = &results[problem.by_rule];
    if (!rule->wrong && rule->seconds < results[best].seconds * least_gain)
        best = problem.by_rule;
    CLC_TRY(clc_tuning_choose(device->tuning, key, problem.candidates[best]));
    *before += rule->seconds;
    *after += results[best].seconds;
    print_row(key, &problem, results, best, file);
fail:
    return status;
}

/* Stores the network's programs, so that later starts load them. */
static clc_status keep_programs(const clc_train_options *options, FILE *file) {
    clc_status status = CLC_OK;
    clc_session session = {0};
    size_t count = 0;
    const bool quiet = clc_log_quiet(true); /* collect has shown the plan */
    status = clc_stand_in_plan(&session, options);
    clc_log_quiet(quiet);
    if (status != CLC_OK)
        goto fail;
    const size_t kept = clc_programs_keep(session.device, &count);
    clc_live("%s", "");
    fprintf(file, "%zu of %zu compiled programs stored\n", kept, count);
fail:
    clc_session_close(&session);
    return status;
}

clc_status clc_tune(const clc_train_options *options, FILE *file) {
    clc_status status = CLC_OK;
    clc_tuning problems = {0};
    clc_device *device = NULL;
    clc_config config;
    char path[700];
    double before = 0, after = 0;
    CLC_TRY(clc_config_load(options->config, options->overrides, options->override_count, &config));
    CLC_TRY(collect(options, &problems));
    CLC_TRY(clc_device_open_as(options->device, &config.device, &device));
    CLC_TRY(clc_tuning_load(device->tuning, &device->info));
    fprintf(file, "%-52s %-20s %7s  %s\n", "problem", "chosen", "gain", "milliseconds");
    for (size_t i = 0; i < problems.count; i++) {
        clc_live("tuning: %zu of %zu, %s", i + 1, problems.count, problems.entries[i].key);
        CLC_TRY(tune_one(device, problems.entries[i].key, &before, &after, file));
    }
    clc_live("%s", "");
    CLC_TRY(clc_tuning_save(device->tuning, &device->info, path, sizeof path));
    fprintf(file, "all problems once: %.1f ms, %.1f ms without tuning; stored in %s\n", 1e3 * after,
            1e3 * before, path);
    clc_device_close(&device);
    CLC_TRY(keep_programs(options, file));
fail:
    clc_tuning_free(&problems);
    clc_device_close(&device);
    return status;
}
