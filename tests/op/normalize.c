/* Rows of length 1 against a plain-C reference: any sizes, rows of zeros, two readers. */
#include "harness.h"
#include "node_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void reference(int n, int c, const double *x, double *y, const double *dy, double *dx) {
    for (int i = 0; i < n * c; i += c) {
        double squares = 0, along = 0;
        for (int k = i; k < i + c; k++)
            squares += x[k] * x[k];
        const bool shortest = sqrt(squares) < 1e-12;
        const double length = shortest ? 1e-12 : sqrt(squares);
        for (int k = i; k < i + c; k++) {
            y[k] = x[k] / length;
            along += shortest || !dy ? 0 : y[k] * dy[k];
        }
        for (int k = i; k < i + c && dy; k++)
            dx[k] = (dy[k] - y[k] * along) / length;
    }
}

static void check(int n, int c, int readers, int zero_row) {
    const size_t count = (size_t)(n * c);
    float *x = test_random(count, 1), *dy = test_random(count, 2);
    if (zero_row >= 0) {
        memset(x + zero_row * c, 0, (size_t)c * sizeof *x);
        for (int k = 0; k < c; k++) /* its gradient is that times 1e12 */
            dy[zero_row * c + k] *= 1e-12f;
    }
    double *wide = node_case_widen(x, count), *wide_dy = node_case_widen(dy, count);
    double *y = malloc(count * sizeof *y), *dx = malloc(count * sizeof *dx), largest = 1;
    node_case node;
    clc_tensor *in = NULL, *out[2];
    reference(n, c, wide, y, wide_dy, dx);
    for (size_t i = 0; i < count; i++) {
        dx[i] *= readers;
        largest = fmax(largest, fabs(dx[i]));
    }
    node_case_begin(&node, true);
    CHECK(clc_graph_input(node.graph, "x", clc_shape_rows(n, c), true, &in));
    for (int i = 0; i < readers; i++)
        CHECK(clc_op_normalize(node.graph, "normalize", in, &out[i]));
    node_case_build(&node);
    node_case_set(in, x);
    for (int i = 0; i < readers; i++)
        node_case_set_grad(out[i], dy);
    node_case_forward(&node);
    node_case_backward(&node);
    /* Of sums of c terms, some roundings. */
    for (int i = 0; i < readers; i++)
        node_case_expect(&node, out[i], y, (c + 4) * 6e-8);
    node_case_expect_grad(&node, in, dx, (2 * c + 8) * 6e-8 * largest);
    node_case_end(&node);
    free(x);
    free(dy);
    free(wide);
    free(wide_dy);
    free(y);
    free(dx);
}

static void every_size(void **state) {
    static const int sizes[][2] = {{1, 1}, {5, 7}, {13, 16}, {3, 131}, {70, 48}};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check(sizes[i][0], sizes[i][1], 1, -1);
}

static void two_readers_add_their_gradients(void **state) {
    (void)state;
    check(5, 13, 2, -1);
}

static void a_row_of_zeros(void **state) {
    (void)state;
    check(5, 13, 1, 2);
}

static void reference_agrees_with_finite_differences(void **state) {
    enum { N = 3, C = 5, COUNT = N * C };
    const double h = 1e-6;
    float *x = test_random(COUNT, 1), *dy = test_random(COUNT, 2);
    double *wide = node_case_widen(x, COUNT), *wide_dy = node_case_widen(dy, COUNT), y[COUNT],
           dx[COUNT];
    (void)state;
    reference(N, C, wide, y, wide_dy, dx);
    for (int i = 0; i < COUNT; i++) {
        double difference = 0;
        for (int side = -1; side <= 1; side += 2) {
            const double old = wide[i];
            wide[i] = old + side * h;
            reference(N, C, wide, y, NULL, NULL);
            for (int k = 0; k < COUNT; k++)
                difference += side * wide_dy[k] * y[k] / (2 * h);
            wide[i] = old;
        }
        /* Third derivatives times h^2, and rounding 1e-16 / h. */
        assert_true(fabs(difference - dx[i]) <= 1e-8);
    }
    free(x);
    free(dy);
    free(wide);
    free(wide_dy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_agrees_with_finite_differences),
        cmocka_unit_test(every_size),
        cmocka_unit_test(two_readers_add_their_gradients),
        cmocka_unit_test(a_row_of_zeros),
    };
    return cmocka_run_group_tests_name("normalize", tests, NULL, test_close_device);
}
