#include "op/ops.h"

#include <stdio.h>

/* `saved` holds 1 / |x| of each row. */
static clc_status plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    (void)graph;
    *needs = (clc_needs){.out = node->in[0]->shape,
                         .saved = clc_shape_rows(clc_tensor_rows(node->in[0]), 1),
                         .keeps_out = true};
    return CLC_OK;
}

static clc_launch_spec spec_of(const clc_graph *graph, const clc_node *node, const char *kernel,
                               char options[48]) {
    const clc_tensor *y = node->out;
    const int c = clc_tensor_channels(y);
    const size_t rows = (size_t)clc_tensor_rows(y), groups = graph->device->groups;
    snprintf(options, 48, "-DC=%d -DVW=%u", c, clc_item_width(graph->device, (size_t)c));
    return (clc_launch_spec){.source = "op/normalize.cl",
                             .kernel = kernel,
                             .options = options,
                             .groups = {rows < groups ? rows : groups},
                             .local = {graph->device->group_size},
                             .layer = node->layer,
                             .flops = 4 * (double)y->count,
                             .bytes = 12 * (double)y->count};
}

static clc_status forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    char options[48];
    const clc_launch_spec spec = spec_of(graph, node, "normalize_forward", options);
    return CLC_LAUNCH(sequence, graph->device, &spec, CLC_MEM(node->in[0]->value),
                      CLC_MEM(node->out->value), CLC_MEM(node->saved->value),
                      CLC_INT(clc_tensor_rows(node->out)));
}

static clc_status backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    char options[48];
    const clc_launch_spec spec = spec_of(graph, node, "normalize_backward", options);
    if (!node->in[0]->wants_grad)
        return CLC_OK;
    return CLC_LAUNCH(sequence, graph->device, &spec, CLC_MEM(node->out->value),
                      CLC_MEM(node->saved->value), CLC_MEM(node->out->grad),
                      CLC_MEM(node->in[0]->grad), CLC_INT(clc_tensor_rows(node->out)),
                      CLC_INT(node->adds[0]));
}

static const clc_op normalize = {"normalize", 0, plan, NULL, forward, backward};

clc_status clc_op_normalize(clc_graph *graph, const char *layer, clc_tensor *in, clc_tensor **out) {
    const clc_node node = {.op = &normalize, .in = {in}, .in_count = 1};
    return clc_graph_node(graph, layer, &node, out);
}
