/* Pooling against its reference: odd sizes, ties, padding, NaN. */
#include "harness.h"
#include "node_case.h"
#include "reference_pool.h"

#include <math.h>
#include <stdlib.h>

typedef void (*change)(float *values, size_t count);

static size_t in_count(const reference_pool *p) {
    return (size_t)(p->n * p->h * p->w * p->c);
}

static void check_maxpool(const reference_pool *p, change prepare) {
    const int oh = reference_pool_out(p->h, p->kernel, p->stride, p->pad);
    const int ow = reference_pool_out(p->w, p->kernel, p->stride, p->pad);
    const size_t count = in_count(p), outputs = (size_t)(p->n * oh * ow * p->c);
    float *x = test_random(count, 1), *dy = test_random(outputs, 2);
    double *want = malloc(outputs * sizeof *want), *want_dx = malloc(count * sizeof *want_dx);
    if (prepare)
        prepare(x, count);
    double *wide = node_case_widen(x, count), *wide_dy = node_case_widen(dy, outputs);
    reference_maxpool(p, wide, want, wide_dy, want_dx);
    for (int training = 0; training < 2; training++) {
        node_case c;
        clc_tensor *in = NULL, *out = NULL;
        node_case_begin(&c, training);
        CHECK(clc_graph_input(c.graph, "x", clc_shape_images(p->n, p->h, p->w, p->c), true, &in));
        CHECK(clc_op_maxpool(c.graph, "pool", in, p->kernel, p->stride, p->pad, &out));
        assert_int_equal(out->count, outputs);
        node_case_build(&c);
        node_case_set(in, x);
        node_case_forward(&c);
        node_case_expect(&c, out, want, 0); /* one of the inputs */
        if (training) {
            node_case_set_grad(out, dy);
            node_case_backward(&c);
            /* Sums of at most kernel^2 gradients. */
            node_case_expect_grad(&c, in, want_dx, p->kernel * p->kernel * 1.2e-7);
        }
        node_case_end(&c);
    }
    free(x);
    free(dy);
    free(want);
    free(want_dx);
    free(wide);
    free(wide_dy);
}

static const reference_pool shapes[] = {
    {1, 1, 1, 1, 3, 2, 1},   {2, 7, 5, 3, 3, 2, 1},    {3, 16, 17, 8, 3, 2, 1},
    {1, 13, 2, 13, 3, 2, 1}, {5, 32, 32, 16, 3, 2, 1}, {1, 2, 2, 4, 2, 2, 0},
    {3, 5, 7, 16, 2, 2, 0},  {2, 9, 8, 48, 2, 2, 0},   {1, 1, 1, 16, 3, 1, 1},
    {2, 7, 5, 6, 3, 1, 1},   {70, 3, 3, 1, 3, 1, 1},   {1, 11, 11, 5, 5, 3, 2},
};

static void maximum_of_every_shape(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_maxpool(&shapes[i], NULL);
}

static void make_ties(float *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(int)(values[i] * 2);
}

/* The first of equal values gets the gradient, as in PyTorch. */
static void ties_go_to_the_first(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_maxpool(&shapes[i], make_ties);
}

static void make_very_negative(float *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        values[i] -= 1e30f;
}

static void padding_never_wins(void **state) {
    (void)state;
    check_maxpool(&shapes[1], make_very_negative);
    check_maxpool(&shapes[9], make_very_negative);
}

/* As in PyTorch, NaN is larger than anything. */
static void nan_wins(void **state) {
    (void)state;
    const int position = 2 * 5 + 2; /* only the middle window holds it */
    const reference_pool p = {1, 5, 5, 1, 3, 2, 1};
    node_case c;
    clc_tensor *in = NULL, *out = NULL;
    float *x = test_random(25, 1), got[9];
    x[position] = NAN;
    node_case_begin(&c, false);
    CHECK(clc_graph_input(c.graph, "x", clc_shape_images(1, 5, 5, 1), false, &in));
    CHECK(clc_op_maxpool(c.graph, "pool", in, p.kernel, p.stride, p.pad, &out));
    node_case_build(&c);
    node_case_set(in, x);
    node_case_forward(&c);
    CHECK(clc_buffer_read(test_device(), out->value, 0, sizeof got, got));
    for (int i = 0; i < 9; i++)
        assert_int_equal(isnan(got[i]) != 0, i == 4);
    node_case_end(&c);
    free(x);
}

