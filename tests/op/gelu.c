/* GELU, exact and quick, against its reference from -14 to 14. */
#include "differences.h"
#include "harness.h"
#include "node_case.h"

#include <math.h>
#include <stdlib.h>

/* The distribution function errs by 3e-7, absolutely, and x by rounding: 14 of that at most. */
static const double tolerance = 4e-6;

static double value(double x, bool quick) {
    return quick ? x / (1 + exp(-1.702 * x)) : x / 2 * erfc(-x / sqrt(2));
}

static double slope(double x, bool quick) {
    const double p = quick ? 1 / (1 + exp(-1.702 * x)) : erfc(-x / sqrt(2)) / 2;
    const double density =
        quick ? 1.702 * p * (1 - p) : exp(-x * x / 2) / sqrt(2 * 3.14159265358979323846);
    return p + x * density;
}

typedef struct point {
    double x;
    bool quick;
} point;

static double loss(void *context) {
    const point *p = context;
    return value(p->x, p->quick);
}

static void reference_agrees_with_finite_differences(void **state) {
    (void)state;
    for (int i = -40; i <= 40; i++) {
        point p = {i / 8.0, i % 2 != 0};
        const double gradient = slope(p.x, p.quick);
        check_differences("x", loss, &p, &p.x, 1, &gradient);
    }
}

static void check(int count, bool quick) {
    node_case c;
    clc_tensor *x = NULL, *y = NULL;
    const size_t n = (size_t)count;
    float *values = test_random(n, 1), *dy = test_random(n, 2);
    double *want = zeros(n), *dx = zeros(n);
    for (size_t i = 0; i < n; i++) {
        values[i] *= 14;
        want[i] = value((double)values[i], quick);
        dx[i] = (double)dy[i] * slope((double)values[i], quick);
    }
    node_case_begin(&c, true);
    CHECK(clc_graph_input(c.graph, "x", clc_shape_rows(1, count), true, &x));
    CHECK(clc_op_gelu(c.graph, "gelu", x, quick, &y));
    node_case_build(&c);
    node_case_set(x, values);
    node_case_forward(&c);
    node_case_expect(&c, y, want, tolerance);
    node_case_set_grad(y, dy);
    node_case_backward(&c);
    node_case_expect_grad(&c, x, dx, tolerance);
    node_case_end(&c);
    free(values);
    free(dy);
    free(want);
    free(dx);
}

static void all_sizes(void **state) {
    static const int sizes[] = {1, 7, 16, 63, 64, 65, 203, 1024, 4099};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int quick = 0; quick < 2; quick++)
            check(sizes[i], quick);
}

/* What the polynomial was fitted for ends at 14; beyond, exp is 0. NaN passes. */
static void far_from_zero(void **state) {
    const float values[] = {-1e30f, -100, -20, 0, 20, 100, 1e30f, NAN};
    float got[8];
    (void)state;
    for (int quick = 0; quick < 2; quick++) {
        node_case c;
        clc_tensor *x = NULL, *y = NULL;
        node_case_begin(&c, false);
        CHECK(clc_graph_input(c.graph, "x", clc_shape_rows(1, 8), false, &x));
        CHECK(clc_op_gelu(c.graph, "gelu", x, quick, &y));
        node_case_build(&c);
        node_case_set(x, values);
        node_case_forward(&c);
        CHECK(clc_buffer_read(test_device(), y->value, 0, sizeof got, got));
        for (int i = 0; i < 4; i++)
            assert_true(fabsf(got[i]) <= 1e-10f);
        for (int i = 4; i < 7; i++)
            assert_true(got[i] == values[i]);
        assert_true(isnan(got[7]));
        node_case_end(&c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_agrees_with_finite_differences),
        cmocka_unit_test(all_sizes),
        cmocka_unit_test(far_from_zero),
    };
    return cmocka_run_group_tests_name("gelu", tests, NULL, test_close_device);
}
