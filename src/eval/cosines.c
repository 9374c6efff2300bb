#include "eval/cosines.h"

#include "core/math.h"
#include "device/gemm.h"
#include "device/program.h"

/* Both blocks are wide enough that packing them costs the product little; bytes bound their copies
 * (normalised and packed). */
enum { QUERY_BLOCK = 2048, BANK_BLOCK = 4096, LEAST_BLOCK = 64 };
static const size_t copy_bytes = 40u << 20;
static const char source[] = "eval/cosines.cl";

/* Block size for n rows, at most `most`, such that the last block is nearly full. */
static size_t even_block(size_t n, size_t most) {
    const size_t blocks = clc_ceil_div(n, most);
    return clc_ceil_div(n, blocks);
}

static size_t within(size_t n, size_t least, size_t most) {
    return n < least ? least : n > most ? most : n;
}

static void choose_blocks(clc_cosines *c, size_t most_queries) {
    const size_t row = 2 * (size_t)c->bank->dim * sizeof(float);
    const size_t third = copy_bytes / row / 3; /* of the rows for queries, the rest for the bank */
    const size_t queries = most_queries < third ? most_queries : third;
    c->query_block = even_block(c->queries->rows, within(queries, LEAST_BLOCK, QUERY_BLOCK));
    c->bank_block = even_block(c->bank->rows, within(2 * third, LEAST_BLOCK, BANK_BLOCK));
}

/* Few queries with as many rows of the bank as a tile of the usual size lets them have. */
static void choose_wide_blocks(clc_cosines *c, size_t most_queries) {
    enum { WIDE_QUERIES = 768, WIDE_BANK = 1 << 14 };
    const size_t row = 2 * (size_t)c->bank->dim * sizeof(float);
    const size_t queries = most_queries < WIDE_QUERIES ? most_queries : WIDE_QUERIES;
    c->query_block = even_block(c->queries->rows, clc_larger(queries, LEAST_BLOCK));
    c->bank_block = even_block(c->bank->rows, within(2 * copy_bytes / row, LEAST_BLOCK, WIDE_BANK));
}

static clc_gemm product(const clc_cosines *c) {
    return (clc_gemm){.transpose_b = true,
                      .m = c->query_block,
                      .n = c->bank_block,
                      .k = (size_t)c->bank->dim,
                      .a = c->query_unit,
                      .b = c->bank_unit,
                      .c = c->tile};
}

