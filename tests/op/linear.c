/* Linear layers of a graph against their reference: any sizes, bias and ReLU or not, each way of
 * computing products, one input with two layers. */
#include "harness.h"
#include "node_case.h"
#include "reference_linear.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double unit = 6e-8; /* rounding of a float, 2^-24 */

typedef struct linear_case {
    int n, inputs, outputs;
    bool bias, relu;
    clc_gemm_kind gemm;
    int layers; /* that read the same input */
    bool training;
} linear_case;

typedef struct layer_data {
    char name[16], weight_name[32], bias_name[32];
    float *weight, *bias, *dy;
    reference_linear reference;
    clc_tensor *out;
} layer_data;

static double *zeros(int count) {
    double *values = calloc((size_t)count, sizeof *values);
    assert_non_null(values);
    return values;
}

static void make_layer(const linear_case *c, int index, const double *x, double *dx,
                       layer_data *l) {
    const size_t weights = (size_t)(c->inputs * c->outputs), outputs = (size_t)c->outputs;
    const uint64_t seed = 10 * (uint64_t)index;
    snprintf(l->name, sizeof l->name, "fc%d", index);
    snprintf(l->weight_name, sizeof l->weight_name, "%s.weight", l->name);
    snprintf(l->bias_name, sizeof l->bias_name, "%s.bias", l->name);
    l->weight = test_random(weights, seed + 2);
    l->bias = test_random(outputs, seed + 3);
    l->dy = test_random((size_t)c->n * outputs, seed + 4);
    l->reference = (reference_linear){.n = c->n,
                                      .inputs = c->inputs,
                                      .outputs = c->outputs,
                                      .relu = c->relu,
                                      .x = x,
                                      .weight = node_case_widen(l->weight, weights),
                                      .bias = c->bias ? node_case_widen(l->bias, outputs) : NULL,
                                      .before = zeros(c->n * c->outputs),
                                      .y = zeros(c->n * c->outputs),
                                      .dx = dx,
                                      .dweight = zeros(c->inputs * c->outputs),
                                      .dbias = zeros(c->outputs)};
    reference_linear_forward(&l->reference);
    for (int i = 0; c->relu && i < c->n * c->outputs; i++)
        if (fabs(l->reference.before[i]) < 1e-4) /* rounding decides what ReLU does */
            l->dy[i] = 0;
    l->reference.dy = node_case_widen(l->dy, (size_t)c->n * outputs);
    reference_linear_backward(&l->reference);
}

static void free_layer(layer_data *l) {
    reference_linear *r = &l->reference;
    double *const doubles[] = {
        (double *)r->weight, (double *)r->bias, (double *)r->dy, r->before, r->y,
        r->dweight,          r->dbias};
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++)
        free(doubles[i]);
    free(l->weight);
    free(l->bias);
    free(l->dy);
}

static void run_layer(const linear_case *c, node_case *node, layer_data *l) {
    node_case_set_param(node, l->weight_name, l->weight);
    if (c->bias)
        node_case_set_param(node, l->bias_name, l->bias);
    if (c->training)
        node_case_set_grad(l->out, l->dy);
}

/* Terms are at most 1 and of random sign: partial sums of up to sqrt(k) err by sqrt(k) roundings.
 */
static double sum_tolerance(int terms) {
    return (terms + 2) * unit;
}

static void expect_layer(const linear_case *c, node_case *node, layer_data *l) {
    node_case_expect(node, l->out, l->reference.y, sum_tolerance(c->inputs + 1));
    if (!c->training)
        return;
    node_case_expect_param(node, l->weight_name, l->reference.dweight, sum_tolerance(c->n));
    if (c->bias)
        node_case_expect_param(node, l->bias_name, l->reference.dbias, sum_tolerance(c->n));
}

