/* Pooling of sequences against a plain-C reference: ragged lengths, each way, two readers. */
#include "harness.h"
#include "node_case.h"

#include <math.h>
#include <stdlib.h>

typedef struct pool_case {
    int n, steps, channels;
    clc_pooling pooling;
    bool ragged;
} pool_case;

static int length_of(const pool_case *c, int i) {
    return c->ragged ? 1 + (i * 5 + c->steps - 1) % c->steps : c->steps;
}

/* The weight of step t in channel j of the row. */
static double weight_of(const pool_case *c, int i, int t, int j) {
    const int length = length_of(c, i);
    const bool last =
        c->pooling == CLC_POOLING_LAST || (c->pooling == CLC_POOLING_ENDS && j < c->channels / 2);
    if (t >= length)
        return 0;
    if (c->pooling == CLC_POOLING_MEAN)
        return 1.0 / length;
    return t == (last ? length - 1 : 0);
}

/* y from x, dx from dy: linear. */
static void reference(const pool_case *c, const double *x, double *y, const double *dy,
                      double *dx) {
    for (int i = 0; i < c->n; i++)
        for (int j = 0; j < c->channels; j++) {
            y[i * c->channels + j] = 0;
            for (int t = 0; t < c->steps; t++) {
                const int at = (i * c->steps + t) * c->channels + j;
                y[i * c->channels + j] += weight_of(c, i, t, j) * x[at];
                dx[at] = weight_of(c, i, t, j) * dy[i * c->channels + j];
            }
        }
}

static void check(const pool_case *c, int readers) {
    const size_t count = (size_t)(c->n * c->steps * c->channels),
                 outputs = (size_t)(c->n * c->channels);
    float *x = test_random(count, 1), *dy = test_random(outputs, 2);
    double *wide = node_case_widen(x, count), *wide_dy = node_case_widen(dy, outputs);
    double *y = malloc(outputs * sizeof *y), *dx = malloc(count * sizeof *dx);
    int *lengths = malloc((size_t)c->n * sizeof *lengths);
    node_case node;
    clc_tensor *in = NULL, *given = NULL, *out[2];
    reference(c, wide, y, wide_dy, dx);
    for (int i = 0; i < c->n; i++)
        lengths[i] = length_of(c, i);
    for (size_t i = 0; i < count; i++)
        dx[i] *= readers;
    node_case_begin(&node, true);
    CHECK(clc_graph_input(node.graph, "x",
                          (clc_shape){CLC_TYPE_FLOAT32, 3, {c->n, c->steps, c->channels}}, true,
                          &in));
    if (c->ragged)
        CHECK(clc_graph_input(node.graph, "lengths", (clc_shape){CLC_TYPE_INT32, 1, {c->n}}, false,
                              &given));
    for (int i = 0; i < readers; i++)
        CHECK(clc_op_pool_tokens(node.graph, "pool", in, given, c->pooling, &out[i]));
    node_case_build(&node);
    node_case_set(in, x);
    if (given)
        node_case_set(given, (const float *)lengths);
    for (int i = 0; i < readers; i++)
        node_case_set_grad(out[i], dy);
    node_case_forward(&node);
    node_case_backward(&node);
    /* Sums of `steps` values up to 1, divided by as many. */
    for (int i = 0; i < readers; i++)
        node_case_expect(&node, out[i], y, (c->steps + 2) * 6e-8);
    node_case_expect_grad(&node, in, dx, 3e-7);
    node_case_end(&node);
    free(x);
    free(dy);
    free(wide);
    free(wide_dy);
    free(y);
    free(dx);
    free(lengths);
}

static const int sizes[][3] = {{1, 1, 1}, {5, 7, 3}, {17, 4, 32}, {3, 9, 26}, {70, 2, 6}};

static void every_size_and_way(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int pooling = CLC_POOLING_MEAN; pooling <= CLC_POOLING_ENDS; pooling++) {
            const pool_case c = {sizes[i][0], sizes[i][1], sizes[i][2], (clc_pooling)pooling,
                                 i % 2 == 1};
            check(&c, 1);
        }
}

static void two_readers_add_their_gradients(void **state) {
    (void)state;
    for (int pooling = CLC_POOLING_MEAN; pooling <= CLC_POOLING_LAST; pooling++) {
        const pool_case c = {5, 7, 6, (clc_pooling)pooling, true};
        check(&c, 2);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_and_way),
        cmocka_unit_test(two_readers_add_their_gradients),
    };
    return cmocka_run_group_tests_name("pool_tokens", tests, NULL, test_close_device);
}
