#include "core/math.h"
#include "op/elementwise.h"
#include "op/attr.h"
#include "op/ops.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

/* y (n,k) = x (n,c) W (c,k) + b [+ residual]; dx = d W^T, dW = x^T d, db = column sums of d, where
 * d is dy behind the ReLU's mask, which `saved` (n,k) holds then; the residual's gradient is dy. */

enum { WEIGHT, BIAS };
enum { X, RESIDUAL };

static const clc_linear_attr *attr_of(const clc_node *node) {
    return node->attr;
}

static clc_tensor *residual_of(const clc_node *node) {
    return node->in_count > RESIDUAL ? node->in[RESIDUAL] : NULL;
}

static bool has_tail(const clc_node *node) {
    return attr_of(node)->bias || attr_of(node)->relu || residual_of(node);
}

/* Below which results are cut off. */
static clc_arg floor_of(const clc_node *node) {
    return CLC_FLOAT(attr_of(node)->relu ? 0.0f : -INFINITY);
}

static clc_status plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    const clc_linear_attr *attr = node->attr;
    (void)graph;
    *needs = (clc_needs){.out = clc_shape_channels(node->in[X]->shape, attr->outputs),
                         .keeps_in = {true},
                         .keeps_out = attr->relu};
    assert(!residual_of(node) || !attr->relu);
    if (node->gradients && attr->relu)
        needs->saved = clc_shape_rows(clc_tensor_rows(node->in[X]), attr->outputs);
    return CLC_OK;
}

static clc_gemm forward_gemm(const clc_graph *graph, const clc_node *node) {
    return (clc_gemm){.m = (size_t)clc_tensor_rows(node->in[0]),
                      .n = (size_t)clc_tensor_channels(node->out),
                      .k = (size_t)clc_tensor_channels(node->in[0]),
                      .a = node->in[0]->value,
                      .b = clc_node_param(graph, node, 0)->value,
                      .c = node->out->value};
}

static clc_gemm data_gemm(const clc_graph *graph, const clc_node *node, cl_mem d) {
    return (clc_gemm){.transpose_b = true,
                      .m = (size_t)clc_tensor_rows(node->in[0]),
                      .n = (size_t)clc_tensor_channels(node->in[0]),
                      .k = (size_t)clc_tensor_channels(node->out),
                      .a = d,
                      .b = clc_node_param(graph, node, 0)->value,
                      .c = node->in[0]->grad};
}

static clc_gemm weight_gemm(const clc_graph *graph, const clc_node *node, cl_mem d) {
    return (clc_gemm){.transpose_a = true,
                      .m = (size_t)clc_tensor_channels(node->in[0]),
                      .n = (size_t)clc_tensor_channels(node->out),
                      .k = (size_t)clc_tensor_rows(node->in[0]),
                      .a = node->in[0]->value,
                      .b = d,
                      .c = clc_node_param(graph, node, 0)->grad};
}

/* Partial sums of the bias's gradient (groups,k) stand there before the products of backward do. */
static size_t workspace(const clc_graph *graph, const clc_node *node) {
    const clc_gemm gemms[3] = {forward_gemm(graph, node), data_gemm(graph, node, NULL),
                               weight_gemm(graph, node, NULL)};
    size_t largest = node->gradients && attr_of(node)->bias
                         ? graph->device->groups * (size_t)attr_of(node)->outputs * sizeof(float)
                         : 0;
    for (int i = 0; i < (node->gradients ? 3 : 1); i++) {
        size_t bytes = clc_gemm_workspace(graph->device, graph->gemm, &gemms[i]);
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

typedef struct tail_build {
    char options[64];
    clc_launch_spec spec;
} tail_build;

static void begin(tail_build *b, const clc_graph *graph, const clc_node *node, const char *kernel,
                  size_t groups) {
    const clc_tensor *y = node->out;
    const int channels = clc_tensor_channels(y);
    snprintf(b->options, sizeof b->options, "-DK=%d -DVW=%u", channels,
             clc_item_width(graph->device, (size_t)channels));
    b->spec = (clc_launch_spec){.source = "op/linear.cl",
                                .kernel = kernel,
                                .options = b->options,
                                .groups = {groups},
                                .local = {graph->device->group_size},
                                .layer = node->layer,
                                .flops = (double)y->count,
                                .bytes = 8.0 * (double)y->count};
}

static clc_status forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    clc_gemm gemm = forward_gemm(graph, node);
    const clc_tensor *residual = residual_of(node);
    const bool has_bias = attr_of(node)->bias;
    const bool adds_tail = clc_gemm_adds_tail(graph->device, graph->gemm, &gemm);
    cl_mem y = node->out->value, bias = has_bias ? clc_node_param(graph, node, BIAS)->value : y;
    tail_build b;
    if (adds_tail) {
        gemm.bias = has_bias ? bias : NULL;
        gemm.residual = residual ? residual->value : NULL;
        gemm.relu = attr_of(node)->relu;
    }
    CLC_TRY(clc_gemm_build(sequence, graph->device, graph->gemm, &gemm, graph->workspace,
                           "linear_forward", node->layer));
    if (!has_tail(node) || adds_tail)
        return CLC_OK;
    begin(&b, graph, node, "linear_bias", graph->device->groups);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(y), CLC_MEM(bias),
                       CLC_MEM(residual ? residual->value : y), CLC_INT(clc_tensor_rows(node->out)),
                       CLC_INT(has_bias), CLC_INT(residual != NULL), floor_of(node)));
