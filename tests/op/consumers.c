/* A tensor that several nodes read gets the sum of their gradients, whichever op they are: each op
 * can write a gradient and add to one. */
#include "harness.h"
#include "node_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A sum of two float32 gradients is rounded once; a gradient that is lost, or counted twice, is as
 * large as the sum. */
static const double tolerance = 3e-7;

enum { N = 4, H = 5, W = 6, C = 8 };

typedef clc_status (*append)(clc_graph *graph, const char *layer, clc_tensor *x, clc_tensor **y);

static clc_status conv(clc_graph *graph, const char *layer, clc_tensor *x, clc_tensor **y) {
    return clc_op_conv2d(graph, layer, x, 7, 3, 1, 1, y);
}

static clc_status strided(clc_graph *graph, const char *layer, clc_tensor *x, clc_tensor **y) {
    return clc_op_conv2d(graph, layer, x, 16, 3, 2, 1, y);
}

static clc_status batchnorm(clc_graph *graph, const char *layer, clc_tensor *x, clc_tensor **y) {
    return clc_op_batchnorm(graph, layer, x, NULL, true, y);
}

/* Another input "<layer>.other", whose gradient must not suffer. */
static clc_status add_other(clc_graph *graph, const char *layer, clc_tensor **other) {
    char name[64];
    snprintf(name, sizeof name, "%s.other", layer);
    return clc_graph_input(graph, name, clc_shape_images(N, H, W, C), true, other);
}

static clc_status with_residual(clc_graph *graph, const char *layer, clc_tensor *x,
                                clc_tensor **y) {
    clc_tensor *other = NULL;
    CHECK(add_other(graph, layer, &other));
    return clc_op_batchnorm(graph, layer, x, other, true, y);
}

static clc_status as_residual(clc_graph *graph, const char *layer, clc_tensor *x, clc_tensor **y) {
    clc_tensor *other = NULL;
    CHECK(add_other(graph, layer, &other));
    return clc_op_batchnorm(graph, layer, other, x, true, y);
}

static clc_status as_both(clc_graph *graph, const char *layer, clc_tensor *x, clc_tensor **y) {
    return clc_op_batchnorm(graph, layer, x, x, true, y);
}

static clc_status linear(clc_graph *graph, const char *layer, clc_tensor *x, clc_tensor **y) {
    return clc_op_linear(graph, layer, x, 9, true, true, y);
}

static clc_status maximum(clc_graph *graph, const char *layer, clc_tensor *x, clc_tensor **y) {
    return clc_op_maxpool(graph, layer, x, 3, 2, 1, y);
}

static clc_status mean(clc_graph *graph, const char *layer, clc_tensor *x, clc_tensor **y) {
    return clc_op_avgpool(graph, layer, x, y);
}

static clc_status prototypes(clc_graph *graph, const char *layer, clc_tensor *x, clc_tensor **y) {
    return clc_op_prototypes(graph, layer, x, 11, y);
}

static clc_status layernorm(clc_graph *graph, const char *layer, clc_tensor *x, clc_tensor **y) {
    return clc_op_layernorm(graph, layer, x, 1e-5f, y);
}

static clc_status gelu(clc_graph *graph, const char *layer, clc_tensor *x, clc_tensor **y) {
    return clc_op_gelu(graph, layer, x, false, y);
}

static clc_status linear_residual(clc_graph *graph, const char *layer, clc_tensor *x,
                                  clc_tensor **y) {
    clc_tensor *other = NULL;
    CHECK(add_other(graph, layer, &other));
    const clc_linear l = {
        .layer = layer, .weight = "weight", .kind = CLC_PARAM_TABLE, .outputs = C, .residual = x};
    return clc_op_linear_as(graph, &l, other, y);
}

static clc_status patches(clc_graph *graph, const char *layer, clc_tensor *x, clc_tensor **y) {
    return clc_op_patches(graph, layer, x, 1, y);
}

