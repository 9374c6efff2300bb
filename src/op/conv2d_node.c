/* Convolution as a node of the tape; the arithmetic is op/conv2d_*.c. */
#include "op/ops.h"

#include <stdio.h>

static clc_conv2d_shape node_shape(const clc_node *node) {
    return (clc_conv2d_shape){.n = node->in->n,
                              .h = node->in->h,
                              .w = node->in->w,
                              .c = node->in->c,
                              .k = node->out->c,
                              .kh = node->kernel,
                              .kw = node->kernel,
                              .stride = node->stride,
                              .pad = node->pad};
}

static size_t workspace(const clc_graph *graph, const clc_node *node) {
    const clc_conv2d_shape shape = node_shape(node);
    size_t largest = 0;
    for (int pass = 0; pass < (graph->training ? 3 : 1); pass++) {
        if (pass == CLC_CONV2D_BACKWARD_DATA && !node->in->wants_grad)
            continue;
        const clc_conv2d_choice choice =
            clc_conv2d_select(graph->device, &shape, (clc_conv2d_pass)pass, graph->convolution);
        size_t bytes =
            clc_conv2d_choice_workspace(&choice, graph->device, &shape, (clc_conv2d_pass)pass);
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

static clc_status build(clc_graph *graph, clc_node *node, clc_sequence *sequence,
                        clc_conv2d_pass pass) {
    const clc_conv2d_shape shape = node_shape(node);
    const clc_param *weight = &graph->params->items[node->params[0]];
    const clc_conv2d_choice choice =
        clc_conv2d_select(graph->device, &shape, pass, graph->convolution);
    clc_conv2d_args args = {.x = node->in->value,
                            .w = weight->value,
                            .y = node->out->value,
                            .workspace = graph->workspace,
                            .gemm = graph->gemm,
                            .layer = node->layer};
    if (pass != CLC_CONV2D_FORWARD)
        args.y = node->out->grad;
    if (pass == CLC_CONV2D_BACKWARD_DATA) {
        args.x = node->in->grad;
        args.accumulate = clc_graph_grad_accumulates(node->in);
    }
    if (pass == CLC_CONV2D_BACKWARD_WEIGHTS)
        args.w = weight->grad;
    return clc_conv2d_choice_build(&choice, sequence, graph->device, &shape, pass, &args);
}

static clc_status forward(clc_graph *graph, clc_node *node, clc_sequence *sequence) {
    return build(graph, node, sequence, CLC_CONV2D_FORWARD);
}

static clc_status backward(clc_graph *graph, clc_node *node, clc_sequence *sequence) {
    clc_status status = build(graph, node, sequence, CLC_CONV2D_BACKWARD_WEIGHTS);
    if (status != CLC_OK || !node->in->wants_grad)
        return status;
    return build(graph, node, sequence, CLC_CONV2D_BACKWARD_DATA);
}

static const clc_op conv2d = {"conv2d", true, false, workspace, forward, backward};

clc_status clc_conv2d(clc_graph *graph, const char *layer, clc_tensor *in, int k, int kernel,
                      int stride, int pad, clc_tensor **out) {
    const int shape[4] = {kernel, kernel, in->c, k};
    clc_node node = {.op = &conv2d, .in = in, .kernel = kernel, .stride = stride, .pad = pad};
    snprintf(node.layer, sizeof node.layer, "%s", layer);
    clc_status status =
        clc_graph_param(graph, layer, "weight", CLC_PARAM_CONV_WEIGHT, 4, shape, &node.params[0]);
    if (status != CLC_OK)
        return status;
    return clc_graph_node(graph, &node, in->n, clc_window_positions(in->h, kernel, stride, pad),
                          clc_window_positions(in->w, kernel, stride, pad), k, 0, out);
}