fail:
    return status;
}

/* Masks the gradient into `saved` where there is a ReLU, and reduces the bias's. */
static clc_status tail_backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const bool relu = attr_of(node)->relu, has_bias = attr_of(node)->bias;
    const size_t groups = graph->device->groups;
    cl_mem dy = node->out->grad;
    tail_build b;
    if (!relu && !has_bias)
        return CLC_OK;
    begin(&b, graph, node, "linear_bias_backward", groups);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(relu ? node->out->value : dy),
                       CLC_MEM(dy), CLC_MEM(relu ? node->saved->value : graph->workspace),
                       CLC_MEM(has_bias ? graph->workspace : node->saved->value),
                       CLC_INT(clc_tensor_rows(node->out)), CLC_INT(relu), CLC_INT(has_bias)));
    if (has_bias) {
        const size_t channels = (size_t)clc_tensor_channels(node->out);
        const size_t vectors = channels / clc_item_width(graph->device, channels);
        begin(&b, graph, node, "linear_bias_merge",
              clc_ceil_div(vectors, graph->device->group_size));
        CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(graph->workspace),
                           CLC_MEM(clc_node_param(graph, node, BIAS)->grad), CLC_INT(groups)));
    }
fail:
    return status;
}

static clc_status backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const clc_tensor *residual = residual_of(node);
    cl_mem d = attr_of(node)->relu ? node->saved->value : node->out->grad;
    CLC_TRY(tail_backward(graph, node, sequence));
    if (residual && residual->wants_grad)
        CLC_TRY(clc_pass_gradient(sequence, graph->device, node->out, residual,
                                  node->adds[RESIDUAL], node->layer));
    if (node->in[X]->wants_grad) {
        clc_gemm gemm = data_gemm(graph, node, d);
        gemm.accumulate = node->adds[X];
        CLC_TRY(clc_gemm_build(sequence, graph->device, graph->gemm, &gemm, graph->workspace,
                               "linear_backward_data", node->layer));
    }
    const clc_gemm gemm = weight_gemm(graph, node, d);
    CLC_TRY(clc_gemm_build(sequence, graph->device, graph->gemm, &gemm, graph->workspace,
                           "linear_backward_weights", node->layer));
fail:
    return status;
}

static const clc_op linear = {"linear", sizeof(clc_linear_attr), plan, workspace, forward,
                              backward};

clc_status clc_op_linear_as(clc_graph *graph, const clc_linear *l, clc_tensor *in,
                            clc_tensor **out) {
    clc_status status = CLC_OK;
    const int side = l->window ? l->window : 1, inputs = clc_tensor_channels(in);
    const int matrix[2] = {inputs, l->outputs};
    const int window[4] = {side, side, inputs / (side * side), l->outputs};
    const bool conv = l->kind == CLC_PARAM_CONV_WEIGHT;
    const clc_linear_attr attr = {l->outputs, l->bias != NULL, l->relu};
    clc_node node = {
        .op = &linear, .in = {in, l->residual}, .in_count = l->residual ? 2 : 1, .attr = &attr};
    CLC_TRY(clc_graph_param(graph, l->layer, &node, l->weight, l->kind, conv ? 4 : 2,
                            conv ? window : matrix));
    graph->params->items[node.params[WEIGHT]].deviation = l->deviation;
    if (l->bias)
        CLC_TRY(clc_graph_param(graph, l->layer, &node, l->bias, CLC_PARAM_LINEAR_BIAS, 1,
                                &l->outputs));
    CLC_TRY(clc_graph_node(graph, l->layer, &node, out));
fail:
    return status;
}

clc_status clc_op_linear(clc_graph *graph, const char *layer, clc_tensor *in, int outputs,
                         bool bias, bool relu, clc_tensor **out) {
    const clc_linear l = {.layer = layer,
                          .weight = "weight",
                          .bias = bias ? "bias" : NULL,
                          .kind = CLC_PARAM_LINEAR_WEIGHT,
                          .outputs = outputs,
                          .relu = relu};
    return clc_op_linear_as(graph, &l, in, out);
}
