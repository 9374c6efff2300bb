#include "eval/knn.h"

#include "core/math.h"
#include "device/gemm.h"
#include "device/program.h"

#include <limits.h>
#include <math.h>

/* Limits of a block of queries and of the bank: both wide enough that packing them costs the
 * product little, and bytes that bound their copies (normalised and packed), and the neighbours of
 * a block's queries. */
enum { QUERY_BLOCK = 2048, BANK_BLOCK = 4096, LEAST_BLOCK = 64 };
static const size_t copy_bytes = 40u << 20, neighbour_bytes = 16u << 20;

typedef struct knn_run {
    clc_device *device;
    const clc_features *bank, *queries;
    int k;
    float temperature;
    size_t query_block, bank_block; /* rows */
    cl_mem query_unit, bank_unit;   /* (block,dim): rows of length 1 */
    cl_mem similarity;              /* (query_block,bank_block) */
    cl_mem values, indices;         /* (query_block,k): the nearest so far */
    cl_mem labels, scores, predicted, workspace;
    clc_sequence load_queries, match, vote;
} knn_run;

/* Block size for n rows, at most `most`, such that the last block is nearly full. */
static size_t even_block(size_t n, size_t most) {
    const size_t blocks = clc_ceil_div(n, most);
    return clc_ceil_div(n, blocks);
}

static void choose_blocks(knn_run *run) {
    const size_t row = 2 * (size_t)run->bank->dim * sizeof(float);
    const size_t third = copy_bytes / row / 3; /* of the rows for queries, the rest for the bank */
    size_t queries = neighbour_bytes / ((size_t)run->k * (sizeof(float) + sizeof(cl_int)));
    size_t bank = 2 * third;
    queries = queries < third ? queries : third;
    queries = queries < LEAST_BLOCK ? LEAST_BLOCK : queries;
    bank = bank < LEAST_BLOCK ? LEAST_BLOCK : bank;
    run->query_block =
        even_block(run->queries->rows, queries < QUERY_BLOCK ? queries : QUERY_BLOCK);
    run->bank_block = even_block(run->bank->rows, bank < BANK_BLOCK ? bank : BANK_BLOCK);
}

static clc_gemm similarity_gemm(const knn_run *run) {
    return (clc_gemm){.transpose_b = true,
                      .m = run->query_block,
                      .n = run->bank_block,
                      .k = (size_t)run->bank->dim,
                      .a = run->query_unit,
                      .b = run->bank_unit,
                      .c = run->similarity};
}