/* Through ops that take sequences. */
static clc_status sequence(clc_graph *graph, const char *layer, clc_tensor *x, clc_tensor **y) {
    const clc_positions positions = {.name = "positions", .rank = 2, .rows = H * W + 1};
    const clc_attention settings = {.heads = 2};
    clc_tensor *steps = NULL, *sum = NULL;
    char qkv[64];
    const clc_linear l = {
        .layer = qkv, .weight = "weight", .kind = CLC_PARAM_LINEAR_WEIGHT, .outputs = 3 * C};
    snprintf(qkv, sizeof qkv, "%s.qkv", layer);
    CHECK(clc_op_patches(graph, layer, x, 1, &steps));
    CHECK(clc_op_class_token(graph, layer, "token", steps, y));
    CHECK(clc_op_position(graph, layer, &positions, *y, &sum));
    CHECK(clc_op_linear_as(graph, &l, sum, y));
    CHECK(clc_op_attention(graph, layer, &settings, *y, NULL, y));
    const clc_linear out = {.layer = layer,
                            .weight = "out",
                            .bias = "bias",
                            .kind = CLC_PARAM_LINEAR_WEIGHT,
                            .outputs = C,
                            .residual = sum};
    return clc_op_linear_as(graph, &out, *y, y);
}

static const struct {
    const char *name;
    append append;
} ops[] = {{"conv2d", conv},
           {"conv2d with stride 2", strided},
           {"batchnorm", batchnorm},
           {"batchnorm with a residual", with_residual},
           {"batchnorm's residual", as_residual},
           {"batchnorm and its residual", as_both},
           {"linear", linear},
           {"maxpool", maximum},
           {"avgpool", mean},
           {"prototypes", prototypes},
           {"layernorm", layernorm},
           {"gelu", gelu},
           {"linear's residual", linear_residual},
           {"patches", patches},
           {"a transformer's layers", sequence}};
enum { OPS = sizeof ops / sizeof *ops };

/* The same numbers for the same name. */
static float *numbers_of(const char *name, size_t count) {
    uint64_t seed = 1;
    for (const char *c = name; *c; c++)
        seed = seed * 31 + (uint64_t)*c;
    return test_random(count, seed);
}

static clc_tensor *find(const clc_graph *graph, const char *name) {
    for (size_t i = 0; i < graph->tensor_count; i++)
        if (!strcmp(graph->tensors[i]->name, name))
            return graph->tensors[i];
    return NULL;
}

/* All inputs hold the same numbers, parameters those of their names. */
static void fill(const node_case *c) {
    for (size_t i = 0; i < c->graph->tensor_count; i++) {
        const clc_tensor *tensor = c->graph->tensors[i];
        float *values = numbers_of("x", tensor->count);
        if (tensor->producer < 0)
            node_case_set(tensor, values);
        free(values);
    }
    for (size_t i = 0; i < c->params.count; i++) {
        const clc_param *param = &c->params.items[i];
        float *values = numbers_of(param->name, param->count);
        CHECK(clc_param_import(param, test_device(), values));
        free(values);
    }
}

/* The gradient of tensor `of` where x is read by an op as each of the layers (NULL: by none), and,
 * if `exposed`, by a loss as well. */
