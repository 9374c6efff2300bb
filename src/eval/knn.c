#include "eval/knn.h"

#include "device/gemm.h"

#include <stdio.h>

/* Bytes of the similarity matrix of a block of queries. */
static const size_t block_bytes = 64u << 20;

typedef struct knn_run {
    clc_device *device;
    const clc_features *bank, *queries;
    size_t block; /* queries at a time */
    cl_mem bank_unit, query_unit, similarity, labels, predicted, workspace;
    clc_sequence sequence;
} knn_run;

static clc_status normalize(knn_run *run, const clc_features *features, cl_mem to) {
    clc_status status = CLC_OK;
    clc_sequence sequence = {0};
    const clc_launch_spec spec = {.source = "eval/knn.cl",
                                  .kernel = "knn_normalize",
                                  .groups = {run->device->groups * 4},
                                  .op = "knn_normalize"};
    CLC_TRY(CLC_LAUNCH(&sequence, run->device, &spec, CLC_MEM(features->data), CLC_MEM(to),
                       CLC_INT(features->rows), CLC_INT(features->dim)));
    CLC_TRY(clc_sequence_run(&sequence, run->device));
fail:
    clc_sequence_free(&sequence);
    return status;
}

static clc_status allocate(knn_run *run) {
    clc_status status = CLC_OK;
    clc_device *d = run->device;
    const size_t dim = (size_t)run->bank->dim, f = sizeof(float);
    CLC_TRY(clc_buffer_create(d, run->bank->rows * dim * f, "kNN", &run->bank_unit));
    CLC_TRY(clc_buffer_create(d, run->queries->rows * dim * f, "kNN", &run->query_unit));
    CLC_TRY(clc_buffer_create(d, run->block * run->bank->rows * f, "kNN", &run->similarity));
    CLC_TRY(clc_buffer_create(d, run->bank->rows * sizeof(cl_int), "kNN", &run->labels));
    CLC_TRY(clc_buffer_create(d, run->block * sizeof(cl_int), "kNN", &run->predicted));
    CLC_TRY(clc_buffer_write(d, run->labels, 0, run->bank->rows * sizeof(cl_int),
                             run->bank->labels));
fail:
    return status;
}

/* The launches for the queries [first, first + n). */
static clc_status build(knn_run *run, size_t first, size_t n, int k, double temperature) {
    clc_status status = CLC_OK;
    char options[64];
    const clc_gemm gemm = {.transpose_b = true,
                           .m = n,
                           .n = run->bank->rows,
                           .k = (size_t)run->bank->dim,
                           .a = run->query_unit,
                           .a_offset = first * (size_t)run->bank->dim,
                           .b = run->bank_unit,
                           .c = run->similarity};
    clc_sequence_free(&run->sequence);
    if (!run->workspace) /* the first block is the largest */
        CLC_TRY(clc_buffer_create(run->device,
                                  clc_gemm_workspace(run->device, CLC_GEMM_AUTO, &gemm), "kNN",
                                  &run->workspace));
    CLC_TRY(clc_gemm_build(&run->sequence, run->device, CLC_GEMM_AUTO, &gemm, run->workspace,
                           "knn_similarity", NULL));
    snprintf(options, sizeof options, "-DNEIGHBOURS=%d -DCLASSES=%d", k, run->bank->classes);
    const clc_launch_spec vote = {.source = "eval/knn.cl",
                                  .kernel = "knn_vote",
                                  .options = options,
                                  .groups = {n},
                                  .op = "knn_vote"};
    CLC_TRY(CLC_LAUNCH(&run->sequence, run->device, &vote, CLC_MEM(run->similarity),
                       CLC_MEM(run->labels), CLC_MEM(run->predicted), CLC_INT(run->bank->rows),
                       CLC_FLOAT(temperature)));
fail:
    return status;
}

static void release(knn_run *run) {
    cl_mem *buffers[] = {&run->bank_unit, &run->query_unit, &run->similarity,
                         &run->labels,    &run->predicted,  &run->workspace};
    clFinish(run->device->queue);
    clc_sequence_free(&run->sequence);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        clc_buffer_release(run->device, buffers[i]);
}

clc_status clc_knn_classify(clc_device *device, const clc_features *bank,
                            const clc_features *queries, int k, double temperature,
                            int32_t *predictions) {
    clc_status status = CLC_OK;
    knn_run run = {.device = device, .bank = bank, .queries = queries};
    run.block = block_bytes / sizeof(float) / bank->rows;
    run.block = run.block < 1 ? 1 : run.block > queries->rows ? queries->rows : run.block;
    k = (size_t)k > bank->rows ? (int)bank->rows : k;
    CLC_TRY(allocate(&run));
    CLC_TRY(normalize(&run, bank, run.bank_unit));
    CLC_TRY(normalize(&run, queries, run.query_unit));
    for (size_t first = 0; first < queries->rows; first += run.block) {
        size_t n = queries->rows - first < run.block ? queries->rows - first : run.block;
        CLC_TRY(build(&run, first, n, k, temperature));
        CLC_TRY(clc_sequence_run(&run.sequence, device));
        CLC_TRY(clc_buffer_read(device, run.predicted, 0, n * sizeof(cl_int), predictions + first));
    }
fail:
    release(&run);
    return status;
}
