#include "core/clock.h"
#include "core/rng.h"
#include "tune/tune.h"

#include <math.h>
#include <string.h>

enum { SAMPLES = 256, ROUNDS = 5, TOO_SLOW = 4 };
static const double round_seconds = 0.03;

/* F(4x4,3x3) Winograd errs by 1e-4 of a result's deviation, what adds in another order by less;
 * what is wrong is off by about the deviation. */
static const double tolerance = 1e-3;

typedef struct measure {
    const clc_tune_problem *problem;
    cl_mem operands[3], workspace;
    float *host[3], *result;
    double want[SAMPLES], bound[SAMPLES];
    size_t at[SAMPLES];
    clc_sequence sequences[CLC_TUNE_CANDIDATES];
} measure;

static clc_status fill_operands(measure *m) {
    clc_status status = CLC_OK;
    for (int i = 0; i < 3; i++) {
        clc_rng rng = clc_rng_make(7, (uint32_t)i);
        const size_t n = m->problem->floats[i];
        CLC_NEW(m->host[i], n);
        for (size_t j = 0; j < n; j++)
            m->host[i][j] = clc_uniform(clc_rng_next(&rng)) - 0.5f;
        CLC_TRY(
            clc_buffer_create(m->problem->device, n * sizeof(float), "tuning", &m->operands[i]));
        CLC_TRY(
            clc_buffer_write(m->problem->device, m->operands[i], 0, n * sizeof(float), m->host[i]));
    }
    size_t bytes = 0;
    for (size_t i = 0; i < m->problem->candidate_count; i++) {
        const size_t one = m->problem->workspace(m->problem, i);
        bytes = one > bytes ? one : bytes;
    }
    CLC_TRY(clc_buffer_create(m->problem->device, bytes, "tuning", &m->workspace));
    CLC_NEW(m->result, m->problem->floats[m->problem->written]);
fail:
    return status;
}

/* The first and last elements of the result, where edges are, and some of the others. */
static void choose_samples(measure *m) {
    const size_t n = m->problem->floats[m->problem->written];
    clc_rng rng = clc_rng_make(11, 0);
    for (size_t i = 0; i < SAMPLES; i++) {
        double squares;
        m->at[i] = i < 16   ? i % n
                   : i < 32 ? n - 1 - (i - 16) % n
                            : (size_t)(clc_uniform(clc_rng_next(&rng)) * (float)n) % n;
        m->want[i] =
            m->problem->reference(m->problem, (const float *const *)m->host, m->at[i], &squares);
        m->bound[i] = tolerance * sqrt(squares) + 1e-6;
    }
}

/* Runs a candidate on a result full of NaN and compares. */
static clc_status check(measure *m, size_t candidate, bool *right) {
    clc_status status = CLC_OK;
    const size_t n = m->problem->floats[m->problem->written];
    cl_mem written = m->operands[m->problem->written];
    memset(m->result, 0xFF, n * sizeof(float));
    CLC_TRY(clc_buffer_write(m->problem->device, written, 0, n * sizeof(float), m->result));
    CLC_TRY(clc_sequence_run(&m->sequences[candidate], m->problem->device));
    CLC_TRY(clc_buffer_read(m->problem->device, written, 0, n * sizeof(float), m->result));
    *right = true;
    for (size_t i = 0; i < SAMPLES; i++)
        *right &= fabs((double)m->result[m->at[i]] - m->want[i]) <= m->bound[i];
    for (size_t i = 0; i < n; i++)
        *right &= !isnan(m->result[i]);
fail:
    return status;
}

static clc_status time_runs(measure *m, size_t candidate, int runs, double *seconds) {
    clc_status status = CLC_OK;
    const double start = clc_seconds();
    for (int i = 0; i < runs; i++)
        CLC_TRY(clc_sequence_run(&m->sequences[candidate], m->problem->device));
    CLC_TRY(clc_device_finish(m->problem->device));
    *seconds = (clc_seconds() - start) / runs;
fail:
    return status;
}

/* Rounds in turn, so that a disturbance of the machine meets all; what is far too slow sits out. */
static clc_status time_all(measure *m, clc_tune_result *results, int *best) {
    clc_status status = CLC_OK;
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < m->problem->candidate_count; i++) {
            clc_tune_result *r = &results[i];
            double seconds;
            if (r->wrong || (*best >= 0 && r->seconds > TOO_SLOW * results[*best].seconds))
                continue;
            int runs = r->seconds > 0 ? (int)(round_seconds / r->seconds) : 1;
            CLC_TRY(time_runs(m, i, runs < 1 ? 1 : runs, &seconds));
            if (r->seconds <= 0 || seconds < r->seconds)
                r->seconds = seconds;
            if (*best < 0 || r->seconds < results[*best].seconds)
                *best = (int)i;
        }
fail:
    return status;
}

clc_status clc_tune_measure(const clc_tune_problem *problem,
                            clc_tune_result results[CLC_TUNE_CANDIDATES], int *best) {
    clc_status status = CLC_OK;
    measure m = {.problem = problem};
    *best = -1;
    memset(results, 0, CLC_TUNE_CANDIDATES * sizeof *results);
    CLC_TRY(fill_operands(&m));
    choose_samples(&m);
    for (size_t i = 0; i < problem->candidate_count; i++) {
        bool right = false;
        CLC_TRY(problem->build(problem, i, &m.sequences[i], m.operands, m.workspace));
        CLC_TRY(check(&m, i, &right));
        results[i].wrong = !right;
    }
    CLC_TRY(time_all(&m, results, best));
fail:
    for (size_t i = 0; i < CLC_TUNE_CANDIDATES; i++)
        clc_sequence_free(&m.sequences[i]);
    for (int i = 0; i < 3; i++) {
        clc_buffer_release(problem->device, &m.operands[i]);
        free(m.host[i]);
    }
    clc_buffer_release(problem->device, &m.workspace);
    free(m.result);
    return status;
}