static clc_status allocate(knn_run *run) {
    clc_status status = CLC_OK;
    const size_t q = run->query_block, b = run->bank_block, dim = (size_t)run->bank->dim;
    const size_t neighbours = q * (size_t)run->k, labels = run->bank->rows * sizeof(cl_int);
    const clc_gemm gemm = similarity_gemm(run);
    const struct {
        cl_mem *buffer;
        size_t bytes;
    } table[] = {{&run->query_unit, q * dim * sizeof(float)},
                 {&run->bank_unit, b * dim * sizeof(float)},
                 {&run->similarity, q * b * sizeof(float)},
                 {&run->values, neighbours * sizeof(float)},
                 {&run->indices, neighbours * sizeof(cl_int)},
                 {&run->labels, labels},
                 {&run->scores, q * (size_t)run->bank->classes * sizeof(float)},
                 {&run->predicted, q * sizeof(cl_int)},
                 {&run->workspace, clc_gemm_workspace(run->device, CLC_GEMM_AUTO, &gemm)}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        CLC_TRY(clc_buffer_create(run->device, table[i].bytes, "kNN", table[i].buffer));
    CLC_TRY(clc_buffer_write(run->device, run->labels, 0, labels, run->bank->labels));
fail:
    return status;
}

static const char *options_for(const clc_device *device) {
    return device->profile == CLC_PROFILE_GPU ? "-DVW=1" : "";
}

clc_status clc_knn_request(clc_device *device) {
    size_t number;
    return clc_program_request(device, "eval/knn.cl", options_for(device), &number);
}

static clc_launch_spec spec(const knn_run *run, const char *kernel, size_t groups) {
    return (clc_launch_spec){.source = "eval/knn.cl",
                             .kernel = kernel,
                             .options = options_for(run->device),
                             .groups = {groups},
                             .local = {run->device->group_size},
                             .op = kernel};
}

/* Arguments 2 and 3, where the block lies, are set for each block. */
static clc_status add_normalise(knn_run *run, clc_sequence *sequence, const clc_features *features,
                                cl_mem unit, size_t block) {
    const clc_launch_spec normalise = spec(run, "knn_normalise", run->device->groups * 4);
    return CLC_LAUNCH(sequence, run->device, &normalise, CLC_MEM(features->data), CLC_MEM(unit),
                      CLC_INT(0), CLC_INT(0), CLC_INT(block), CLC_INT(run->bank->dim));
}

static clc_status build(knn_run *run) {
    clc_status status = CLC_OK;
    const clc_gemm gemm = similarity_gemm(run);
    const clc_launch_spec select = spec(run, "knn_select", run->query_block);
    const size_t items = run->device->group_size,
                 vote_groups = clc_ceil_div(run->query_block, items);
    const clc_launch_spec vote = spec(run, "knn_vote", vote_groups);
    CLC_TRY(
        add_normalise(run, &run->load_queries, run->queries, run->query_unit, run->query_block));
    CLC_TRY(add_normalise(run, &run->match, run->bank, run->bank_unit, run->bank_block));
    CLC_TRY(clc_gemm_build(&run->match, run->device, CLC_GEMM_AUTO, &gemm, run->workspace,
                           "knn_similarity", NULL));
    CLC_TRY(CLC_LAUNCH(&run->match, run->device, &select, CLC_MEM(run->similarity),
                       CLC_MEM(run->values), CLC_MEM(run->indices), CLC_INT(run->k), CLC_INT(0),
                       CLC_INT(0), CLC_INT(run->bank_block)));
    CLC_TRY(CLC_LAUNCH(&run->vote, run->device, &vote, CLC_MEM(run->values), CLC_MEM(run->indices),
                       CLC_MEM(run->labels), CLC_MEM(run->scores), CLC_MEM(run->predicted),
                       CLC_INT(run->query_block), CLC_INT(run->k), CLC_INT(run->bank->classes),
                       CLC_FLOAT(run->temperature)));
    /* Their block arguments are set before each run. */
    CLC_TRY(clc_sequence_prepare(&run->load_queries, run->device));
    CLC_TRY(clc_sequence_prepare(&run->match, run->device));
    CLC_TRY(clc_sequence_prepare(&run->vote, run->device));
fail:
    return status;
}

/* Sets two consecutive arguments: the first row of a block and how many there are. */
static clc_status set_block(const clc_launch *launch, cl_uint argument, size_t first, size_t rows) {
    clc_status status = CLC_OK;
    const cl_int place[2] = {(cl_int)first, (cl_int)rows};
    CLC_CL(clSetKernelArg(launch->kernel, argument, sizeof place[0], &place[0]));
    CLC_CL(clSetKernelArg(launch->kernel, argument + 1, sizeof place[1], &place[1]));
fail:
    return status;
}

static size_t rows_from(size_t first, size_t block, size_t rows) {
    return rows - first < block ? rows - first : block;
}

static clc_status forget_neighbours(knn_run *run) {
    clc_status status = CLC_OK;
    const cl_float none = -INFINITY;
    const cl_int last = INT_MAX;
    const size_t count = run->query_block * (size_t)run->k;
    CLC_CL(clEnqueueFillBuffer(run->device->queue, run->values, &none, sizeof none, 0,
                               count * sizeof none, 0, NULL, NULL));
    CLC_CL(clEnqueueFillBuffer(run->device->queue, run->indices, &last, sizeof last, 0,
                               count * sizeof last, 0, NULL, NULL));
fail:
    return status;
}

/* Classifies the block of queries that begins at `first`. */
static clc_status classify(knn_run *run, size_t first, int32_t *predictions) {
    clc_status status = CLC_OK;
    const size_t queries = rows_from(first, run->query_block, run->queries->rows);
    CLC_TRY(forget_neighbours(run));
    CLC_TRY(set_block(&run->load_queries.items[0], 2, first, queries));
    CLC_TRY(clc_sequence_run(&run->load_queries, run->device));
    for (size_t b = 0; b < run->bank->rows; b += run->bank_block) {
        const size_t columns = rows_from(b, run->bank_block, run->bank->rows);
        CLC_TRY(set_block(&run->match.items[0], 2, b, columns));
        CLC_TRY(set_block(&run->match.items[run->match.count - 1], 4, b, columns));
        CLC_TRY(clc_sequence_run(&run->match, run->device));
    }
    CLC_TRY(clc_sequence_run(&run->vote, run->device));
    CLC_TRY(clc_buffer_read(run->device, run->predicted, 0, queries * sizeof(cl_int),
                            predictions + first));
fail:
    return status;
}

static void release(knn_run *run) {
    cl_mem *buffers[] = {&run->query_unit, &run->bank_unit, &run->similarity,
                         &run->values,     &run->indices,   &run->labels,
                         &run->scores,     &run->predicted, &run->workspace};
    clFinish(run->device->queue);
    clc_sequence_free(&run->load_queries);
    clc_sequence_free(&run->match);
    clc_sequence_free(&run->vote);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        clc_buffer_release(run->device, buffers[i]);
}

static clc_status check(const clc_features *bank, const clc_features *queries, int k,
                        double temperature) {
    if (k < 1)
        return clc_fail(CLC_INVALID, "kNN needs at least 1 neighbour, not %d", k);
    if (!(temperature > 0))
        return clc_fail(CLC_INVALID, "kNN needs a temperature above 0, not %g", temperature);
    return clc_features_check(bank, queries, "kNN");
}

clc_status clc_knn_classify(clc_device *device, const clc_features *bank,
                            const clc_features *queries, int k, double temperature,
                            int32_t *predictions) {
    clc_status status = check(bank, queries, k, temperature);
    knn_run run = {.device = device,
                   .bank = bank,
                   .queries = queries,
                   .k = (size_t)k > bank->rows ? (int)bank->rows : k,
                   .temperature = (float)temperature};
    if (status != CLC_OK || !queries->rows)
        return status;
    choose_blocks(&run);
    CLC_TRY(allocate(&run));
    CLC_TRY(build(&run));
    for (size_t first = 0; first < queries->rows; first += run.query_block)
        CLC_TRY(classify(&run, first, predictions));
fail:
    release(&run);
    return status;
}
