/* L-BFGS on functions whose minimum is known. */
#include "eval/lbfgs.h"

#include "harness.h"

#include <math.h>
#include <string.h>

/* Rosenbrock's valley in n dimensions: the minimum is 0 at (1, 1, ...). */
typedef struct valley {
    size_t n;
    int calls, fails_at;
} valley;

static clc_status rosenbrock(void *context, const double *x, double *value, double *gradient) {
    valley *v = context;
    if (++v->calls == v->fails_at)
        return clc_fail(CLC_INTERRUPTED, "stopped");
    *value = 0;
    memset(gradient, 0, v->n * sizeof *gradient);
    for (size_t i = 0; i + 1 < v->n; i++) {
        const double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
        *value += 100 * a * a + b * b;
        gradient[i] += -400 * a * x[i] - 2 * b;
        gradient[i + 1] += 200 * a;
    }
    return CLC_OK;
}

static void the_bottom_of_a_valley_is_found(void **state) {
    (void)state;
    for (size_t n = 2; n <= 30; n += 7) {
        double x[30];
        valley v = {.n = n};
        clc_lbfgs_end end;
        for (size_t i = 0; i < n; i++)
            x[i] = i % 2 ? 1 : -1.2;
        CHECK(clc_lbfgs(rosenbrock, &v, n, x, 500, 1e-9, &end));
        for (size_t i = 0; i < n; i++)
            assert_true(fabs(x[i] - 1) <= 1e-7);
        assert_true(end.slope <= 1e-9 && end.value < 1e-12);
        assert_int_equal(end.evaluations, v.calls);
        assert_true(end.iterations < 300); /* gradient descent takes thousands */
    }
}

static clc_status bowl(void *context, const double *x, double *value, double *gradient) {
    const double *scale = context;
    *value = 0;
    for (int i = 0; i < 3; i++) {
        *value += scale[i] * (x[i] - i) * (x[i] - i) / 2;
        gradient[i] = scale[i] * (x[i] - i);
    }
    return CLC_OK;
}

static void a_bowl_takes_few_steps_whatever_its_scales(void **state) {
    (void)state;
    double scale[3] = {1e-3, 1, 1e4}, x[3] = {5, 5, 5};
    clc_lbfgs_end end;
    CHECK(clc_lbfgs(bowl, scale, 3, x, 100, 1e-10, &end));
    for (int i = 0; i < 3; i++)
        assert_true(fabs(x[i] - i) <= 1e-6);
    assert_true(end.iterations < 40);
    CHECK(clc_lbfgs(bowl, scale, 3, x, 0, 1e-30, &end)); /* no iterations: nothing moves */
    assert_int_equal(end.iterations, 0);
}

static void a_failure_ends_it(void **state) {
    (void)state;
    double x[2] = {-1.2, 1};
    valley v = {.n = 2, .fails_at = 7};
    clc_lbfgs_end end;
    assert_int_equal(clc_lbfgs(rosenbrock, &v, 2, x, 500, 1e-9, &end), CLC_INTERRUPTED);
    assert_int_equal(v.calls, 7);
    x[0] = NAN;
    v.fails_at = 0;
    assert_int_equal(clc_lbfgs(rosenbrock, &v, 2, x, 500, 1e-9, &end), CLC_NONFINITE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bottom_of_a_valley_is_found),
        cmocka_unit_test(a_bowl_takes_few_steps_whatever_its_scales),
        cmocka_unit_test(a_failure_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
