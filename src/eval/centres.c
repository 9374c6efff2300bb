#include "eval/centres.h"

#include "core/signals.h"
#include "device/gemm.h"
#include "eval/cosines.h"

#include <math.h>

static const char source[] = "eval/centres.cl";
static const size_t block_bytes = 64u << 20;

static clc_gemm product(const clc_centres *c) {
    return (clc_gemm){.transpose_b = true,
                      .m = c->block,
                      .n = (size_t)c->k,
                      .k = (size_t)c->features->dim,
                      .a = c->unit,
                      .b = c->centres,
                      .c = c->products};
}

static size_t block_of(const clc_centres *c) {
    /* Rows, their copy for the product, and the products. */
    const size_t row = (2 * (size_t)c->features->dim + (size_t)c->k) * sizeof(float);
    const size_t most = clc_larger(block_bytes / row, 64);
    return clc_ceil_div(c->features->rows, clc_ceil_div(c->features->rows, most));
}

static clc_status allocate(clc_centres *c) {
    clc_status status = CLC_OK;
    const size_t dim = (size_t)c->features->dim, k = (size_t)c->k, block = c->block;
    const clc_gemm gemm = product(c);
    const struct {
        cl_mem *buffer;
        size_t bytes;
    } table[] = {{&c->unit, block * dim * sizeof(float)},
                 {&c->centres, k * dim * sizeof(float)},
                 {&c->part, k * dim * sizeof(float)},
                 {&c->sums, k * dim * sizeof(float)},
                 {&c->products, block * k * sizeof(float)},
                 {&c->halves, k * sizeof(float)},
                 {&c->assigned, block * sizeof(cl_int)},
                 {&c->scores, block * sizeof(float)},
                 {&c->distances, block * sizeof(float)},
                 {&c->workspace, clc_gemm_workspace(c->device, CLC_GEMM_AUTO, &gemm)}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        CLC_TRY(clc_buffer_create(c->device, table[i].bytes, "clusters", table[i].buffer));
    CLC_NEW(c->rows_of_k, k * dim);
fail:
    return status;
}

clc_status clc_centres_request(clc_device *device) {
    return clc_cosines_request(device, source);
}

/* Arguments that are set for each block: how many rows it has, and of `load` where it begins. */
enum { LOAD_FIRST = 3, DISTANCE_ROWS = 3, ASSIGN_ROWS = 4, SUM_ROWS = 4 };

static clc_status build(clc_centres *c) {
    clc_status status = CLC_OK;
    clc_device *device = c->device;
    const size_t groups = device->groups * 4, items = device->group_size;
    const int dim = c->features->dim;
    const clc_gemm gemm = product(c);
    const clc_launch_spec load =
        clc_tile_spec(device, "eval/cosines.cl", "cosines_normalise", groups);
    const clc_launch_spec distance = clc_tile_spec(device, source, "centres_distance", groups);
    const clc_launch_spec assign =
        clc_tile_spec(device, source, "centres_assign", clc_ceil_div(c->block, items));
    const clc_launch_spec sum = clc_tile_spec(device, source, "centres_sum", groups);
    CLC_TRY(CLC_LAUNCH(&c->load, device, &load, CLC_MEM(c->features->data), CLC_MEM(NULL),
                       CLC_MEM(c->unit), CLC_INT(0), CLC_INT(0), CLC_INT(c->block), CLC_INT(dim)));
    CLC_TRY(CLC_LAUNCH(&c->distance, device, &distance, CLC_MEM(c->unit), CLC_MEM(c->centres),
                       CLC_MEM(c->distances), CLC_INT(0), CLC_INT(dim)));
    CLC_TRY(
        clc_gemm_build(&c->multiply, device, CLC_GEMM_AUTO, &gemm, c->workspace, "clusters", NULL));
    CLC_TRY(CLC_LAUNCH(&c->assign, device, &assign, CLC_MEM(c->products), CLC_MEM(c->halves),
                       CLC_MEM(c->assigned), CLC_MEM(c->scores), CLC_INT(0), CLC_INT(c->k)));
    CLC_TRY(CLC_LAUNCH(&c->sum, device, &sum, CLC_MEM(c->unit), CLC_MEM(c->assigned),
                       CLC_MEM(c->part), CLC_MEM(c->sums), CLC_INT(0), CLC_INT(c->k),
                       CLC_INT(dim)));
    clc_sequence *const all[] = {&c->load, &c->distance, &c->multiply, &c->assign, &c->sum};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        CLC_TRY(clc_sequence_prepare(all[i], device));
fail:
    return status;
}

clc_status clc_centres_make(clc_device *device, const clc_features *features, int k,
                            clc_centres *centres) {
    clc_status status = CLC_OK;
    clc_centres *c = centres;
    *c = (clc_centres){.device = device, .features = features, .k = k};
    if (k < 1 || (size_t)k > features->rows || features->dim < 1)
        return clc_fail(CLC_INVALID, "%zu rows of %d features can't be in %d clusters",
                        features->rows, features->dim, k);
    c->block = block_of(c);
    CLC_TRY(allocate(c));
    CLC_TRY(build(c));
fail:
    return status;
}

void clc_centres_release(clc_centres *c) {
    cl_mem *buffers[] = {&c->unit,   &c->centres, &c->part,      &c->sums,     &c->products,
                         &c->halves, &c->scores,  &c->distances, &c->assigned, &c->workspace};
    clc_sequence *const all[] = {&c->load, &c->distance, &c->multiply, &c->assign, &c->sum};
    if (!c->device)
        return;
    clFinish(c->device->queue);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        clc_sequence_free(all[i]);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        clc_buffer_release(c->device, buffers[i]);
    free(c->rows_of_k);
}

/* ---- blocks ---- */

static clc_status set_rows(const clc_sequence *sequence, cl_uint argument, size_t rows) {
    clc_status status = CLC_OK;
    const cl_int number = (cl_int)rows;
    CLC_CL(clSetKernelArg(sequence->items[0].kernel, argument, sizeof number, &number));
fail:
    return status;
}

clc_status clc_centres_load(clc_centres *c, size_t first) {
    clc_status status = CLC_OK;
    const bool there = c->rows && first == c->first;
    if (clc_signals_stop())
        return clc_fail(CLC_INTERRUPTED, "interrupted among clusters");
    if (there)
        return CLC_OK;
    const size_t left = c->features->rows - first;
    c->first = first;
    c->rows = left < c->block ? left : c->block;
    CLC_TRY(clc_tile_place(&c->load.items[0], LOAD_FIRST, first, c->rows));
    CLC_TRY(set_rows(&c->distance, DISTANCE_ROWS, c->rows));
    CLC_TRY(set_rows(&c->assign, ASSIGN_ROWS, c->rows));
    CLC_TRY(set_rows(&c->sum, SUM_ROWS, c->rows));
    CLC_TRY(clc_sequence_run(&c->load, c->device));
fail:
    return status;
}

clc_status clc_centres_distances(clc_centres *c, float *distances) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_sequence_run(&c->distance, c->device));
    CLC_TRY(clc_buffer_read(c->device, c->distances, 0, c->rows * sizeof *distances, distances));
