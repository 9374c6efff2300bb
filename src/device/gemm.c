#include "device/gemm.h"

#include "device/gemm_clblast.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Our own kernels: see cl/op/gemm.cl. */
enum { VECTORS = 2, LEAST_PANELS = 4, LEAST_DEPTH = 192, PACK_ROWS = 8 };
enum { CACHE_FLOATS = 1 << 16, SHARED_FLOATS = 3 << 18 }; /* of a core's cache, of one for all */

static int panel_rows(const clc_device *device) {
    return device->vector_width >= 16 ? 12 : 6; /* with VECTORS: fits 32 or 16 registers */
}

/* Rows of a block of A, a multiple of both. GPUs have less memory for an item. */
static size_t block_rows(const clc_device *device) {
    return device->profile == CLC_PROFILE_GPU ? 48 : 192;
}

int clc_gemm_panel_columns(const clc_device *device) {
    return VECTORS * (int)device->vector_width;
}

void clc_gemm_register_options(const clc_device *device, char *options, size_t size) {
    snprintf(options, size, "-DMR=%d -DNV=%d", panel_rows(device), VECTORS);
}

static size_t panels(size_t n, int size) {
    return (n + (size_t)size - 1) / (size_t)size;
}

void clc_gemm_key(const clc_gemm *g, char *key, size_t size) {
    snprintf(key, size, "gemm %zux%zux%zu %c%c", g->m, g->n, g->k, g->transpose_a ? 't' : 'n',
             g->transpose_b ? 't' : 'n');
}

static bool by_clblast(const clc_device *device, clc_gemm_kind kind, const clc_gemm *gemm) {
    char key[96];
    if (kind != CLC_GEMM_AUTO)
        return kind == CLC_GEMM_CLBLAST;
    clc_gemm_key(gemm, key, sizeof key);
    const char *choice = clc_tuning_choice(device->tuning, key);
    if (choice)
        return !strcmp(choice, "clblast");
    return device->profile == CLC_PROFILE_GPU || device->clblast_everywhere;
}

bool clc_gemm_adds_tail(const clc_device *device, clc_gemm_kind kind, const clc_gemm *gemm) {
    return !gemm->transpose_a && !by_clblast(device, kind, gemm);
}

static size_t padded(size_t n, int size) {
    return panels(n, size) * (size_t)size;
}

/* Of a transposed A: how much of k is packed and multiplied at a time, so that it stays in cache.
 */
static size_t depth_of(const clc_device *device, const clc_gemm *g) {
    const size_t beside =
        padded(g->m, panel_rows(device)) + padded(g->n, clc_gemm_panel_columns(device));
    const size_t depth = padded(clc_larger(SHARED_FLOATS / beside, LEAST_DEPTH), PACK_ROWS);
    return depth < g->k ? depth : g->k;
}

size_t clc_gemm_workspace(const clc_device *device, clc_gemm_kind kind, const clc_gemm *g) {
    if (by_clblast(device, kind, g))
        return 0;
    const size_t rows = g->transpose_a ? padded(g->m, panel_rows(device)) : 0;
    const size_t depth = g->transpose_a ? depth_of(device, g) : g->k;
    return (rows + padded(g->n, clc_gemm_panel_columns(device))) * depth * sizeof(float);
}

typedef struct own_build {
    clc_sequence *sequence;
    clc_device *device;
    const clc_gemm *gemm;
    cl_mem packed; /* A's panels if it is transposed, then B's */
    char options[64];
    const char *op, *layer;
} own_build;

static clc_launch_spec spec(const own_build *w, const char *kernel, size_t g0, size_t g1,
                            double flops, double bytes) {
    return (clc_launch_spec){.source = "op/gemm.cl",
                             .kernel = kernel,
                             .options = w->options,
                             .groups = {g0, g1},
                             .op = w->op,
                             .layer = w->layer,
                             .flops = flops,
                             .bytes = bytes};
}

/* Packs `depth` of A's k from `first` on. */
static clc_status pack_a(const own_build *w, size_t first, size_t depth) {
    const clc_gemm *g = w->gemm;
    clc_launch_spec s =
        spec(w, "gemm_pack_a", panels(depth, PACK_ROWS), 1, 0, 8.0 * (double)g->m * (double)depth);
    return CLC_LAUNCH(w->sequence, w->device, &s, CLC_MEM(g->a), CLC_MEM(w->packed),
                      CLC_INT(g->a_offset + first * g->m), CLC_INT(g->m), CLC_INT(depth),
                      CLC_INT(g->m), CLC_INT(0));
}

/* The same of B, which goes to `at`. */
static clc_status pack_b(const own_build *w, size_t first, size_t depth, size_t at) {
    const clc_gemm *g = w->gemm;
    const size_t groups =
        g->transpose_b ? panels(g->n, clc_gemm_panel_columns(w->device)) : panels(depth, PACK_ROWS);
    clc_launch_spec s = spec(w, g->transpose_b ? "gemm_pack_turned" : "gemm_pack_b", groups, 1, 0,
                             8.0 * (double)g->n * (double)depth);
    return CLC_LAUNCH(w->sequence, w->device, &s, CLC_MEM(g->b), CLC_MEM(w->packed),
                      CLC_INT(g->b_offset + first * (g->transpose_b ? 1 : g->n)), CLC_INT(g->n),
                      CLC_INT(depth), CLC_INT(g->transpose_b ? g->k : g->n), CLC_INT(at));
}