static void check(const linear_case *c) {
    node_case node;
    clc_tensor *in = NULL;
    layer_data layers[2];
    if (!test_affordable((double)c->layers * c->n * c->inputs * c->outputs))
        return;
    const size_t count = (size_t)(c->n * c->inputs);
    float *x = test_random(count, 1);
    double *wide = node_case_widen(x, count), *dx = zeros(c->n * c->inputs);
    node_case_begin(&node, c->training);
    node.graph->gemm = c->gemm;
    CHECK(clc_graph_input(node.graph, "x", clc_shape_rows(c->n, c->inputs), true, &in));
    for (int i = 0; i < c->layers; i++) {
        make_layer(c, i, wide, dx, &layers[i]);
        CHECK(clc_op_linear(node.graph, layers[i].name, in, c->outputs, c->bias, c->relu,
                            &layers[i].out));
    }
    node_case_build(&node);
    node_case_set(in, x);
    for (int i = 0; i < c->layers; i++)
        run_layer(c, &node, &layers[i]);
    node_case_forward(&node);
    if (c->training)
        node_case_backward(&node);
    for (int i = 0; i < c->layers; i++)
        expect_layer(c, &node, &layers[i]);
    if (c->training)
        node_case_expect_grad(&node, in, dx, sum_tolerance(c->layers * c->outputs));
    node_case_end(&node);
    for (int i = 0; i < c->layers; i++)
        free_layer(&layers[i]);
    free(x);
    free(wide);
    free(dx);
}

static const int sizes[][3] = {{1, 1, 1},    {5, 3, 7},      {2, 16, 8},   {13, 64, 48},
                               {33, 17, 33}, {129, 64, 128}, {300, 13, 10}};

static void all_sizes(clc_gemm_kind gemm) {
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const linear_case c = {.n = sizes[i][0],
                               .inputs = sizes[i][1],
                               .outputs = sizes[i][2],
                               .bias = i % 2 == 0,
                               .relu = i / 2 % 2 == 0,
                               .gemm = gemm,
                               .layers = 1,
                               .training = true};
        check(&c);
    }
}

static void products_by_the_own_kernel(void **state) {
    (void)state;
    all_sizes(CLC_GEMM_OWN);
}

static void products_by_clblast(void **state) {
    (void)state;
    const linear_case c = {13, 64, 48, true, true, CLC_GEMM_CLBLAST, 1, true};
    check(&c);
}

static void bias_and_relu_in_all_pairs(void **state) {
    (void)state;
    for (int pair = 0; pair < 8; pair++) {
        const linear_case c = {37, 24, 20, pair % 2, pair / 2 % 2, CLC_GEMM_AUTO, 1, pair / 4 == 0};
        check(&c);
    }
}

static void two_layers_add_their_gradients(void **state) {
    (void)state;
    for (int pair = 0; pair < 4; pair++) {
        const linear_case c = {37, 24, 20, pair % 2, pair / 2, CLC_GEMM_AUTO, 2, true};
        check(&c);
    }
}

/* Shares `l`, so forward writes y of l. */
static double loss_of(const reference_linear *l) {
    double loss = 0;
    reference_linear_forward(l);
    for (int i = 0; i < l->n * l->outputs; i++)
        loss += l->dy[i] * l->y[i];
    return loss;
}

static void check_differences(const reference_linear *l, const double *values, int count,
                              const double *gradient) {
    const double h = 1e-6;
    double *input = (double *)values;
    for (int i = 0; i < count; i++) {
        const double old = input[i];
        input[i] = old + h;
        const double above = loss_of(l);
        input[i] = old - h;
        const double below = loss_of(l);
        input[i] = old;
        /* Linear but for ReLU, which does not switch: only rounding, 1e-15 / h. */
        if (!(fabs((above - below) / (2 * h) - gradient[i]) <= 1e-8))
            fail_msg("element %d: gradient %g, difference %g", i, gradient[i],
                     (above - below) / (2 * h));
    }
}

static void reference_agrees_with_finite_differences(void **state) {
    (void)state;
    for (int pair = 0; pair < 4; pair++) {
        const linear_case c = {5, 3, 4, pair % 2, pair / 2, CLC_GEMM_AUTO, 1, true};
        layer_data l;
        float *x = test_random(15, 1);
        double *wide = node_case_widen(x, 15), *dx = zeros(15);
        make_layer(&c, 0, wide, dx, &l);
        check_differences(&l.reference, wide, 15, dx);
        check_differences(&l.reference, l.reference.weight, 12, l.reference.dweight);
        if (c.bias)
            check_differences(&l.reference, l.reference.bias, 4, l.reference.dbias);
        free_layer(&l);
        free(x);
        free(wide);
        free(dx);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_agrees_with_finite_differences),
        cmocka_unit_test(products_by_the_own_kernel),
        cmocka_unit_test(products_by_clblast),
        cmocka_unit_test(bias_and_relu_in_all_pairs),
        cmocka_unit_test(two_layers_add_their_gradients),
    };
    return cmocka_run_group_tests_name("linear", tests, NULL, test_close_device);
}
