#include "eval/nearest.h"

#include "core/signals.h"
#include "device/gemm.h"
#include "device/program.h"
#include "eval/cosines.h"

#include <math.h>
#include <string.h>

/* CHUNK_QUERIES are what a group can have; as CHUNK_QUERIES, KC and BLOCK in eval/nearest.cl. */
enum {
    CHUNK_QUERIES = 1024,
    QUERY_BLOCK = 4096,
    LEAST_BANK = 4096,
    LARGEST_DIM = 4096,
    LEAST_SPARE = 32
};
static const size_t part_bytes = 64u << 20; /* what the neighbours of all parts may take */
static const double launch_products = 3e10; /* a fraction of a second: so Ctrl-C is heard */
static const char source[] = "eval/nearest.cl";

bool clc_nearest_serves(const clc_device *device, int dim) {
    return device->profile == CLC_PROFILE_CPU && dim <= LARGEST_DIM;
}

static size_t panel(const clc_device *device) {
    return (size_t)clc_gemm_panel_columns(device);
}

/* Panels of a group: its share of a block, as far as it can hold them. */
static size_t panels_each(const clc_nearest *n) {
    const size_t panels = clc_ceil_div(n->query_block, panel(n->device));
    const size_t most = CHUNK_QUERIES / panel(n->device);
    const size_t share = clc_ceil_div(panels, n->device->groups);
    const size_t least = 4; /* fewer, and copying the bank counts */
    const size_t each = share > least ? share : least;
    return each < most ? each : most;
}

void clc_nearest_plan(clc_device *device, const clc_features *bank, const clc_features *queries,
                      int k, size_t most_queries, clc_nearest *n) {
    *n = (clc_nearest){.device = device, .bank = bank, .queries = queries, .k = k};
    const size_t most = most_queries < QUERY_BLOCK ? clc_larger(most_queries, 1) : QUERY_BLOCK;
    n->query_block = clc_ceil_div(queries->rows, clc_ceil_div(queries->rows, most));
    const size_t chunks = clc_ceil_div(clc_ceil_div(n->query_block, panel(device)), panels_each(n));
    n->room = k + (k > LEAST_SPARE ? k : LEAST_SPARE);
    const size_t fit = part_bytes / (n->query_block * (size_t)n->room * 8);
    n->parts = clc_ceil_div(device->groups, chunks);
    n->parts = n->parts < fit ? n->parts : clc_larger(fit, 1);
    const double rows = launch_products / ((double)n->query_block * (double)bank->dim);
    n->bank_block = rows < (double)bank->rows ? clc_larger((size_t)rows, LEAST_BANK) : bank->rows;
}

static size_t lists(const clc_nearest *n) {
    return n->parts * n->query_block;
}

enum { BUFFERS = 8 };

/* Its buffers, and how many numbers of four bytes each has. */
typedef struct buffer_row {
    cl_mem *buffer;
    size_t count;
} buffer_row;

static void buffers_of(clc_nearest *n, buffer_row table[BUFFERS]) {
    const size_t dim = (size_t)n->bank->dim, q = n->query_block;
    const buffer_row rows[BUFFERS] = {{&n->values, q * (size_t)n->k},
                                      {&n->indices, q * (size_t)n->k},
                                      {&n->found, lists(n) * (size_t)n->room},
                                      {&n->rows, lists(n) * (size_t)n->room},
                                      {&n->counts, lists(n)},
                                      {&n->limits, lists(n)},
                                      {&n->unit, q * dim},
                                      {&n->panels, clc_round_up(q, panel(n->device)) * dim}};
    memcpy(table, rows, sizeof rows);
}

size_t clc_nearest_bytes(clc_nearest *n) {
    buffer_row table[BUFFERS];
    size_t sum = 0;
    buffers_of(n, table);
    for (size_t i = 0; i < BUFFERS; i++)
        sum += table[i].count * sizeof(float);
    return sum;
}

static clc_launch_spec spec(const clc_nearest *n, const char *kernel, const char *options,
                            size_t g0, size_t g1) {
    const size_t dim = (size_t)n->bank->dim;
    const double bank = (double)(n->bank->rows * dim);
    return (clc_launch_spec){.source = source,
                             .kernel = kernel,
                             .options = options,
                             .groups = {g0, g1},
                             .op = kernel,
                             .flops = 2.0 * bank * (double)n->query_block,
                             .bytes = 4.0 * bank};
}

/* Places of the arguments that are set for each run. */
enum { LOAD_FIRST = 3, FIND_FIRST = 6 };

