/* 1-D convolution against a plain-C reference: strides, padding, dilation, ragged lengths, ReLU. */
#include "harness.h"
#include "node_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct conv_case {
    int n, steps, channels;
    clc_conv1d s;
    bool ragged;
    int readers;
} conv_case;

typedef struct conv_data {
    const conv_case *c;
    int outputs;
    double *x, *weight /* (filters,channels,kernel) */, *bias, *y, *dy, *dx, *dweight, *dbias;
} conv_data;

static int length_of(const conv_case *c, int i) {
    return c->ragged ? 1 + (i * 5 + c->steps - 1) % c->steps : c->steps;
}

static int outputs_of(const conv_case *c) {
    return (c->steps + 2 * c->s.pad - (c->s.kernel - 1) * c->s.dilation - 1) / c->s.stride + 1;
}

/* Where tap k of output t of sample i reads, or -1 outside. */
static int input_of(const conv_case *c, int i, int t, int k) {
    const int step = t * c->s.stride - c->s.pad + k * c->s.dilation;
    return step < 0 || step >= length_of(c, i) ? -1 : (i * c->steps + step) * c->channels;
}

static void forward(const conv_data *d) {
    const conv_case *c = d->c;
    for (int row = 0; row < c->n * d->outputs; row++)
        for (int f = 0; f < c->s.filters; f++) {
            double sum = d->bias[f];
            for (int k = 0; k < c->s.kernel; k++) {
                const int at = input_of(c, row / d->outputs, row % d->outputs, k);
                for (int j = 0; j < c->channels && at >= 0; j++)
                    sum += d->x[at + j] * d->weight[(f * c->channels + j) * c->s.kernel + k];
            }
            d->y[row * c->s.filters + f] = c->s.relu && sum < 0 ? 0 : sum;
        }
}

/* Adds to the gradients. */
static void backward(const conv_data *d) {
    const conv_case *c = d->c;
    for (int row = 0; row < c->n * d->outputs; row++)
        for (int f = 0; f < c->s.filters; f++) {
            const int out = row * c->s.filters + f;
            const double dy = c->s.relu && d->y[out] <= 0 ? 0 : d->dy[out];
            d->dbias[f] += dy;
            for (int k = 0; k < c->s.kernel; k++) {
                const int at = input_of(c, row / d->outputs, row % d->outputs, k);
                for (int j = 0; j < c->channels && at >= 0; j++) {
                    const int w = (f * c->channels + j) * c->s.kernel + k;
                    d->dx[at + j] += dy * d->weight[w];
                    d->dweight[w] += dy * d->x[at + j];
                }
            }
        }
}

enum { X, WEIGHT, BIAS, DY, VALUES };

static size_t value_count(const conv_case *c, int which) {
    const clc_conv1d *s = &c->s;
    const int counts[VALUES] = {c->n * c->steps * c->channels, s->filters * c->channels * s->kernel,
                                s->filters, c->n * outputs_of(c) * s->filters};
    return (size_t)counts[which];
}

static double *zeros(size_t count) {
    double *values = calloc(count, sizeof *values);
    assert_non_null(values);
    return values;
}

static conv_data make(const conv_case *c, float *values[VALUES]) {
    for (int i = 0; i < VALUES; i++)
        values[i] = test_random(value_count(c, i), (uint64_t)i + 1);
    conv_data d = {.c = c,
                   .outputs = outputs_of(c),
                   .x = node_case_widen(values[X], value_count(c, X)),
                   .weight = node_case_widen(values[WEIGHT], value_count(c, WEIGHT)),
                   .bias = node_case_widen(values[BIAS], value_count(c, BIAS)),
                   .y = zeros(value_count(c, DY)),
                   .dx = zeros(value_count(c, X)),
                   .dweight = zeros(value_count(c, WEIGHT)),
                   .dbias = zeros(value_count(c, BIAS))};
    forward(&d);
    for (size_t i = 0; i < value_count(c, DY); i++)
        if (c->s.relu && fabs(d.y[i]) < 1e-4) /* rounding decides what ReLU does */
            values[DY][i] = 0;
    d.dy = node_case_widen(values[DY], value_count(c, DY));
    backward(&d);
    return d;
}

static void free_data(conv_data *d, float *values[VALUES]) {
    double *const all[] = {d->x, d->weight, d->bias, d->y, d->dy, d->dx, d->dweight, d->dbias};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    for (int i = 0; i < VALUES; i++)
        free(values[i]);
}

