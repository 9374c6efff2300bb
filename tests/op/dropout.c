/* Dropout against Philox on the host: the same elements are dropped forward and backward, others in
 * another step, micro-batch, stream or layer. */
#include "differences.h"
#include "harness.h"
#include "node_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct dropout_case {
    int count;
    double rate;
    bool residual;
    uint32_t state[4];
    unsigned stream;
} dropout_case;

/* 0, or 1 / (1 - rate), of element i in layer `layer`. */
static double factor(const dropout_case *d, size_t i, unsigned layer) {
    uint32_t counter[4] = {(uint32_t)(i / 4), d->state[2], d->state[3], d->stream << 16 | layer};
    clc_philox(d->state, counter);
    return clc_uniform(counter[i % 4]) < (float)d->rate ? 0 : 1 / (1 - d->rate);
}

static void check(const dropout_case *d) {
    node_case c;
    cl_mem state = NULL;
    clc_tensor *x = NULL, *other = NULL, *y = NULL;
    const size_t n = (size_t)d->count;
    float *in = test_random(n, 1), *more = test_random(n, 2), *dy = test_random(n, 3);
    double *want = zeros(n), *dx = zeros(n), *dmore = node_case_widen(dy, n);
    for (size_t i = 0; i < n; i++) {
        want[i] = (double)in[i] * factor(d, i, 0) + (d->residual ? (double)more[i] : 0);
        dx[i] = (double)dy[i] * factor(d, i, 0);
    }
    node_case_begin(&c, true);
    CHECK(clc_buffer_create(test_device(), sizeof d->state, "state", &state));
    CHECK(clc_buffer_write(test_device(), state, 0, sizeof d->state, d->state));
    c.graph->dropout_state = state;
    c.graph->dropout_stream = d->stream;
    CHECK(clc_graph_input(c.graph, "x", clc_shape_rows(1, d->count), true, &x));
    if (d->residual)
        CHECK(clc_graph_input(c.graph, "other", clc_shape_rows(1, d->count), true, &other));
    CHECK(clc_op_dropout(c.graph, "drop", x, d->rate, other, &y));
    node_case_build(&c);
    node_case_set(x, in);
    if (other)
        node_case_set(other, more);
    node_case_forward(&c);
    node_case_expect(&c, y, want, 1e-6); /* two roundings of numbers up to 10 */
    node_case_set_grad(y, dy);
    node_case_backward(&c);
    node_case_expect_grad(&c, x, dx, 1e-6);
    if (other)
        node_case_expect_grad(&c, other, dmore, 0);
    node_case_end(&c);
    clc_buffer_release(test_device(), &state);
    free(in);
    free(more);
    free(dy);
    free(want);
    free(dx);
    free(dmore);
}

static void all_sizes(void **state) {
    static const int sizes[] = {1, 3, 4, 5, 63, 64, 65, 255, 257, 1031};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const dropout_case d = {sizes[i], i % 2 ? 0.1 : 0.5, i % 3 == 0, {7, 8, 9, 0}, 0};
        check(&d);
    }
}

static void each_number_of_the_counter_counts(void **state) {
    static const dropout_case cases[] = {{257, 0.5, false, {1, 0, 0, 0}, 0},
                                         {257, 0.5, false, {0, 1, 0, 0}, 0},
                                         {257, 0.5, false, {0, 0, 1, 0}, 0},
                                         {257, 0.5, false, {0, 0, 0, 1}, 0},
                                         {257, 0.5, false, {0, 0, 0, 0}, 1}};
    enum { CASES = sizeof cases / sizeof *cases };
    (void)state;
    for (int i = 0; i < CASES; i++) {
        check(&cases[i]);
        for (int other = 0; other < i; other++) {
            int same = 0;
            for (size_t e = 0; e < 257; e++)
                same += (factor(&cases[i], e, 0) > 0) == (factor(&cases[other], e, 0) > 0);
            assert_in_range(same, 257 / 2 - 40, 257 / 2 + 40); /* five deviations */
        }
    }
}

static void as_many_are_dropped_as_asked_for(void **state) {
    const dropout_case d = {.rate = 0.1, .state = {5, 6, 7, 0}};
    enum { COUNT = 40000 };
    int dropped = 0;
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        dropped += !(factor(&d, i, 3) > 0);
    assert_in_range(dropped, COUNT / 10 - 300, COUNT / 10 + 300); /* five deviations */
}

static void without_random_numbers(void **state) {
    node_case c;
    clc_tensor *x = NULL, *y = NULL;
    (void)state;
    node_case_begin(&c, true);
    CHECK(clc_graph_input(c.graph, "x", clc_shape_rows(2, 3), true, &x));
    CHECK(clc_op_dropout(c.graph, "drop", x, 0.25, NULL, &y));
    clc_params_layout(&c.params);
    CHECK(clc_params_allocate(&c.params, test_device(), true, 0));
    CHECK(clc_graph_plan(c.graph));
    CHECK(clc_graph_allocate(c.graph));
    assert_int_equal(clc_graph_build(c.graph), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "drop: dropout of 0.25 needs random numbers"));
    clc_graph_free(&c.graph);
    clc_params_release(&c.params, test_device());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sizes),
        cmocka_unit_test(each_number_of_the_counter_counts),
        cmocka_unit_test(as_many_are_dropped_as_asked_for),
        cmocka_unit_test(without_random_numbers),
    };
    return cmocka_run_group_tests_name("dropout", tests, NULL, test_close_device);
}