static clc_status build(clc_nearest *n) {
    clc_status status = CLC_OK;
    clc_device *device = n->device;
    const size_t each = panels_each(n), panels = clc_ceil_div(n->query_block, panel(device));
    const clc_launch_spec normalise =
        clc_tile_spec(device, "eval/cosines.cl", "cosines_normalise", device->groups);
    char options[64];
    clc_gemm_register_options(device, options, sizeof options);
    const clc_launch_spec pack = spec(n, "nearest_pack", options, panels, 1);
    const clc_launch_spec find =
        spec(n, "nearest_find", options, clc_ceil_div(panels, each), n->parts);
    const clc_launch_spec collect = spec(n, "nearest_collect", options, device->groups, 1);
    CLC_TRY(CLC_LAUNCH(&n->load, device, &normalise, CLC_MEM(n->queries->data), CLC_MEM(NULL),
                       CLC_MEM(n->unit), CLC_INT(0), CLC_INT(0), CLC_INT(n->query_block),
                       CLC_INT(n->bank->dim)));
    CLC_TRY(CLC_LAUNCH(&n->load, device, &pack, CLC_MEM(n->unit), CLC_MEM(n->panels),
                       CLC_INT(n->query_block), CLC_INT(n->bank->dim)));
    CLC_TRY(CLC_LAUNCH(&n->find, device, &find, CLC_MEM(n->bank->data), CLC_MEM(n->panels),
                       CLC_MEM(n->found), CLC_MEM(n->rows), CLC_MEM(n->counts), CLC_MEM(n->limits),
                       CLC_INT(0), CLC_INT(0), CLC_INT(n->query_block), CLC_INT(n->bank->dim),
                       CLC_INT(n->k), CLC_INT(n->room), CLC_INT(each)));
    CLC_TRY(CLC_LAUNCH(&n->collect, device, &collect, CLC_MEM(n->found), CLC_MEM(n->rows),
                       CLC_MEM(n->counts), CLC_MEM(n->values), CLC_MEM(n->indices),
                       CLC_INT(n->query_block), CLC_INT(n->k), CLC_INT(n->room),
                       CLC_INT(n->parts)));
    CLC_TRY(clc_sequence_prepare(&n->load, device));
    CLC_TRY(clc_sequence_prepare(&n->find, device));
    CLC_TRY(clc_sequence_prepare(&n->collect, device));
fail:
    return status;
}

clc_status clc_nearest_make(clc_nearest *n) {
    clc_status status = CLC_OK;
    buffer_row table[BUFFERS];
    buffers_of(n, table);
    for (size_t i = 0; i < BUFFERS; i++)
        CLC_TRY(clc_buffer_create(n->device, table[i].count * sizeof(float), "neighbours",
                                  table[i].buffer));
    CLC_TRY(build(n));
fail:
    return status;
}

static clc_status forget(clc_nearest *n) {
    clc_status status = CLC_OK;
    const cl_float none = -INFINITY;
    CLC_TRY(clc_buffer_zero(n->device, n->counts, 0, lists(n) * sizeof(cl_int)));
    CLC_CL(clEnqueueFillBuffer(n->device->queue, n->limits, &none, sizeof none, 0,
                               lists(n) * sizeof none, 0, NULL, NULL));
fail:
    return status;
}

clc_status clc_nearest_find(clc_nearest *n, size_t first, size_t *rows) {
    clc_status status = CLC_OK;
    const size_t left = n->queries->rows - first;
    *rows = left < n->query_block ? left : n->query_block;
    CLC_TRY(forget(n));
    CLC_TRY(clc_tile_place(&n->load.items[0], LOAD_FIRST, first, *rows));
    CLC_TRY(clc_sequence_run(&n->load, n->device));
    for (size_t b = 0; b < n->bank->rows; b += n->bank_block) {
        const size_t beyond = n->bank->rows - b;
        if (clc_signals_stop())
            CLC_TRY(clc_fail(CLC_INTERRUPTED, "interrupted among nearest neighbours"));
        CLC_TRY(clc_tile_place(&n->find.items[0], FIND_FIRST, b,
                               beyond < n->bank_block ? beyond : n->bank_block));
        CLC_TRY(clc_sequence_run(&n->find, n->device));
        CLC_TRY(clc_device_finish(n->device));
    }
    CLC_TRY(clc_sequence_run(&n->collect, n->device));
fail:
    return status;
}

void clc_nearest_release(clc_nearest *n) {
    buffer_row table[BUFFERS];
    if (!n->device)
        return;
    buffers_of(n, table);
    clFinish(n->device->queue);
    clc_sequence_free(&n->load);
    clc_sequence_free(&n->find);
    clc_sequence_free(&n->collect);
    for (size_t i = 0; i < BUFFERS; i++)
        clc_buffer_release(n->device, table[i].buffer);
}

clc_status clc_nearest_request(clc_device *device) {
    char options[64];
    size_t number;
    if (!clc_nearest_serves(device, 1))
        return CLC_OK;
    clc_gemm_register_options(device, options, sizeof options);
    return clc_program_request(device, source, options, &number);
}