fail:
    return status;
}

clc_status clc_centres_multiply(clc_centres *c) {
    return clc_sequence_run(&c->multiply, c->device);
}

clc_status clc_centres_assign(clc_centres *c, int32_t *assigned, float *scores) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_sequence_run(&c->assign, c->device));
    CLC_TRY(clc_buffer_read(c->device, c->assigned, 0, c->rows * sizeof *assigned, assigned));
    CLC_TRY(clc_buffer_read(c->device, c->scores, 0, c->rows * sizeof *scores, scores));
fail:
    return status;
}

clc_status clc_centres_add(clc_centres *c, const int32_t *assigned) {
    clc_status status = CLC_OK;
    if (assigned)
        CLC_TRY(clc_buffer_write(c->device, c->assigned, 0, c->rows * sizeof *assigned, assigned));
    CLC_TRY(clc_sequence_run(&c->sum, c->device));
fail:
    return status;
}

clc_status clc_centres_clear(clc_centres *c) {
    const size_t bytes = (size_t)c->k * (size_t)c->features->dim * sizeof(float);
    return clc_buffer_zero(c->device, c->sums, 0, bytes);
}

/* ---- centres ---- */

clc_status clc_centres_write(clc_centres *c, const float *rows) {
    clc_status status = CLC_OK;
    const size_t dim = (size_t)c->features->dim, k = (size_t)c->k;
    float *halves = NULL;
    CLC_NEW(halves, k);
    for (size_t i = 0; i < k; i++) {
        double squares = 0;
        for (size_t d = 0; d < dim; d++)
            squares += (double)rows[i * dim + d] * (double)rows[i * dim + d];
        halves[i] = (float)(squares / 2);
    }
    CLC_TRY(clc_buffer_write(c->device, c->centres, 0, k * dim * sizeof *rows, rows));
    CLC_TRY(clc_buffer_write(c->device, c->halves, 0, k * sizeof *halves, halves));
fail:
    free(halves);
    return status;
}

clc_status clc_centres_read(clc_centres *c, float *rows) {
    const size_t bytes = (size_t)c->k * (size_t)c->features->dim * sizeof *rows;
    return clc_buffer_read(c->device, c->centres, 0, bytes, rows);
}

clc_status clc_centres_mean(clc_centres *c, const int64_t *counts) {
    clc_status status = CLC_OK;
    const size_t dim = (size_t)c->features->dim, k = (size_t)c->k;
    float *sums = NULL;
    CLC_NEW(sums, k * dim);
    CLC_TRY(clc_buffer_read(c->device, c->sums, 0, k * dim * sizeof *sums, sums));
    CLC_TRY(clc_centres_read(c, c->rows_of_k));
    for (size_t i = 0; i < k; i++)
        for (size_t d = 0; counts[i] && d < dim; d++)
            c->rows_of_k[i * dim + d] = (float)((double)sums[i * dim + d] / (double)counts[i]);
    CLC_TRY(clc_centres_write(c, c->rows_of_k));
fail:
    free(sums);
    return status;
}

clc_status clc_centres_put(clc_centres *c, int number, size_t row) {
    clc_status status = CLC_OK;
    const size_t dim = (size_t)c->features->dim;
    float *to = c->rows_of_k + (size_t)number * dim;
    double squares = 0;
    CLC_TRY(clc_centres_read(c, c->rows_of_k));
    CLC_TRY(clc_buffer_read(c->device, c->features->data, row * dim * sizeof *to, dim * sizeof *to,
                            to));
    for (size_t d = 0; d < dim; d++)
        squares += (double)to[d] * (double)to[d];
    for (size_t d = 0; squares > 0 && d < dim; d++)
        to[d] = (float)((double)to[d] / sqrt(squares));
    CLC_TRY(clc_centres_write(c, c->rows_of_k));
fail:
    return status;
}