static void check_avgpool(const reference_pool *p) {
    const size_t count = in_count(p), outputs = (size_t)(p->n * p->c);
    float *x = test_random(count, 1), *dy = test_random(outputs, 2);
    double *want = malloc(outputs * sizeof *want), *want_dx = malloc(count * sizeof *want_dx);
    double *wide = node_case_widen(x, count), *wide_dy = node_case_widen(dy, outputs);
    node_case c;
    clc_tensor *in = NULL, *out = NULL;
    reference_avgpool(p, wide, want, wide_dy, want_dx);
    node_case_begin(&c, true);
    CHECK(clc_graph_input(c.graph, "x", clc_shape_images(p->n, p->h, p->w, p->c), true, &in));
    CHECK(clc_op_avgpool(c.graph, "pool", in, &out));
    node_case_build(&c);
    node_case_set(in, x);
    node_case_set_grad(out, dy);
    node_case_forward(&c);
    node_case_backward(&c);
    /* h w additions of at most 1 and one product; the gradient is a product. */
    node_case_expect(&c, out, want, (p->h * p->w + 2) * 6e-8);
    node_case_expect_grad(&c, in, want_dx, 1.2e-7);
    node_case_end(&c);
    free(x);
    free(dy);
    free(want);
    free(want_dx);
    free(wide);
    free(wide_dy);
}

static void mean_of_every_shape(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_avgpool(&shapes[i]);
}

/* L = sum dy y: dx against signed central differences; values differ by more than the step. */
static void reference_agrees_with_finite_differences(void **state) {
    enum { COUNT = 2 * 5 * 4 * 3, MOST = 2 * 3 * 2 * 3 };
    const reference_pool p = {2, 5, 4, 3, 3, 2, 1};
    const double h = 1e-6;
    float *x = test_random(COUNT, 1), *dy = test_random(MOST, 2);
    double *wide = node_case_widen(x, COUNT), *wide_dy = node_case_widen(dy, MOST), y[MOST],
           dx[COUNT];
    (void)state;
    for (int mean = 0; mean < 2; mean++) {
        void (*const pool)(const reference_pool *, const double *, double *, const double *,
                           double *) = mean ? reference_avgpool : reference_maxpool;
        const int outputs = mean ? 6 : MOST;
        pool(&p, wide, y, wide_dy, dx);
        for (int i = 0; i < COUNT; i++) {
            double difference = 0;
            for (int side = -1; side <= 1; side += 2) {
                const double old = wide[i];
                wide[i] = old + side * h;
                pool(&p, wide, y, NULL, NULL);
                for (int k = 0; k < outputs; k++)
                    difference += side * wide_dy[k] * y[k] / (2 * h);
                wide[i] = old;
            }
            assert_true(fabs(difference - dx[i]) <= 1e-8); /* rounding 1e-16 / h; linear else */
        }
    }
    free(x);
    free(dy);
    free(wide);
    free(wide_dy);
}

/* Nothing is computed, and nothing written, for an input whose gradient nobody wants. */
static void an_input_without_gradient(void **state) {
    (void)state;
    for (int mean = 0; mean < 2; mean++) {
        node_case c;
        clc_tensor *in = NULL, *out = NULL;
        float *x = test_random(2 * 4 * 4 * 3, 1);
        node_case_begin(&c, true);
        CHECK(clc_graph_input(c.graph, "x", clc_shape_images(2, 4, 4, 3), false, &in));
        CHECK(mean ? clc_op_avgpool(c.graph, "pool", in, &out)
                   : clc_op_maxpool(c.graph, "pool", in, 3, 2, 1, &out));
        node_case_build(&c);
        assert_null(in->grad);
        assert_int_equal(c.graph->backward.count, 0);
        node_case_set(in, x);
        node_case_forward(&c);
        node_case_backward(&c);
        node_case_end(&c);
        free(x);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_agrees_with_finite_differences),
        cmocka_unit_test(maximum_of_every_shape),
        cmocka_unit_test(ties_go_to_the_first),
        cmocka_unit_test(padding_never_wins),
        cmocka_unit_test(nan_wins),
        cmocka_unit_test(mean_of_every_shape),
        cmocka_unit_test(an_input_without_gradient),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, test_close_device);
}
