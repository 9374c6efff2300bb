#include "bench/bench.h"

#include "core/clock.h"
#include "device/gemm.h"
#include "device/open.h"
#include "device/roofline.h"
#include "tune/tune.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* Products of training: square ones, projection heads and their gradients, patches of convolutions.
 */
static const char *const cases[] = {
    "gemm 256x256x256 nn",    "gemm 512x512x512 nn",    "gemm 1024x1024x1024 nn",
    "gemm 128x512x512 nn",    "gemm 512x512x128 tn",    "gemm 128x512x128 nt",
    "gemm 1000x2048x64 nt",   "gemm 4096x64x576 nn",    "gemm 50176x64x147 nn",
    "gemm 16384x128x1152 nn", "gemm 1152x128x16384 tn", "gemm 1024x512x4608 nn",
    "gemm 257x130x67 nn",
};

enum { ROUNDS = 5, ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112 };
static const double round_seconds = 0.05;

/* cblas_sgemm of a BLAS that this machine happens to have: compared with, never needed. */
typedef void (*sgemm_function)(int order, int transpose_a, int transpose_b, int m, int n, int k,
                               float alpha, const float *a, int lda, const float *b, int ldb,
                               float beta, float *c, int ldc);

static sgemm_function find_openblas(void **library) {
    *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    sgemm_function found = NULL;
    void *symbol = *library ? dlsym(*library, "cblas_sgemm") : NULL;
    memcpy(&found, &symbol, sizeof found);
    return found;
}

/* The processor that OpenBLAS takes this one for: it may know only older ones. */
static const char *openblas_core(void *library) {
    char *(*core)(void) = NULL;
    void *symbol = library ? dlsym(library, "openblas_get_corename") : NULL;
    memcpy(&core, &symbol, sizeof core);
    return core ? core() : "absent";
}

static clc_status time_openblas(sgemm_function sgemm, const clc_gemm *g, double *seconds) {
    clc_status status = CLC_OK;
    float *a = NULL, *b = NULL, *c = NULL;
    const int m = (int)g->m, n = (int)g->n, k = (int)g->k;
    CLC_NEW(a, g->m * g->k);
    CLC_NEW(b, g->k * g->n);
    CLC_NEW(c, g->m * g->n);
    int runs = 1;
    *seconds = 1e30;
    for (int round = 0; round < ROUNDS; round++) {
        const double start = clc_seconds();
        for (int i = 0; i < runs; i++)
            sgemm(ROW_MAJOR, g->transpose_a ? TRANSPOSE : NO_TRANSPOSE,
                  g->transpose_b ? TRANSPOSE : NO_TRANSPOSE, m, n, k, 1, a, g->transpose_a ? m : k,
                  b, g->transpose_b ? k : n, 0, c, n);
        const double each = (clc_seconds() - start) / runs;
        *seconds = each < *seconds ? each : *seconds;
        runs = each > 0 && round_seconds / each > 1 ? (int)(round_seconds / each) : 1;
    }
fail:
    free(a);
    free(b);
    free(c);
    return status;
}

static double giga(double flops, double seconds) {
    return seconds > 0 ? flops / seconds * 1e-9 : 0;
}

static clc_status bench_case(clc_device *device, const char *key, sgemm_function sgemm, double peak,
                             bool json, FILE *file) {
    clc_status status = CLC_OK;
    clc_tune_problem problem;
    clc_tune_result r[CLC_TUNE_CANDIDATES];
    _Alignas(16) unsigned char shape[CLC_TUNE_SHAPE_BYTES];
    int best;
    double blas = 0;
    if (!clc_tune_gemm(device, key, shape, &problem))
        return clc_fail(CLC_INVALID, "'%s' is no matrix product", key);
    CLC_TRY(clc_tune_measure(&problem, r, &best));
    const clc_gemm *g = (const clc_gemm *)shape;
    const double flops = 2.0 * (double)g->m * (double)g->n * (double)g->k;
    if (sgemm)
        CLC_TRY(time_openblas(sgemm, g, &blas));
    const double own = r[0].wrong ? 0 : giga(flops, r[0].seconds);
    const double clblast = r[1].wrong ? 0 : giga(flops, r[1].seconds);
    if (json)
        fprintf(file,
                "{\"product\":\"%s\",\"own_gflops\":%.1f,\"clblast_gflops\":%.1f,\"openblas_"
                "gflops\":%.1f}\n",
                key + 5, own, clblast, giga(flops, blas));
    else
        fprintf(file, "%-22s %10.1f %9.1f%% %10.1f %10.1f %9.2f\n", key + 5, own,
                100e9 * own / peak, clblast, giga(flops, blas),
                blas > 0 && own > 0 ? own / giga(flops, blas) : 0);
    fflush(file);
fail:
    return status;
}

clc_status clc_bench_gemm(const char *selector, bool json, FILE *file) {
    clc_status status = CLC_OK;
    clc_device *device = NULL;
    void *library = NULL;
    clc_roofline roofline;
    const sgemm_function sgemm = find_openblas(&library);
    CLC_TRY(clc_device_open(selector, CLC_PROFILE_AUTO, &device));
    CLC_TRY(clc_roofline_measure(device, &roofline));
    if (!json)
        fprintf(file,
                "GFLOP/s of C (m,n) = A (m,k) B (k,n), t: stored transposed; 0: wrong or absent; "
                "OpenBLAS for %s\n"
                "%-22s %10s %10s %10s %10s %9s\n",
                openblas_core(library), "m x n x k", "own", "of peak", "CLBlast", "OpenBLAS",
                "own/Open");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CLC_TRY(bench_case(device, cases[i], sgemm, roofline.flops, json, file));
fail:
    clc_device_close(&device);
    if (library)
        dlclose(library);
    return status;
}
