/* Convolution as a node of the tape; the arithmetic is op/conv2d_*.c. */
#include "op/conv2d.h"
#include "op/attr.h"
#include "op/ops.h"

#include <assert.h>

static clc_status plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    const clc_tensor *in = node->in[0];
    const clc_conv2d_attr *attr = node->attr;
    const int *dims = in->shape.dims;
    (void)graph;
    assert(in->shape.rank == 4 && in->shape.type == CLC_TYPE_FLOAT32);
    *needs = (clc_needs){
        .out = clc_shape_images(
            dims[0], clc_window_positions(dims[1], attr->kernel, attr->stride, attr->pad),
            clc_window_positions(dims[2], attr->kernel, attr->stride, attr->pad), attr->filters),
        .keeps_in = {true}};
    return CLC_OK;
}

static clc_conv2d_shape node_shape(const clc_node *node) {
    const clc_conv2d_attr *attr = node->attr;
    const int *dims = node->in[0]->shape.dims;
    return (clc_conv2d_shape){.n = dims[0],
                              .h = dims[1],
                              .w = dims[2],
                              .c = dims[3],
                              .k = attr->filters,
                              .kh = attr->kernel,
                              .kw = attr->kernel,
                              .stride = attr->stride,
                              .pad = attr->pad};
}

static clc_conv2d_choice choice_of(const clc_graph *graph, const clc_conv2d_shape *shape,
                                   clc_conv2d_pass pass) {
    return clc_conv2d_select(graph->device, shape, pass, (clc_conv2d_kind)graph->convolution);
}

static size_t workspace(const clc_graph *graph, const clc_node *node) {
    const clc_conv2d_shape shape = node_shape(node);
    size_t largest = 0;
    for (int pass = 0; pass < (node->training ? 3 : 1); pass++) {
        if (pass == CLC_CONV2D_BACKWARD_DATA && !node->in[0]->wants_grad)
            continue;
        const clc_conv2d_choice choice = choice_of(graph, &shape, (clc_conv2d_pass)pass);
        size_t bytes =
            clc_conv2d_choice_workspace(&choice, graph->device, &shape, (clc_conv2d_pass)pass);
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

static clc_status build(clc_graph *graph, const clc_node *node, clc_sequence *sequence,
                        clc_conv2d_pass pass) {
    const clc_conv2d_shape shape = node_shape(node);
    const clc_param *weight = clc_node_param(graph, node, 0);
    const clc_conv2d_choice choice = choice_of(graph, &shape, pass);
    clc_conv2d_args args = {.x = node->in[0]->value,
                            .w = weight->value,
                            .y = node->out->value,
                            .workspace = graph->workspace,
                            .gemm = graph->gemm,
                            .layer = node->layer};
    if (pass != CLC_CONV2D_FORWARD)
        args.y = node->out->grad;
    if (pass == CLC_CONV2D_BACKWARD_DATA) {
        args.x = node->in[0]->grad;
        args.accumulate = node->adds[0];
    }
    if (pass == CLC_CONV2D_BACKWARD_WEIGHTS)
        args.w = weight->grad;
    return clc_conv2d_choice_build(&choice, sequence, graph->device, &shape, pass, &args);
}

static clc_status forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    return build(graph, node, sequence, CLC_CONV2D_FORWARD);
}

static clc_status backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = build(graph, node, sequence, CLC_CONV2D_BACKWARD_WEIGHTS);
    if (status != CLC_OK || !node->in[0]->wants_grad)
        return status;
    return build(graph, node, sequence, CLC_CONV2D_BACKWARD_DATA);
}

static const clc_op conv2d = {"conv2d", sizeof(clc_conv2d_attr), plan, workspace, forward,
                              backward};

clc_status clc_op_conv2d(clc_graph *graph, const char *layer, clc_tensor *in, int filters,
                         int kernel, int stride, int pad, clc_tensor **out) {
    clc_status status = CLC_OK;
    const int shape[4] = {kernel, kernel, clc_tensor_channels(in), filters};
    const clc_conv2d_attr attr = {filters, kernel, stride, pad};
    clc_node node = {.op = &conv2d, .in = {in}, .in_count = 1, .attr = &attr};
    CLC_TRY(clc_graph_param(graph, layer, &node, "weight", CLC_PARAM_CONV_WEIGHT, 4, shape));
    CLC_TRY(clc_graph_node(graph, layer, &node, out));
fail:
    return status;
}
