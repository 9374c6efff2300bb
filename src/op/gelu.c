#include "op/elementwise.h"
#include "op/attr.h"
#include "op/ops.h"

static clc_status plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    (void)graph;
    *needs = (clc_needs){.out = node->in[0]->shape, .keeps_in = {true}};
    return CLC_OK;
}

static void begin(clc_elementwise *b, const clc_graph *graph, const clc_node *node,
                  const char *kernel, double passes) {
    const bool quick = ((const clc_gelu_attr *)node->attr)->quick;
    clc_elementwise_begin(b, graph->device, node->out, "op/gelu.cl", kernel,
                          quick ? " -DQUICK=1" : "", node->layer, passes);
}

static clc_status forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_elementwise b;
    begin(&b, graph, node, "gelu_forward", 2);
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->in[0]->value),
                      CLC_MEM(node->out->value), CLC_INT(b.vectors));
}

static clc_status backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_elementwise b;
    if (!node->in[0]->wants_grad)
        return CLC_OK;
    begin(&b, graph, node, "gelu_backward", 3);
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->in[0]->value),
                      CLC_MEM(node->out->grad), CLC_MEM(node->in[0]->grad), CLC_INT(b.vectors),
                      CLC_INT(node->adds[0]));
}

static const clc_op gelu = {"gelu", sizeof(clc_gelu_attr), plan, NULL, forward, backward};

clc_status clc_op_gelu(clc_graph *graph, const char *layer, clc_tensor *in, bool quick,
                       clc_tensor **out) {
    const clc_gelu_attr attr = {quick};
    const clc_node node = {.op = &gelu, .in = {in}, .in_count = 1, .attr = &attr};
    return clc_graph_node(graph, layer, &node, out);
}