static float *gradient(append first, append second, bool exposed, const char *of) {
    const append readers[2] = {first, second};
    static const char *const layers[2] = {"a", "b"};
    node_case c;
    clc_tensor *x = NULL, *y[2] = {NULL, NULL};
    node_case_begin(&c, true);
    CHECK(clc_graph_input(c.graph, "x", clc_shape_images(N, H, W, C), true, &x));
    for (int i = 0; i < 2; i++)
        if (readers[i])
            CHECK(readers[i](c.graph, layers[i], x, &y[i]));
    if (exposed)
        clc_graph_expose(x, true);
    node_case_build(&c);
    fill(&c);
    node_case_forward(&c);
    float *loss = numbers_of("loss", x->count);
    if (exposed)
        node_case_set_grad(x, loss);
    free(loss);
    for (int i = 0; i < 2; i++)
        if (y[i]) {
            float *dy = numbers_of(layers[i], y[i]->count);
            node_case_set_grad(y[i], dy);
            free(dy);
        }
    node_case_backward(&c);
    const clc_tensor *wanted = find(c.graph, of);
    assert_non_null(wanted);
    float *result = malloc(wanted->count * sizeof *result);
    assert_non_null(result);
    CHECK(clc_buffer_read(test_device(), wanted->grad, 0, wanted->count * sizeof *result, result));
    node_case_end(&c);
    return result;
}

static void expect_sum(const char *what, float *got, float *a, float *b) {
    enum { COUNT = N * H * W * C };
    double want[COUNT];
    for (int i = 0; i < COUNT; i++)
        want[i] = (double)a[i] + (b ? (double)b[i] : 0);
    if (!test_close(what, got, want, COUNT, tolerance))
        fail_msg("%s", what);
    free(got);
    free(a);
    free(b);
}

/* Backward comes to layer b first: it writes, layer a adds. */
static void two_readers(void **state) {
    (void)state;
    for (int first = 0; first < OPS; first++)
        for (int second = 0; second < OPS; second++) {
            char what[96];
            if (first != second && first && second)
                continue; /* with itself, and with a convolution in either order */
            const append a = ops[first].append, b = ops[second].append;
            snprintf(what, sizeof what, "%s, then %s", ops[second].name, ops[first].name);
            expect_sum(what, gradient(a, b, false, "x"), gradient(a, NULL, false, "x"),
                       gradient(NULL, b, false, "x"));
        }
}

/* Batch-norm's other input, too, where its residual's gradient is a sum. */
static void other_inputs_keep_theirs(void **state) {
    (void)state;
    const append both[2] = {with_residual, as_residual};
    for (int i = 0; i < 2; i++) {
        expect_sum("a.other", gradient(both[i], both[i], false, "a.other"),
                   gradient(both[i], NULL, false, "a.other"), NULL);
        expect_sum("b.other", gradient(both[i], both[i], false, "b.other"),
                   gradient(NULL, both[i], false, "b.other"), NULL);
    }
}

static clc_status with_constant(clc_graph *graph, const char *layer, clc_tensor *x,
                                clc_tensor **y) {
    clc_tensor *constant = NULL;
    (void)layer;
    CHECK(clc_graph_input(graph, "constant", clc_shape_images(N, H, W, C), false, &constant));
    return clc_op_batchnorm(graph, "a", x, constant, true, y);
}

static void a_residual_without_gradient(void **state) {
    (void)state;
    expect_sum("x beside a constant", gradient(with_constant, NULL, false, "x"),
               gradient(with_residual, NULL, false, "x"), NULL);
}

static void a_loss_and_a_reader(void **state) {
    (void)state;
    for (int i = 0; i < OPS; i++)
        expect_sum(ops[i].name, gradient(ops[i].append, NULL, true, "x"),
                   gradient(ops[i].append, NULL, false, "x"), numbers_of("loss", N * H * W * C));
}

/* The other input holds x's values, too: by their gradients as two tensors. */
static void one_tensor_as_both_inputs(void **state) {
    (void)state;
    expect_sum("x as input and residual", gradient(as_both, NULL, false, "x"),
               gradient(with_residual, NULL, false, "x"),
               gradient(with_residual, NULL, false, "a.other"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_readers),
        cmocka_unit_test(other_inputs_keep_theirs),
        cmocka_unit_test(one_tensor_as_both_inputs),
        cmocka_unit_test(a_residual_without_gradient),
        cmocka_unit_test(a_loss_and_a_reader),
    };
    return cmocka_run_group_tests_name("consumers", tests, NULL, test_close_device);
}
