#include "op/attr.h"
#include "op/ops.h"

#include <stdio.h>

enum { WEIGHT, BIAS };

static size_t groups_of(const clc_graph *graph, const clc_node *node) {
    const size_t groups = graph->device->groups, rows = (size_t)clc_tensor_rows(node->in[0]);
    return rows < groups ? rows : groups;
}

static clc_status plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    (void)graph;
    *needs = (clc_needs){.out = node->in[0]->shape, .keeps_in = {true}};
    if (node->gradients)
        needs->saved = clc_shape_rows(clc_tensor_rows(node->in[0]), 2);
    return CLC_OK;
}

static size_t workspace(const clc_graph *graph, const clc_node *node) {
    return node->gradients ? 2 * groups_of(graph, node) * (size_t)clc_tensor_channels(node->in[0]) *
                                 sizeof(float)
                           : 0;
}

typedef struct build {
    char options[64];
    clc_launch_spec spec;
} build;

static void begin(build *b, const clc_graph *graph, const clc_node *node, const char *kernel,
                  size_t groups, double passes) {
    const clc_tensor *x = node->in[0];
    const int channels = clc_tensor_channels(x);
    snprintf(b->options, sizeof b->options, "-DC=%d -DVW=%u", channels,
             clc_item_width(graph->device, (size_t)channels));
    b->spec = (clc_launch_spec){.source = "op/layernorm.cl",
                                .kernel = kernel,
                                .options = b->options,
                                .groups = {groups},
                                .local = {graph->device->group_size},
                                .layer = node->layer,
                                .flops = 4 * passes * (double)x->count,
                                .bytes = 4 * passes * (double)x->count};
}

static clc_status forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    const clc_layernorm_attr *attr = node->attr;
    build b;
    begin(&b, graph, node, "layernorm_forward", groups_of(graph, node), 2);
    cl_mem saved = node->saved ? node->saved->value : node->out->value;
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->in[0]->value),
                      CLC_MEM(clc_node_param(graph, node, WEIGHT)->value),
                      CLC_MEM(clc_node_param(graph, node, BIAS)->value), CLC_MEM(node->out->value),
                      CLC_MEM(saved), CLC_INT(clc_tensor_rows(node->in[0])),
                      CLC_INT(node->saved != NULL), CLC_FLOAT(attr->eps));
}

static clc_status backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const clc_device *device = graph->device;
    const clc_tensor *in = node->in[0];
    const clc_param *weight = clc_node_param(graph, node, WEIGHT);
    const size_t groups = groups_of(graph, node), channels = (size_t)clc_tensor_channels(in);
    const size_t vectors = channels / clc_item_width(device, channels);
    build b;
    begin(&b, graph, node, "layernorm_backward", groups, 3);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(in->value), CLC_MEM(weight->value),
                       CLC_MEM(node->saved->value), CLC_MEM(node->out->grad),
                       CLC_MEM(in->wants_grad ? in->grad : graph->workspace),
                       CLC_MEM(graph->workspace), CLC_INT(clc_tensor_rows(in)),
                       CLC_INT(in->wants_grad), CLC_INT(node->adds[0])));
    begin(&b, graph, node, "layernorm_merge", clc_ceil_div(vectors, device->group_size), 0);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(graph->workspace),
                       CLC_MEM(weight->grad), CLC_MEM(clc_node_param(graph, node, BIAS)->grad),
                       CLC_INT(groups)));
fail:
    return status;
}

static const clc_op layernorm = {"layernorm", sizeof(clc_layernorm_attr), plan, workspace, forward,
                                 backward};

clc_status clc_op_layernorm(clc_graph *graph, const char *layer, clc_tensor *in, float eps,
                            clc_tensor **out) {
    clc_status status = CLC_OK;
    const int channels = clc_tensor_channels(in);
    const clc_layernorm_attr attr = {eps};
    clc_node node = {.op = &layernorm, .in = {in}, .in_count = 1, .attr = &attr};
    CLC_TRY(clc_graph_param(graph, layer, &node, "weight", CLC_PARAM_NORM_WEIGHT, 1, &channels));
    CLC_TRY(clc_graph_param(graph, layer, &node, "bias", CLC_PARAM_NORM_BIAS, 1, &channels));
    CLC_TRY(clc_graph_node(graph, layer, &node, out));
fail:
    return status;
}
