#include "core/math.h"
#include "op/ops.h"

#include <math.h>
#include <stdio.h>

/* y (n,k) = x (n,c) W (c,k) + b; dx = d W^T, dW = x^T d, db = column sums of d, where d is dy
 * behind the ReLU's mask. `saved` holds d (n,k) and the partial column sums (groups,k). */

typedef struct linear_attr {
    int outputs;
    bool bias, relu;
} linear_attr;

static bool has_bias(const clc_node *node) {
    return ((const linear_attr *)node->attr)->bias;
}

static bool has_tail(const clc_node *node) {
    const linear_attr *attr = node->attr;
    return attr->bias || attr->relu;
}

/* Below which results are cut off. */
static clc_arg floor_of(const clc_node *node) {
    return CLC_FLOAT(((const linear_attr *)node->attr)->relu ? 0.0f : -INFINITY);
}

/* The output's mask is read behind a ReLU; `saved` holds d and the partial sums. */
static clc_status plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    const linear_attr *attr = node->attr;
    const int rows = clc_tensor_rows(node->in[0]);
    *needs = (clc_needs){.out = clc_shape_channels(node->in[0]->shape, attr->outputs),
                         .keeps_in = {true},
                         .keeps_out = has_tail(node)};
    if (graph->gradients && has_tail(node))
        needs->saved = clc_shape_rows(rows + (int)graph->device->groups, attr->outputs);
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

static size_t workspace(const clc_graph *graph, const clc_node *node) {
    const clc_gemm gemms[3] = {forward_gemm(graph, node), data_gemm(graph, node, NULL),
                               weight_gemm(graph, node, NULL)};
    size_t largest = 0;
    for (int i = 0; i < (graph->gradients ? 3 : 1); i++) {
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
    const clc_gemm gemm = forward_gemm(graph, node);
    tail_build b;
    CLC_TRY(clc_gemm_build(sequence, graph->device, graph->gemm, &gemm, graph->workspace,
                           "linear_forward", node->layer));
    if (!has_tail(node))
        return CLC_OK;
    begin(&b, graph, node, "linear_bias", graph->device->groups);
    cl_mem bias = has_bias(node) ? clc_node_param(graph, node, 1)->value : node->out->value;
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->out->value), CLC_MEM(bias),
                       CLC_INT(clc_tensor_rows(node->out)), CLC_INT(has_bias(node)),
                       floor_of(node)));
fail:
    return status;
}

/* Masks the gradient into `saved` and reduces the bias's. */
static clc_status tail_backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    tail_build b;
    const size_t groups = graph->device->groups;
    const clc_arg part = CLC_INT(node->out->count);
    begin(&b, graph, node, "linear_bias_backward", groups);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->out->value),
                       CLC_MEM(node->out->grad), CLC_MEM(node->saved->value), part,
                       CLC_INT(clc_tensor_rows(node->out)), floor_of(node)));
    if (has_bias(node)) {
        const size_t channels = (size_t)clc_tensor_channels(node->out);
        const size_t vectors = channels / clc_item_width(graph->device, channels);
        const size_t items = graph->device->group_size;
        begin(&b, graph, node, "linear_bias_merge", clc_ceil_div(vectors, items));
        CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->saved->value), part,
                           CLC_MEM(clc_node_param(graph, node, 1)->grad), CLC_INT(groups)));
    }
fail:
    return status;
}

static clc_status backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    cl_mem d = node->out->grad;
    if (has_tail(node)) {
        CLC_TRY(tail_backward(graph, node, sequence));
        d = node->saved->value;
    }
    if (node->in[0]->wants_grad) {
        clc_gemm gemm = data_gemm(graph, node, d);
        gemm.accumulate = node->adds[0];
        CLC_TRY(clc_gemm_build(sequence, graph->device, graph->gemm, &gemm, graph->workspace,
                               "linear_backward_data", node->layer));
    }
    const clc_gemm gemm = weight_gemm(graph, node, d);
    CLC_TRY(clc_gemm_build(sequence, graph->device, graph->gemm, &gemm, graph->workspace,
                           "linear_backward_weights", node->layer));
fail:
    return status;
}

static const clc_op linear = {"linear", sizeof(linear_attr), plan, workspace, forward, backward};

clc_status clc_op_linear(clc_graph *graph, const char *layer, clc_tensor *in, int outputs,
                         bool bias, bool relu, clc_tensor **out) {
    clc_status status = CLC_OK;
    const int shape[2] = {clc_tensor_channels(in), outputs};
    const linear_attr attr = {outputs, bias, relu};
    clc_node node = {.op = &linear, .in = {in}, .in_count = 1, .attr = &attr};
    CLC_TRY(clc_graph_param(graph, layer, &node, "weight", CLC_PARAM_LINEAR_WEIGHT, 2, shape));
    if (bias)
        CLC_TRY(clc_graph_param(graph, layer, &node, "bias", CLC_PARAM_LINEAR_BIAS, 1, &outputs));
    CLC_TRY(clc_graph_node(graph, layer, &node, out));
fail:
    return status;
}
