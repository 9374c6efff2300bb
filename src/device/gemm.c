#include "device/gemm.h"

#include "device/gemm_clblast.h"

#include <stdio.h>
#include <string.h>

/* Our own kernel: see cl/op/gemm.cl. */
enum { VECTORS = 2, CACHE_FLOATS = 1 << 16 };

static int panel_rows(const clc_device *device) {
    return device->vector_width >= 16 ? 12 : 6; /* with VECTORS: fits 32 or 16 registers */
}

static int panel_columns(const clc_device *device) {
    return VECTORS * (int)device->vector_width;
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

/* Floats of the packed A. */
static size_t packed_a(const clc_gemm *g, int rows) {
    return panels(g->m, rows) * (size_t)rows * g->k;
}

size_t clc_gemm_workspace(const clc_device *device, clc_gemm_kind kind, const clc_gemm *g) {
    if (by_clblast(device, kind, g))
        return 0;
    size_t columns = panels(g->n, panel_columns(device)) * (size_t)panel_columns(device);
    return (packed_a(g, panel_rows(device)) + columns * g->k) * sizeof(float);
}

typedef struct own_build {
    clc_sequence *sequence;
    clc_device *device;
    const clc_gemm *gemm;
    cl_mem packed;   /* A's panels, then B's */
    size_t b_offset; /* floats */
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

static clc_status pack(const own_build *w) {
    clc_status status = CLC_OK;
    const clc_gemm *g = w->gemm;
    const size_t pa = panels(g->m, panel_rows(w->device)),
                 pb = panels(g->n, panel_columns(w->device));
    clc_launch_spec a = spec(w, "gemm_pack_a", pa, 1, 0, 8.0 * (double)(g->m * g->k));
    clc_launch_spec b = spec(w, "gemm_pack_b", pb, 1, 0, 8.0 * (double)(g->n * g->k));
    CLC_TRY(CLC_LAUNCH(w->sequence, w->device, &a, CLC_MEM(g->a), CLC_MEM(w->packed),
                       CLC_INT(g->a_offset), CLC_INT(g->m), CLC_INT(g->k),
                       CLC_INT(g->transpose_a ? 1 : g->k), CLC_INT(g->transpose_a ? g->m : 1),
                       CLC_INT(0)));
    CLC_TRY(CLC_LAUNCH(w->sequence, w->device, &b, CLC_MEM(g->b), CLC_MEM(w->packed),
                       CLC_INT(g->b_offset), CLC_INT(g->n), CLC_INT(g->k),
                       CLC_INT(g->transpose_b ? g->k : 1), CLC_INT(g->transpose_b ? 1 : g->n),
                       CLC_INT(w->b_offset)));
fail:
    return status;
}

static clc_status multiply(const own_build *w) {
    const clc_gemm *g = w->gemm;
    const size_t pb = panels(g->n, panel_columns(w->device));
    /* Enough groups for all cores, several times over: B's panels times chunks of A's. Neighbours
     * share a chunk: where several panels fit, it stays in a core's cache, as do the rows of C. */
    const size_t pa = panels(g->m, panel_rows(w->device));
    const size_t fit = CACHE_FLOATS / ((size_t)panel_rows(w->device) * g->k);
    const size_t chunks =
        clc_larger(panels(w->device->groups * 2, (int)pb), fit > 1 ? pa / fit : 0);
    clc_launch_spec s = spec(w, "gemm_panels", pb, chunks < pa ? chunks : pa,
                             2.0 * (double)g->m * (double)g->n * (double)g->k,
                             4.0 * (double)(g->m * g->k + g->n * g->k + g->m * g->n));
    return CLC_LAUNCH(w->sequence, w->device, &s, CLC_MEM(w->packed), CLC_MEM(g->c),
                      CLC_INT(w->b_offset), CLC_INT(g->c_offset), CLC_INT(g->m), CLC_INT(g->n),
                      CLC_INT(g->k), CLC_INT(g->accumulate));
}

static clc_status build_own(clc_sequence *sequence, clc_device *device, const clc_gemm *gemm,
                            cl_mem workspace, const char *op, const char *layer) {
    clc_status status = CLC_OK;
    own_build w = {sequence, device, gemm, workspace, packed_a(gemm, panel_rows(device)),
                   "",       op,     layer};
    snprintf(w.options, sizeof w.options, "-DMR=%d -DNV=%d", panel_rows(device), VECTORS);
    CLC_TRY(pack(&w));
    CLC_TRY(multiply(&w));
fail:
    return status;
}

clc_status clc_gemm_build(clc_sequence *sequence, clc_device *device, clc_gemm_kind kind,
                          const clc_gemm *gemm, cl_mem workspace, const char *op,
                          const char *layer) {
    char key[96];
    const bool clblast = by_clblast(device, kind, gemm);
    clc_gemm_key(gemm, key, sizeof key);
    clc_status status = clc_tuning_note(device->tuning, key, clblast ? "clblast" : "own");
    if (status != CLC_OK)
        return status;
    return clblast ? clc_gemm_clblast_build(sequence, gemm, op, layer)
                   : build_own(sequence, device, gemm, workspace, op, layer);
}
