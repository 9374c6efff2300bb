/* Matrix products to be tuned: our own kernel and CLBlast. */
#include "device/gemm.h"
#include "tune/tune.h"

#include <stdio.h>

static const clc_gemm_kind kinds[] = {CLC_GEMM_OWN, CLC_GEMM_CLBLAST};
static const char *const names[] = {"own", "clblast"};

static size_t workspace(const clc_tune_problem *problem, size_t candidate) {
    return clc_gemm_workspace(problem->device, kinds[candidate], problem->shape);
}

static clc_status build(const clc_tune_problem *problem, size_t candidate, clc_sequence *sequence,
                        const cl_mem operands[3], cl_mem space) {
    clc_gemm gemm = *(const clc_gemm *)problem->shape;
    gemm.a = operands[0];
    gemm.b = operands[1];
    gemm.c = operands[2];
    return clc_gemm_build(sequence, problem->device, kinds[candidate], &gemm, space, "gemm",
                          "tune");
}

static double reference(const clc_tune_problem *problem, const float *const operands[3],
                        size_t index, double *squares) {
    const clc_gemm *g = problem->shape;
    const size_t i = index / g->n, j = index % g->n;
    double sum = 0;
    *squares = 0;
    for (size_t t = 0; t < g->k; t++) {
        const double a = operands[0][g->transpose_a ? t * g->m + i : i * g->k + t];
        const double b = operands[1][g->transpose_b ? j * g->k + t : t * g->n + j];
        sum += a * b;
        *squares += a * b * a * b;
    }
    return sum;
}

bool clc_tune_gemm(clc_device *device, const char *key, void *shape, clc_tune_problem *problem) {
    clc_gemm *g = shape;
    char ta, tb;
    *g = (clc_gemm){0};
    if (sscanf(key, "gemm %zux%zux%zu %c%c", &g->m, &g->n, &g->k, &ta, &tb) != 5)
        return false;
    g->transpose_a = ta == 't';
    g->transpose_b = tb == 't';
    *problem = (clc_tune_problem){.device = device,
                                  .floats = {g->m * g->k, g->k * g->n, g->m * g->n},
                                  .written = 2,
                                  .candidate_count = sizeof kinds / sizeof *kinds,
                                  .by_rule = device->profile == CLC_PROFILE_GPU,
                                  .workspace = workspace,
                                  .build = build,
                                  .reference = reference,
                                  .shape = g};
    for (size_t i = 0; i < problem->candidate_count; i++)
        snprintf(problem->candidates[i], sizeof *problem->candidates, "%s", names[i]);
    return true;
}
