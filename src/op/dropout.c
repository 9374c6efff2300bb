#include "op/elementwise.h"
#include "op/ops.h"

typedef struct dropout_attr {
    float rate;
    unsigned place; /* which graph and which of its layers: a counter's last word */
} dropout_attr;

enum { X, RESIDUAL };

static clc_tensor *residual_of(const clc_node *node) {
    return node->in_count > RESIDUAL ? node->in[RESIDUAL] : NULL;
}

static clc_status plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    (void)graph;
    *needs = (clc_needs){.out = node->in[X]->shape};
    return CLC_OK;
}

typedef struct buffers {
    cl_mem from, other, to; /* other: NULL if there is none */
    bool accumulate;
} buffers;

static clc_status apply(clc_graph *graph, const clc_node *node, clc_sequence *sequence,
                        const char *op, const buffers *m) {
    const dropout_attr *attr = node->attr;
    clc_elementwise b;
    if (!graph->dropout_state)
        return clc_fail(CLC_INVALID,
                        "%s: dropout of %g needs random numbers, and nothing gives this graph any; "
                        "set encoder.dropout = 0",
                        node->layer, (double)attr->rate);
    clc_elementwise_begin(&b, graph->device, node->out, "op/dropout.cl", "dropout_apply", "",
                          node->layer, m->other ? 3 : 2);
    b.spec.op = op;
    return CLC_LAUNCH(
        sequence, graph->device, &b.spec, CLC_MEM(m->from), CLC_MEM(m->other ? m->other : m->from),
        CLC_MEM(m->to), CLC_MEM(graph->dropout_state), CLC_INT(node->out->count),
        CLC_UINT(attr->place), CLC_FLOAT(attr->rate), CLC_FLOAT(1.0f / (1.0f - attr->rate)),
        CLC_INT(m->other != NULL), CLC_INT(m->accumulate));
}

static clc_status forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    const clc_tensor *residual = residual_of(node);
    const buffers m = {.from = node->in[X]->value,
                       .other = residual ? residual->value : NULL,
                       .to = node->out->value};
    return apply(graph, node, sequence, "dropout_forward", &m);
}

static clc_status backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const clc_tensor *residual = residual_of(node);
    const buffers m = {
        .from = node->out->grad, .to = node->in[X]->grad, .accumulate = node->adds[X]};
    if (residual && residual->wants_grad)
        CLC_TRY(clc_pass_gradient(sequence, graph->device, node->out, residual,
                                  node->adds[RESIDUAL], node->layer));
    if (node->in[X]->wants_grad)
        CLC_TRY(apply(graph, node, sequence, "dropout_backward", &m));
fail:
    return status;
}

static const clc_op dropout = {"dropout", sizeof(dropout_attr), plan, NULL, forward, backward};

clc_status clc_op_dropout(clc_graph *graph, const char *layer, clc_tensor *in, double rate,
                          clc_tensor *residual, clc_tensor **out) {
    const dropout_attr attr = {.rate = (float)rate,
                               .place = graph->dropout_stream << 16 |
                                        ((unsigned)graph->node_count & 0xFFFF)};
    const clc_node node = {
        .op = &dropout, .in = {in, residual}, .in_count = residual ? 2 : 1, .attr = &attr};
    return clc_graph_node(graph, layer, &node, out);
}
