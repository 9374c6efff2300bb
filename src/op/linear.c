#include "core/math.h"
#include "op/ops.h"

#include <math.h>
#include <stdio.h>

/* y (n,k) = x (n,c) W (c,k) + b; dx = d W^T, dW = x^T d, db = column sums of d, where d is dy
 * behind the ReLU's mask. `saved` holds d (n,k) and the partial column sums (groups,k). */

static bool has_tail(const clc_node *node) {
    return node->bias || node->relu;
}

static clc_gemm forward_gemm(const clc_graph *graph, const clc_node *node) {
    return (clc_gemm){.m = (size_t)node->in->n,
                      .n = (size_t)node->out->c,
                      .k = (size_t)node->in->c,
                      .a = node->in->value,
                      .b = graph->params->items[node->params[0]].value,
                      .c = node->out->value};
}

static clc_gemm data_gemm(const clc_graph *graph, const clc_node *node, cl_mem d) {
    return (clc_gemm){.transpose_b = true,
                      .m = (size_t)node->in->n,
                      .n = (size_t)node->in->c,
                      .k = (size_t)node->out->c,
                      .a = d,
                      .b = graph->params->items[node->params[0]].value,
                      .c = node->in->grad};
}

static clc_gemm weight_gemm(const clc_graph *graph, const clc_node *node, cl_mem d) {
    return (clc_gemm){.transpose_a = true,
                      .m = (size_t)node->in->c,
                      .n = (size_t)node->out->c,
                      .k = (size_t)node->in->n,
                      .a = node->in->value,
                      .b = d,
                      .c = graph->params->items[node->params[0]].grad};
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
    snprintf(b->options, sizeof b->options, "-DK=%d -DVW=%u", y->c,
             clc_item_width(graph->device, (size_t)y->c));
    b->spec = (clc_launch_spec){.source = "op/linear.cl",
                                .kernel = kernel,
                                .options = b->options,
                                .groups = {groups},
                                .local = {graph->device->group_size},
                                .layer = node->layer,
                                .flops = (double)y->count,
                                .bytes = 8.0 * (double)y->count};
}

static clc_status forward(clc_graph *graph, clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const clc_gemm gemm = forward_gemm(graph, node);
    tail_build b;
    CLC_TRY(clc_gemm_build(sequence, graph->device, graph->gemm, &gemm, graph->workspace,
                           "linear_forward", node->layer));
    if (!has_tail(node))
        return CLC_OK;
    begin(&b, graph, node, "linear_bias", graph->device->groups);
    cl_mem bias = node->bias ? graph->params->items[node->params[1]].value : node->out->value;
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->out->value), CLC_MEM(bias),
                       CLC_INT(node->out->n), CLC_INT(node->bias),
                       CLC_FLOAT(node->relu ? 0.0f : -INFINITY)));
fail:
    return status;
}

/* Masks the gradient into `saved` and reduces the bias's. */
static clc_status tail_backward(clc_graph *graph, clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    tail_build b;
    const size_t groups = graph->device->groups;
    const clc_arg part = CLC_INT(node->out->count);
    begin(&b, graph, node, "linear_bias_backward", groups);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->out->value),
                       CLC_MEM(node->out->grad), CLC_MEM(node->saved->value), part,
                       CLC_INT(node->out->n), CLC_FLOAT(node->relu ? 0.0f : -INFINITY)));
    if (node->bias) {
        const size_t vectors =
            (size_t)node->out->c / clc_item_width(graph->device, (size_t)node->out->c);
        const size_t items = graph->device->group_size;
        begin(&b, graph, node, "linear_bias_merge", clc_ceil_div(vectors, items));
        CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->saved->value), part,
                           CLC_MEM(graph->params->items[node->params[1]].grad), CLC_INT(groups)));
    }
fail:
    return status;
}

static clc_status backward(clc_graph *graph, clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    cl_mem d = node->out->grad;
    if (has_tail(node)) {
        CLC_TRY(tail_backward(graph, node, sequence));
        d = node->saved->value;
    }
    if (node->in->wants_grad) {
        clc_gemm gemm = data_gemm(graph, node, d);
        gemm.accumulate = clc_graph_grad_accumulates(node->in);
        CLC_TRY(clc_gemm_build(sequence, graph->device, graph->gemm, &gemm, graph->workspace,
                               "linear_backward_data", node->layer));
    }
    const clc_gemm gemm = weight_gemm(graph, node, d);
    CLC_TRY(clc_gemm_build(sequence, graph->device, graph->gemm, &gemm, graph->workspace,
                           "linear_backward_weights", node->layer));
fail:
    return status;
}

static const clc_op plain = {"linear", true, false, workspace, forward, backward};
static const clc_op with_tail = {"linear", true, true, workspace, forward, backward};

clc_status clc_linear(clc_graph *graph, const char *layer, clc_tensor *in, int outputs, bool bias,
                      bool relu, clc_tensor **out) {
    clc_status status = CLC_OK;
    const int shape[2] = {in->c, outputs};
    clc_node node = {
        .op = bias || relu ? &with_tail : &plain, .in = in, .bias = bias, .relu = relu};
    size_t saved = graph->gradients && (bias || relu)
                       ? ((size_t)in->n + graph->device->groups) * (size_t)outputs
                       : 0;
    snprintf(node.layer, sizeof node.layer, "%s", layer);
    CLC_TRY(clc_graph_param(graph, layer, "weight", CLC_PARAM_LINEAR_WEIGHT, 2, shape,
                            &node.params[0]));
    if (bias)
        CLC_TRY(clc_graph_param(graph, layer, "bias", CLC_PARAM_LINEAR_BIAS, 1, &outputs,
                                &node.params[1]));
    CLC_TRY(clc_graph_node(graph, &node, in->n, 1, 1, outputs, saved, out));
fail:
    return status;
}
