/* Cosine similarities with prototypes against plain C: any sizes, zero rows, with and without a
 * gradient of the input. */
#include "harness.h"
#include "node_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sums of some hundred terms of size 1. */
static const double tolerance = 2e-6;

static double length_of(const double *x, int count, int stride) {
    double squares = 0;
    for (int k = 0; k < count; k++)
        squares += x[k * stride] * x[k * stride];
    return fmax(sqrt(squares), 1e-12);
}

/* y (n,count) = cosines of x (n,dim) with w (count,dim). */
static void reference(const double *x, const double *w, int n, int dim, int count, double *y) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < count; j++) {
            double dot = 0;
            for (int k = 0; k < dim; k++)
                dot += x[i * dim + k] * w[j * dim + k];
            y[i * count + j] =
                dot / length_of(x + i * dim, dim, 1) / length_of(w + j * dim, dim, 1);
        }
}

static double weighted(const double *x, const double *w, const float *dy, int n, int dim,
                       int count) {
    double *y = malloc((size_t)(n * count) * sizeof *y), sum = 0;
    reference(x, w, n, dim, count, y);
    for (int i = 0; i < n * count; i++)
        sum += y[i] * (double)dy[i];
    free(y);
    return sum;
}

/* Central differences of sum dy y by each of `count` values. */
static double *slopes(double *values, int total, const double *x, const double *w, const float *dy,
                      int n, int dim, int count) {
    double *slope = malloc((size_t)total * sizeof *slope);
    for (int i = 0; i < total; i++) {
        const double kept = values[i], h = 1e-6;
        values[i] = kept + h;
        const double up = weighted(x, w, dy, n, dim, count);
        values[i] = kept - h;
        slope[i] = (up - weighted(x, w, dy, n, dim, count)) / (2 * h);
        values[i] = kept;
    }
    return slope;
}

static void check(int n, int dim, int count) {
    node_case c;
    clc_tensor *x = NULL, *y = NULL;
    float *xs = test_random((size_t)(n * dim), 1), *ws = test_random((size_t)(count * dim), 2);
    float *dy = test_random((size_t)(n * count), 3);
    double *xd = node_case_widen(xs, (size_t)(n * dim)),
           *wd = node_case_widen(ws, (size_t)(count * dim));
    double *want = malloc((size_t)(n * count) * sizeof *want);
    node_case_begin(&c, true);
    CHECK(clc_graph_input(c.graph, "x", clc_shape_rows(n, dim), true, &x));
    CHECK(clc_op_prototypes(c.graph, "prototypes", x, count, &y));
    node_case_build(&c);
    node_case_set(x, xs);
    node_case_set_param(&c, "prototypes.weight", ws);
    node_case_forward(&c);
    reference(xd, wd, n, dim, count, want);
    node_case_expect(&c, y, want, 1e-6);
    node_case_set_grad(y, dy);
    node_case_backward(&c);
    double *dx = slopes(xd, n * dim, xd, wd, dy, n, dim, count);
    double *dw = slopes(wd, count * dim, xd, wd, dy, n, dim, count);
    node_case_expect_grad(&c, x, dx, tolerance * sqrt(count));
    node_case_expect_param(&c, "prototypes.weight", dw, tolerance * sqrt(n));
    node_case_end(&c);
    double *doubles[] = {xd, wd, want, dx, dw};
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++)
        free(doubles[i]);
    free(xs);
    free(ws);
    free(dy);
}

/* The same scores in a graph that keeps nothing for a backward pass. */
static void in_inference(void **state) {
    (void)state;
    enum { ROWS = 9, DIM = 12, COUNT = 20 };
    node_case c;
    clc_tensor *x = NULL, *y = NULL;
    float *xs = test_random(ROWS * DIM, 1), *ws = test_random(COUNT * DIM, 2);
    double *xd = node_case_widen(xs, ROWS * DIM), *wd = node_case_widen(ws, COUNT * DIM);
    double want[ROWS * COUNT];
    node_case_begin(&c, false);
    CHECK(clc_graph_input(c.graph, "x", clc_shape_rows(ROWS, DIM), true, &x));
    CHECK(clc_op_prototypes(c.graph, "prototypes", x, COUNT, &y));
    node_case_build(&c);
    node_case_set(x, xs);
    node_case_set_param(&c, "prototypes.weight", ws);
    node_case_forward(&c);
    reference(xd, wd, ROWS, DIM, COUNT, want);
    node_case_expect(&c, y, want, 1e-6);
    node_case_end(&c);
    free(xs);
    free(ws);
    free(xd);
    free(wd);
}

static void any_sizes(void **state) {
    (void)state;
    static const int sizes[][3] = {{1, 2, 1}, {3, 5, 7}, {16, 16, 16}, {33, 20, 11}, {7, 3, 48}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check(sizes[i][0], sizes[i][1], sizes[i][2]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_sizes), cmocka_unit_test(in_inference)};
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