/* Enough groups for all cores, several times over: B's panels times chunks of A's. Neighbours share
 * a chunk: where several panels fit, it stays in a core's cache, as do the rows of C. */
static clc_status multiply_panels(const own_build *w, size_t first, size_t depth, size_t b_at) {
    const clc_gemm *g = w->gemm;
    const int rows = panel_rows(w->device);
    const size_t pa = panels(g->m, rows), pb = panels(g->n, clc_gemm_panel_columns(w->device));
    const size_t fit = CACHE_FLOATS / ((size_t)rows * depth);
    const size_t chunks =
        clc_larger(panels(w->device->groups * 2, (int)pb), fit > 1 ? pa / fit : 0);
    clc_launch_spec s = spec(w, "gemm_panels", pb, chunks < pa ? chunks : pa,
                             2.0 * (double)g->m * (double)g->n * (double)depth,
                             4.0 * (double)((g->m + g->n) * depth + g->m * g->n));
    return CLC_LAUNCH(w->sequence, w->device, &s, CLC_MEM(w->packed), CLC_MEM(g->c), CLC_INT(b_at),
                      CLC_INT(g->c_offset), CLC_INT(g->m), CLC_INT(g->n), CLC_INT(depth),
                      CLC_INT(g->accumulate || first > 0));
}

/* Chunks of A's rows, as many as keep all cores busy, but of some panels at least: then B's columns
 * are shared out as well, although each chunk of them copies A's rows again. */
static clc_status multiply_rows(const own_build *w) {
    const clc_gemm *g = w->gemm;
    const int panel = panel_rows(w->device), columns = clc_gemm_panel_columns(w->device);
    const size_t groups = (size_t)w->device->groups * 2, pb = panels(g->n, columns);
    size_t rows =
        clc_larger(padded(clc_ceil_div(g->m, groups), panel), (size_t)LEAST_PANELS * (size_t)panel);
    /* Of many columns that no cache holds, chunks of them are enough: each is read for more rows.
     */
    const bool streamed = pb >= 8 * groups && g->n * g->k > SHARED_FLOATS;
    rows = rows < block_rows(w->device) && !streamed ? rows : block_rows(w->device);
    const size_t down = clc_ceil_div(g->m, rows);
    const size_t each = clc_larger(pb / clc_ceil_div(groups, down), 1); /* panels of B a chunk */
    clc_launch_spec s = spec(w, "gemm_rows", clc_ceil_div(pb, each), down,
                             2.0 * (double)g->m * (double)g->n * (double)g->k,
                             4.0 * (double)(g->m * g->k + g->n * g->k + g->m * g->n));
    return CLC_LAUNCH(w->sequence, w->device, &s, CLC_MEM(g->a), CLC_MEM(w->packed), CLC_MEM(g->c),
                      CLC_MEM(g->bias ? g->bias : g->c), CLC_MEM(g->residual ? g->residual : g->c),
                      CLC_INT(g->a_offset), CLC_INT(g->c_offset), CLC_INT(g->m), CLC_INT(g->n),
                      CLC_INT(g->k), CLC_INT(rows), CLC_INT(each * (size_t)columns),
                      CLC_INT(g->accumulate), CLC_INT(g->bias != NULL),
                      CLC_INT(g->residual != NULL), CLC_FLOAT(g->relu ? 0.0f : -INFINITY));
}

static clc_status build_own(clc_sequence *sequence, clc_device *device, const clc_gemm *gemm,
                            cl_mem workspace, const char *op, const char *layer) {
    clc_status status = CLC_OK;
    const size_t depth = gemm->transpose_a ? depth_of(device, gemm) : gemm->k;
    own_build w = {sequence, device, gemm, workspace, "", op, layer};
    snprintf(w.options, sizeof w.options, "-DMR=%d -DNV=%d -DMC=%zu", panel_rows(device), VECTORS,
             block_rows(device));
    if (!gemm->transpose_a) {
        CLC_TRY(pack_b(&w, 0, gemm->k, 0));
        return multiply_rows(&w);
    }
    const size_t b_at = padded(gemm->m, panel_rows(device)) * depth;
    for (size_t first = 0; first < gemm->k; first += depth) {
        const size_t now = depth < gemm->k - first ? depth : gemm->k - first;
        CLC_TRY(pack_a(&w, first, now));
        CLC_TRY(pack_b(&w, first, now, b_at));
        CLC_TRY(multiply_panels(&w, first, now, b_at));
    }
fail:
    return status;
}

clc_status clc_gemm_build(clc_sequence *sequence, clc_device *device, clc_gemm_kind kind,
                          const clc_gemm *gemm, cl_mem workspace, const char *op,
                          const char *layer) {
    char key[96];
    const bool clblast = by_clblast(device, kind, gemm);
    assert(clc_gemm_adds_tail(device, kind, gemm) || !(gemm->bias || gemm->residual || gemm->relu));
    clc_gemm_key(gemm, key, sizeof key);
    clc_status status = clc_tuning_note(device->tuning, key, clblast ? "clblast" : "own");
    if (status != CLC_OK)
        return status;
    return clblast ? clc_gemm_clblast_build(sequence, gemm, op, layer)
                   : build_own(sequence, device, gemm, workspace, op, layer);
}