static void run(const conv_case *c, const conv_data *d, float *values[VALUES]) {
    static const char *const names[2][3] = {{"a", "a.weight", "a.bias"},
                                            {"b", "b.weight", "b.bias"}};
    int lengths[128];
    node_case node;
    clc_tensor *in = NULL, *given = NULL, *out[2];
    node_case_begin(&node, true);
    CHECK(clc_graph_input(node.graph, "x",
                          (clc_shape){CLC_TYPE_FLOAT32, 3, {c->n, c->steps, c->channels}}, true,
                          &in));
    if (c->ragged)
        CHECK(clc_graph_input(node.graph, "lengths", (clc_shape){CLC_TYPE_INT32, 1, {c->n}}, false,
                              &given));
    for (int i = 0; i < c->readers; i++)
        CHECK(clc_op_conv1d(node.graph, names[i][0], in, given, &c->s, &out[i]));
    node_case_build(&node);
    node_case_set(in, values[X]);
    for (int i = 0; i < c->n; i++)
        lengths[i] = length_of(c, i);
    if (given)
        node_case_set(given, (const float *)lengths);
    for (int i = 0; i < c->readers; i++) {
        node_case_set_param(&node, names[i][1], values[WEIGHT]);
        node_case_set_param(&node, names[i][2], values[BIAS]);
        node_case_set_grad(out[i], values[DY]);
    }
    node_case_forward(&node);
    node_case_backward(&node);
    /* Terms are at most 1 and of either sign. */
    const double unit = 6e-8;
    for (int i = 0; i < c->readers; i++) {
        node_case_expect(&node, out[i], d->y, (c->s.kernel * c->channels + 3) * unit);
        node_case_expect_param(&node, names[i][1], d->dweight, (c->n * d->outputs + 2) * unit);
        node_case_expect_param(&node, names[i][2], d->dbias, (c->n * d->outputs + 2) * unit);
    }
    for (size_t i = 0; i < value_count(c, X); i++)
        d->dx[i] *= c->readers;
    node_case_expect_grad(&node, in, d->dx, (c->readers * c->s.kernel * c->s.filters + 2) * unit);
    node_case_end(&node);
}

/* n, steps, channels, {filters, kernel, stride, pad, dilation, relu}, ragged, readers. */
static const conv_case cases[] = {
    {1, 1, 1, {1, 1, 1, 0, 1, false}, false, 1},  {3, 17, 5, {6, 3, 1, 1, 1, true}, false, 1},
    {2, 18, 5, {7, 5, 2, 0, 1, false}, true, 1},  {5, 13, 16, {32, 3, 1, 4, 4, true}, true, 1},
    {70, 3, 4, {3, 3, 2, 2, 2, false}, false, 1}, {4, 9, 8, {8, 3, 1, 2, 2, true}, true, 2},
};

static void every_window(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float *values[VALUES];
        if (!test_affordable(3.0 * (double)value_count(&cases[i], DY) * cases[i].s.kernel *
                             cases[i].channels))
            continue;
        conv_data d = make(&cases[i], values);
        run(&cases[i], &d, values);
        free_data(&d, values);
    }
}

/* The input of which one window makes more than the matrix that is made at a time: several
 * products. */
static void more_than_fits_at_once(void **state) {
    const conv_case c = {7, 300, 64, {1, 100, 1, 0, 1, false}, true, 1};
    float *values[VALUES];
    (void)state;
    if (!test_affordable(1e8))
        return;
    conv_data d = make(&c, values);
    run(&c, &d, values);
    free_data(&d, values);
}

static double loss_of(const conv_data *d) {
    double loss = 0;
    forward(d);
    for (size_t i = 0; i < value_count(d->c, DY); i++)
        loss += d->dy[i] * d->y[i];
    return loss;
}

static void reference_agrees_with_finite_differences(void **state) {
    const conv_case c = {2, 9, 3, {4, 3, 2, 2, 2, true}, true, 1};
    const double h = 1e-6;
    float *all[VALUES];
    conv_data d = make(&c, all);
    double *const values[] = {d.x, d.weight, d.bias}, *const grads[] = {d.dx, d.dweight, d.dbias};
    (void)state;
    for (int which = X; which <= BIAS; which++)
        for (size_t i = 0; i < value_count(&c, which); i++) {
            const double old = values[which][i];
            values[which][i] = old + h;
            const double above = loss_of(&d);
            values[which][i] = old - h;
            const double below = loss_of(&d);
            values[which][i] = old;
            /* Linear but for ReLU, which does not switch: only rounding, 1e-15 / h. */
            assert_true(fabs((above - below) / (2 * h) - grads[which][i]) <= 1e-8);
        }
    free_data(&d, all);
}

static void a_window_that_does_not_fit(void **state) {
    const clc_conv1d s = {4, 3, 1, 0, 4, false};
    node_case node;
    clc_tensor *in = NULL, *out = NULL;
    (void)state;
    node_case_begin(&node, false);
    CHECK(
        clc_graph_input(node.graph, "x", (clc_shape){CLC_TYPE_FLOAT32, 3, {2, 8, 3}}, false, &in));
    assert_int_equal(clc_op_conv1d(node.graph, "conv", in, NULL, &s, &out), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "conv1d conv: its output would be 2 x 0 x 4"));
    clc_graph_free(&node.graph);
    clc_params_release(&node.params, test_device());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_agrees_with_finite_differences),
        cmocka_unit_test(every_window),
        cmocka_unit_test(more_than_fits_at_once),
        cmocka_unit_test(a_window_that_does_not_fit),
    };
    return cmocka_run_group_tests_name("conv1d", tests, NULL, test_close_device);
}
