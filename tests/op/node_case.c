#include "node_case.h"

#include <math.h>
#include <stdlib.h>

void node_case_begin(node_case *c, bool training) {
    *c = (node_case){0};
    CHECK(clc_graph_create(test_device(), &c->params, training, &c->graph));
}

double *node_case_widen(const float *values, size_t count) {
    double *wide = malloc(count * sizeof *wide);
    assert_non_null(wide);
    for (size_t i = 0; i < count; i++)
        wide[i] = (double)values[i];
    return wide;
}

static void poison_gradients(const node_case *c) {
    for (size_t i = 0; i < c->params.count; i++) {
        const clc_param *param = &c->params.items[i];
        const float nan = NAN;
        for (size_t k = 0; param->grad && k < param->count; k++)
            CHECK(clc_buffer_write(test_device(), param->grad, k * sizeof nan, sizeof nan, &nan));
    }
}

void node_case_build(node_case *c) {
    clc_graph *graph = c->graph;
    clc_params_layout(&c->params);
    CHECK(clc_params_allocate(&c->params, test_device(), graph->training, 1));
    if (graph->training)
        poison_gradients(c);
    CHECK(clc_graph_plan(graph));
    assert_true(graph->tensor_count <= NODE_CASE_TENSORS);
    for (size_t i = 0; i < graph->tensor_count; i++) {
        clc_tensor *tensor = graph->tensors[i];
        c->value[i] = test_buffer_make(tensor->name, NULL, tensor->count);
        tensor->value = c->value[i].mem;
        if (tensor->grad_slot < 0)
            continue;
        c->grad[i] = test_buffer_make(tensor->name, NULL, tensor->count);
        tensor->grad = c->grad[i].mem;
    }
    c->workspace = test_buffer_make("workspace", NULL, graph->workspace_bytes / sizeof(float));
    graph->workspace = c->workspace.mem;
    CHECK(clc_graph_build(graph));
}

void node_case_set(const clc_tensor *tensor, const float *values) {
    CHECK(
        clc_buffer_write(test_device(), tensor->value, 0, tensor->count * sizeof *values, values));
}

void node_case_set_grad(const clc_tensor *tensor, const float *values) {
    CHECK(clc_buffer_write(test_device(), tensor->grad, 0, tensor->count * sizeof *values, values));
}

static const clc_param *find_param(const node_case *c, const char *name) {
    const clc_param *param = clc_params_find(&c->params, name);
    if (!param)
        fail_msg("there is no parameter %s", name);
    return param;
}

void node_case_set_param(const node_case *c, const char *name, const float *values) {
    CHECK(clc_param_import(find_param(c, name), test_device(), values));
}

void node_case_forward(const node_case *c) {
    CHECK(clc_sequence_run(&c->graph->forward, test_device()));
    CHECK(clc_device_finish(test_device()));
}

void node_case_backward(const node_case *c) {
    CHECK(clc_sequence_run(&c->graph->backward, test_device()));
    CHECK(clc_device_finish(test_device()));
}

static double relative(const double *want, size_t count, double absolute) {
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(want[i]));
    return absolute / (largest > 0 ? largest : 1);
}

static size_t index_of(const node_case *c, const clc_tensor *tensor) {
    for (size_t i = 0; i < c->graph->tensor_count; i++)
        if (c->graph->tensors[i] == tensor)
            return i;
    fail_msg("tensor %s is not in the graph", tensor->name);
    return 0;
}

void node_case_expect(const node_case *c, const clc_tensor *tensor, const double *want,
                      double absolute) {
    test_expect(&c->value[index_of(c, tensor)], want, relative(want, tensor->count, absolute));
}

void node_case_expect_grad(const node_case *c, const clc_tensor *tensor, const double *want,
                           double absolute) {
    test_expect(&c->grad[index_of(c, tensor)], want, relative(want, tensor->count, absolute));
}

void node_case_expect_param(const node_case *c, const char *name, const double *want,
                            double absolute) {
    const clc_param *param = find_param(c, name);
    float *got = malloc(param->count * sizeof *got);
    assert_non_null(got);
    CHECK(clc_param_read(param, test_device(), param->grad, 0, got));
    bool close = test_close(name, got, want, param->count, relative(want, param->count, absolute));
    free(got);
    assert_true(close);
}

/* Optimizers run over the padding and rely on it being 0. */
static void check_padding(const node_case *c) {
    const clc_params *params = &c->params;
    float *all = malloc(params->trainable * sizeof *all);
    CHECK(clc_buffer_read(test_device(), params->grad, 0, params->trainable * sizeof *all, all));
    for (size_t i = 0; i < params->count; i++) {
        const clc_param *param = &params->items[i];
        for (size_t k = 0; clc_param_trainable(param) && k < param->count; k++)
            all[param->offset + k] = 0;
    }
    for (size_t i = 0; i < params->trainable; i++)
        assert_true(all[i] == 0.0f);
    free(all);
}

void node_case_end(node_case *c) {
    test_buffer *const sets[2] = {c->value, c->grad};
    if (c->params.grad)
        check_padding(c);
    for (size_t i = 0; i < 2 * NODE_CASE_TENSORS; i++) {
        test_buffer *buffer = &sets[i / NODE_CASE_TENSORS][i % NODE_CASE_TENSORS];
        if (buffer->whole && !test_buffer_intact(buffer))
            fail_msg("%s: written outside its %zu elements", buffer->name, buffer->count);
        test_buffer_release(buffer);
    }
    if (!test_buffer_intact(&c->workspace))
        fail_msg("workspace: written outside its %zu floats", c->workspace.count);
    test_buffer_release(&c->workspace);
    c->graph->workspace = NULL; /* was ours */
    clc_graph_free(&c->graph);
    clc_params_release(&c->params, test_device());
}