static clc_status allocate(clc_cosines *c) {
    clc_status status = CLC_OK;
    const size_t q = c->query_block, b = c->bank_block, dim = (size_t)c->bank->dim;
    const clc_gemm gemm = product(c);
    const struct {
        cl_mem *buffer;
        size_t bytes;
    } table[] = {{&c->query_unit, q * dim * sizeof(float)},
                 {&c->bank_unit, b * dim * sizeof(float)},
                 {&c->tile, q * b * sizeof(float)},
                 {&c->workspace, clc_gemm_workspace(c->device, CLC_GEMM_AUTO, &gemm)}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        CLC_TRY(clc_buffer_create(c->device, table[i].bytes, "cosines", table[i].buffer));
fail:
    return status;
}

static const char *options_for(const clc_device *device) {
    return device->profile == CLC_PROFILE_GPU ? "-DVW=1" : "";
}

clc_launch_spec clc_tile_spec(const clc_device *device, const char *file, const char *kernel,
                              size_t groups) {
    return (clc_launch_spec){.source = file,
                             .kernel = kernel,
                             .options = options_for(device),
                             .groups = {groups},
                             .local = {device->group_size},
                             .op = kernel};
}

clc_status clc_tile_place(const clc_launch *launch, cl_uint argument, size_t first, size_t rows) {
    clc_status status = CLC_OK;
    const cl_int place[2] = {(cl_int)first, (cl_int)rows};
    CLC_CL(clSetKernelArg(launch->kernel, argument, sizeof place[0], &place[0]));
    CLC_CL(clSetKernelArg(launch->kernel, argument + 1, sizeof place[1], &place[1]));
fail:
    return status;
}

clc_status clc_cosines_request(clc_device *device, const char *file) {
    size_t number;
    const clc_status status = clc_program_request(device, source, options_for(device), &number);
    return status == CLC_OK ? clc_program_request(device, file, options_for(device), &number)
                            : status;
}

/* Where the block lies is set for each block. */
enum { BLOCK_ARGUMENTS = 3 };

static clc_status add_normalise(clc_cosines *c, clc_sequence *sequence,
                                const clc_features *features, cl_mem order, cl_mem unit,
                                size_t block) {
    const clc_launch_spec spec =
        clc_tile_spec(c->device, source, "cosines_normalise", c->device->groups * 4);
    return CLC_LAUNCH(sequence, c->device, &spec, CLC_MEM(features->data), CLC_MEM(order),
                      CLC_MEM(unit), CLC_INT(0), CLC_INT(0), CLC_INT(block),
                      CLC_INT(features->dim));
}

static clc_status make(clc_cosines *c, cl_mem bank_order, cl_mem query_order) {
    clc_status status = CLC_OK;
    clc_device *device = c->device;
    CLC_TRY(allocate(c));
    const clc_gemm gemm = product(c);
    CLC_TRY(add_normalise(c, &c->load, c->queries, query_order, c->query_unit, c->query_block));
    CLC_TRY(add_normalise(c, &c->multiply, c->bank, bank_order, c->bank_unit, c->bank_block));
    CLC_TRY(
        clc_gemm_build(&c->multiply, device, CLC_GEMM_AUTO, &gemm, c->workspace, "cosines", NULL));
    /* Their block arguments are set before each run. */
    CLC_TRY(clc_sequence_prepare(&c->load, device));
    CLC_TRY(clc_sequence_prepare(&c->multiply, device));
fail:
    return status;
}

clc_status clc_cosines_make(clc_device *device, const clc_features *bank,
                            const clc_features *queries, size_t most_queries,
                            clc_cosines *cosines) {
    *cosines = (clc_cosines){.device = device, .bank = bank, .queries = queries};
    choose_blocks(cosines, most_queries);
    return make(cosines, NULL, NULL);
}

clc_status clc_cosines_make_wide(clc_device *device, const clc_features *bank, cl_mem bank_order,
                                 const clc_features *queries, cl_mem query_order,
                                 size_t most_queries, clc_cosines *cosines) {
    *cosines = (clc_cosines){.device = device, .bank = bank, .queries = queries};
    choose_wide_blocks(cosines, most_queries);
    return make(cosines, bank_order, query_order);
}

static size_t rows_from(size_t first, size_t block, size_t rows) {
    return rows - first < block ? rows - first : block;
}

clc_status clc_cosines_queries(clc_cosines *c, size_t first, size_t *rows) {
    clc_status status = CLC_OK;
    *rows = rows_from(first, c->query_block, c->queries->rows);
    CLC_TRY(clc_tile_place(&c->load.items[0], BLOCK_ARGUMENTS, first, *rows));
    CLC_TRY(clc_sequence_run(&c->load, c->device));
fail:
    return status;
}

clc_status clc_cosines_tile(clc_cosines *c, size_t first, size_t *columns) {
    clc_status status = CLC_OK;
    *columns = rows_from(first, c->bank_block, c->bank->rows);
    CLC_TRY(clc_tile_place(&c->multiply.items[0], BLOCK_ARGUMENTS, first, *columns));
    CLC_TRY(clc_sequence_run(&c->multiply, c->device));
fail:
    return status;
}

void clc_cosines_release(clc_cosines *c) {
    cl_mem *buffers[] = {&c->query_unit, &c->bank_unit, &c->tile, &c->workspace};
    if (!c->device)
        return;
    clFinish(c->device->queue);
    clc_sequence_free(&c->load);
    clc_sequence_free(&c->multiply);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        clc_buffer_release(c->device, buffers[i]);
}
