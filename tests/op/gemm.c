/* Matrix products, our own and CLBlast's, against a plain double reference. */
#include "harness.h"

#include "device/gemm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static float element(const float *x, bool transposed, size_t rows, size_t columns, size_t i,
                     size_t j) {
    return transposed ? x[j * rows + i] : x[i * columns + j];
}

/* What is behind the product: NULL where there is none. */
typedef struct tail {
    float *bias, *residual; /* (n), (m,n) */
    bool relu;
} tail;

static double *reference(const clc_gemm *g, const float *a, const float *b, const float *c,
                         const tail *t) {
    double *out = malloc(g->m * g->n * sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < g->m; i++)
        for (size_t j = 0; j < g->n; j++) {
            double sum = g->accumulate ? (double)c[i * g->n + j] : 0;
            sum += t->bias ? (double)t->bias[j] : 0;
            sum += t->residual ? (double)t->residual[i * g->n + j] : 0;
            for (size_t r = 0; r < g->k; r++)
                sum += (double)element(a, g->transpose_a, g->m, g->k, i, r) *
                       (double)element(b, g->transpose_b, g->k, g->n, r, j);
            out[i * g->n + j] = t->relu && sum < 0 ? 0 : sum;
        }
    return out;
}

/* Rounding of a sum of k terms grows like 6e-8 sqrt(k) beside results that grow like sqrt(k). */
static double tolerance_of(size_t k) {
    return 6e-8 * (8 + 2 * sqrt((double)k));
}

static void check_with(clc_gemm_kind kind, clc_gemm g, const tail *t) {
    enum { OFFSET = 3 }; /* floats before each matrix */
    if (!test_affordable((double)(g.m * g.n * g.k)))
        return;
    clc_device *device = test_device();
    const size_t na = g.m * g.k, nb = g.k * g.n, nc = g.m * g.n;
    float *a = test_random(na + OFFSET, 1), *b = test_random(nb + OFFSET, 2);
    float *c = test_random(nc, 3);
    char name[96];
    snprintf(name, sizeof name, "gemm %d %zux%zux%zu%s%s%s", (int)kind, g.m, g.n, g.k,
             g.transpose_a ? " At" : "", g.transpose_b ? " Bt" : "", g.accumulate ? " +=" : "");
    test_buffer ba = test_buffer_make(name, a, na + OFFSET),
                bb = test_buffer_make(name, b, nb + OFFSET);
    test_buffer bc = test_buffer_make(name, g.accumulate ? c : NULL, nc);
    test_buffer workspace =
        test_buffer_make(name, NULL, clc_gemm_workspace(device, kind, &g) / sizeof(float));
    test_buffer bias = test_buffer_make(name, t->bias, g.n),
                residual = test_buffer_make(name, t->residual, nc);
    double *want = reference(&g, a + OFFSET, b + OFFSET, c, t);
    clc_sequence sequence = {0};
    g.a = ba.mem;
    g.b = bb.mem;
    g.c = bc.mem;
    g.a_offset = g.b_offset = OFFSET;
    g.bias = t->bias ? bias.mem : NULL;
    g.residual = t->residual ? residual.mem : NULL;
    g.relu = t->relu;
    CHECK(clc_gemm_build(&sequence, device, kind, &g, workspace.mem, "gemm", "test"));
    test_run(&sequence);
    test_expect(&bc, want, tolerance_of(g.k));
    assert_true(test_buffer_intact(&workspace));
    test_buffer_release(&ba);
    test_buffer_release(&bb);
    test_buffer_release(&bc);
    test_buffer_release(&workspace);
    test_buffer_release(&bias);
    test_buffer_release(&residual);
    free(a);
    free(b);
    free(c);
    free(want);
}

static void check(clc_gemm_kind kind, clc_gemm g) {
    check_with(kind, g, &(tail){0});
}

static void check_kind(clc_gemm_kind kind) {
    static const size_t sizes[][3] = {
        {1, 1, 1},   {2, 3, 5},     {13, 31, 7},   {12, 32, 16},  {25, 33, 65},    {64, 10, 784},
        {7, 129, 1}, {97, 64, 128}, {193, 5, 257}, {1600, 17, 9}, {3000, 40, 500}, {13, 3000, 500}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int form = 0; form < 8; form++)
            check(kind, (clc_gemm){.transpose_a = form & 1,
                                   .transpose_b = form & 2,
                                   .accumulate = form & 4,
                                   .m = sizes[i][0],
                                   .n = sizes[i][1],
                                   .k = sizes[i][2]});
}

static void own_kernel_matches_the_reference(void **state) {
    (void)state;
    check_kind(CLC_GEMM_OWN);
}

/* Only of an A that isn't transposed. */
static void own_kernel_adds_bias_and_residual_and_cuts_off(void **state) {
    (void)state;
    static const size_t sizes[][3] = {{1, 40, 3}, {13, 31, 7}, {24, 64, 300}, {97, 67, 128}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int form = 0; form < 32; form++) {
            const clc_gemm g = {.transpose_b = form & 1,
                                .accumulate = form & 2,
                                .m = sizes[i][0],
                                .n = sizes[i][1],
                                .k = sizes[i][2]};
            if (!clc_gemm_adds_tail(test_device(), CLC_GEMM_OWN, &g))
                fail_msg("own kernels don't");
            tail t = {form & 4 ? test_random(g.n, 4) : NULL,
                      form & 8 ? test_random(g.m * g.n, 5) : NULL, form & 16};
            check_with(CLC_GEMM_OWN, g, &t);
            free(t.bias);
            free(t.residual);
        }
}

static void clblast_matches_the_reference(void **state) {
    (void)state;
    check_kind(CLC_GEMM_CLBLAST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_kernel_matches_the_reference),
        cmocka_unit_test(own_kernel_adds_bias_and_residual_and_cuts_off),
        cmocka_unit_test(clblast_matches_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
