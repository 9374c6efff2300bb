#include "op/ops.h"

#include <assert.h>
#include <stdio.h>

typedef struct embedding_attr {
    int vocabulary, width;
} embedding_attr;

static clc_status plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    const clc_tensor *ids = node->in[0];
    const int *dims = ids->shape.dims;
    (void)graph;
    assert(ids->shape.type == CLC_TYPE_INT32 && ids->shape.rank == 2);
    *needs = (clc_needs){
        .out = clc_shape_sequences(dims[0], dims[1], ((const embedding_attr *)node->attr)->width),
        .keeps_in = {true}};
    return CLC_OK;
}

typedef struct build {
    char options[64];
    clc_launch_spec spec;
} build;

/* A launch whose groups share out `rows` rows. */
static void begin(build *b, const clc_graph *graph, const clc_node *node, const char *kernel,
                  int rows) {
    const embedding_attr *attr = node->attr;
    const size_t most = (size_t)graph->device->groups * 4;
    snprintf(b->options, sizeof b->options, "-DC=%d -DVW=%u", attr->width,
             clc_item_width(graph->device, (size_t)attr->width));
    b->spec = (clc_launch_spec){.source = "op/embedding.cl",
                                .kernel = kernel,
                                .options = b->options,
                                .groups = {(size_t)rows < most ? (size_t)rows : most},
                                .local = {graph->device->group_size},
                                .layer = node->layer,
                                .bytes = 8.0 * (double)node->out->count};
}

static clc_status forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    const int tokens = (int)node->in[0]->count;
    build b;
    begin(&b, graph, node, "embedding_forward", tokens);
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->in[0]->value),
                      CLC_MEM(clc_node_param(graph, node, 0)->value), CLC_MEM(node->out->value),
                      CLC_INT(tokens), CLC_INT(((const embedding_attr *)node->attr)->vocabulary));
}

static clc_status backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    const int vocabulary = ((const embedding_attr *)node->attr)->vocabulary;
    build b;
    begin(&b, graph, node, "embedding_backward", vocabulary);
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->in[0]->value),
                      CLC_MEM(node->out->grad), CLC_MEM(clc_node_param(graph, node, 0)->grad),
                      CLC_INT(node->in[0]->count), CLC_INT(vocabulary));
}

static const clc_op embedding = {"embedding", sizeof(embedding_attr), plan, NULL, forward,
                                 backward};

clc_status clc_op_embedding(clc_graph *graph, const char *layer, clc_tensor *ids, int vocabulary,
                            int width, clc_tensor **out) {
    clc_status status = CLC_OK;
    const int shape[2] = {vocabulary, width};
    const embedding_attr attr = {vocabulary, width};
    clc_node node = {.op = &embedding, .in = {ids}, .in_count = 1, .attr = &attr};
    CLC_TRY(clc_graph_param(graph, layer, &node, "weight", CLC_PARAM_TABLE, 2, shape));
    graph->params->items[node.params[0]].deviation = 0.02f;
    CLC_TRY(clc_graph_node(graph, layer, &node, out));
fail:
    return status;
}
