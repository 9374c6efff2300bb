/* Eigenvalues: of matrices whose eigenvalues are known, and sums that must hold for any. */
#include "core/eigen.h"

#include "core/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The second difference of n points has 2 - 2 cos(pi k / (n + 1)). */
static void those_of_the_second_difference_are_known(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 7, 64, 129};
    for (size_t t = 0; t < sizeof sizes / sizeof *sizes; t++) {
        const size_t n = sizes[t];
        double *a = calloc(n * n, sizeof *a), *values = calloc(n, sizeof *values);
        assert_true(a && values);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                a[i * n + j] = i == j ? 2 : i + 1 == j || j + 1 == i ? -1 : 0;
        assert_int_equal(clc_eigenvalues(a, n, values), CLC_OK);
        qsort(values, n, sizeof *values, by_value);
        for (size_t k = 0; k < n; k++) {
            const double want = 2 - 2 * cos(acos(-1) * (double)(k + 1) / (double)(n + 1));
            assert_true(fabs(values[k] - want) <= 1e-13 * (double)n);
        }
        free(a);
        free(values);
    }
}

static double *random_matrix(size_t rows, size_t columns, uint64_t seed) {
    float *x = calloc(rows * columns, sizeof *x);
    double *y = calloc(rows * columns, sizeof *y);
    clc_rng rng = clc_rng_make(seed, 0);
    assert_true(x && y);
    clc_fill_normal(x, rows * columns, 1, &rng);
    for (size_t i = 0; i < rows * columns; i++)
        y[i] = (double)x[i];
    free(x);
    return y;
}

/* Trace and squares of a full matrix; one of rank 1; zeros. */
static void sums_hold(void **state) {
    (void)state;
    enum { N = 37 };
    double *a = random_matrix(N, N, 1), values[N], trace = 0, squares = 0, sum = 0, of_squares = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < i; j++)
            a[i * N + j] = a[j * N + i];
    for (int i = 0; i < N * N; i++)
        squares += a[i] * a[i];
    for (int i = 0; i < N; i++)
        trace += a[i * N + i];
    assert_int_equal(clc_eigenvalues(a, N, values), CLC_OK);
    for (int i = 0; i < N; i++) {
        sum += values[i];
        of_squares += values[i] * values[i];
    }
    assert_true(fabs(sum - trace) <= 1e-11 && fabs(of_squares - squares) <= 1e-9);
    for (int i = 0; i < N * N; i++)
        a[i] = (double)(i / N + 1) * (double)(i % N + 1);
    assert_int_equal(clc_eigenvalues(a, N, values), CLC_OK);
    qsort(values, N, sizeof *values, by_value);
    assert_true(fabs(values[N - 1] - N * (N + 1) * (2 * N + 1) / 6.0) <= 1e-8);
    assert_true(fabs(values[N - 2]) <= 1e-8 && fabs(values[0]) <= 1e-8);
    memset(a, 0, N * N * sizeof *a);
    assert_int_equal(clc_eigenvalues(a, N, values), CLC_OK);
    assert_true(values[0] >= 0 && values[0] <= 0);
    a[5] = NAN;
    assert_int_equal(clc_eigenvalues(a, N, values), CLC_NONFINITE);
    free(a);
}

/* Rows and columns exchanged have the same ones. */
static void singular_values_of_the_transpose_are_the_same(void **state) {
    (void)state;
    enum { ROWS = 31, COLUMNS = 12 };
    double *x = random_matrix(ROWS, COLUMNS, 2), y[ROWS * COLUMNS], *a, *b;
    size_t n, m;
    for (int i = 0; i < ROWS * COLUMNS; i++)
        y[i % COLUMNS * ROWS + i / COLUMNS] = x[i];
    assert_int_equal(clc_singular_values(x, ROWS, COLUMNS, &a, &n), CLC_OK);
    assert_int_equal(clc_singular_values(y, COLUMNS, ROWS, &b, &m), CLC_OK);
    assert_true(n == COLUMNS && m == COLUMNS);
    qsort(a, n, sizeof *a, by_value);
    qsort(b, n, sizeof *b, by_value);
    for (size_t i = 0; i < n; i++)
        assert_true(fabs(a[i] - b[i]) <= 1e-10);
    free(x);
    free(a);
    free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_of_the_second_difference_are_known),
        cmocka_unit_test(sums_hold),
        cmocka_unit_test(singular_values_of_the_transpose_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
