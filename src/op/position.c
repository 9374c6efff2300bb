#include "op/elementwise.h"
#include "op/attr.h"
#include "op/ops.h"

#include <assert.h>
#include <stdio.h>

typedef struct position_attr {
    int context; /* rows of the table */
} position_attr;

typedef struct build {
    char options[64];
    clc_launch_spec spec;
} build;

/* A launch whose groups share out `rows` rows. */
static void begin(build *b, const clc_graph *graph, const clc_node *node, const char *kernel,
                  int rows) {
    /* The larger of both is of rank 3. */
    const int *in = node->in[0]->shape.dims, *out = node->out->shape.dims;
    const bool shorter = node->in[0]->count > node->out->count;
    const int *dims = shorter ? in : out;
    const size_t most = (size_t)graph->device->groups * 4;
    snprintf(b->options, sizeof b->options, "-DC=%d -DT=%d -DVW=%u", dims[2], dims[1],
             clc_item_width(graph->device, (size_t)dims[2]));
    b->spec = (clc_launch_spec){.source = "op/position.cl",
                                .kernel = kernel,
                                .options = b->options,
                                .groups = {(size_t)rows < most ? (size_t)rows : most},
                                .local = {graph->device->group_size},
                                .layer = node->layer,
                                .flops = (double)node->out->count,
                                .bytes = 8.0 * (double)node->out->count};
}

static clc_status position_plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    (void)graph;
    assert(node->in[0]->shape.rank == 3);
    *needs = (clc_needs){.out = node->in[0]->shape};
    return CLC_OK;
}

static clc_status position_forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    build b;
    begin(&b, graph, node, "position_forward", clc_tensor_rows(node->out));
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->in[0]->value),
                      CLC_MEM(clc_node_param(graph, node, 0)->value), CLC_MEM(node->out->value),
                      CLC_INT(clc_tensor_samples(node->out)));
}

static clc_status position_backward(clc_graph *graph, const clc_node *node,
                                    clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const int context = ((const position_attr *)node->attr)->context;
    build b;
    if (node->in[0]->wants_grad)
        CLC_TRY(clc_pass_gradient(sequence, graph->device, node->out, node->in[0], node->adds[0],
                                  node->layer));
    begin(&b, graph, node, "position_backward", context);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->out->grad),
                       CLC_MEM(clc_node_param(graph, node, 0)->grad),
                       CLC_INT(clc_tensor_samples(node->out)), CLC_INT(context)));
fail:
    return status;
}

static const clc_op position = {"position", sizeof(position_attr), position_plan,
                                NULL,       position_forward,      position_backward};

clc_status clc_op_position(clc_graph *graph, const char *layer, const clc_positions *table,
                           clc_tensor *in, clc_tensor **out) {
    clc_status status = CLC_OK;
    const int steps = in->shape.dims[1], width = clc_tensor_channels(in);
    const int shape[3] = {1, table->rows, width};
    const position_attr attr = {table->rows};
    const bool flat = table->rank == 2;
    clc_node node = {.op = &position, .in = {in}, .in_count = 1, .attr = &attr};
    if (steps > table->rows)
        return clc_fail(CLC_INVALID, "%s: %d positions are learned, too few for %d steps", layer,
                        table->rows, steps);
    CLC_TRY(clc_graph_param(graph, layer, &node, table->name, CLC_PARAM_TABLE, table->rank,
                            shape + flat));
    graph->params->items[node.params[0]].deviation = table->deviation;
    CLC_TRY(clc_graph_node(graph, layer, &node, out));
fail:
    return status;
}

static clc_status class_token_plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    const int *dims = node->in[0]->shape.dims;
    (void)graph;
    assert(node->in[0]->shape.rank == 3);
    *needs = (clc_needs){.out = clc_shape_sequences(dims[0], dims[1] + 1, dims[2])};
    return CLC_OK;
}

static clc_status class_token_forward(clc_graph *graph, const clc_node *node,
                                      clc_sequence *sequence) {
    build b;
    begin(&b, graph, node, "class_token_forward", clc_tensor_rows(node->out));
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->in[0]->value),
                      CLC_MEM(clc_node_param(graph, node, 0)->value), CLC_MEM(node->out->value),
                      CLC_INT(clc_tensor_samples(node->out)));
}

/* The token's gradient is that of a table of one row, at step 0. */
static clc_status class_token_backward(clc_graph *graph, const clc_node *node,
                                       clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const clc_arg samples = CLC_INT(clc_tensor_samples(node->out));
    build b;
    if (node->in[0]->wants_grad) {
        begin(&b, graph, node, "class_token_backward", clc_tensor_rows(node->in[0]));
        CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->out->grad),
                           CLC_MEM(node->in[0]->grad), samples, CLC_INT(node->adds[0])));
    }
    begin(&b, graph, node, "position_backward", 1);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->out->grad),
                       CLC_MEM(clc_node_param(graph, node, 0)->grad), samples, CLC_INT(1)));
fail:
    return status;
}

static const clc_op class_token = {
    "class_token", 0, class_token_plan, NULL, class_token_forward, class_token_backward};

clc_status clc_op_class_token(clc_graph *graph, const char *layer, const char *name, clc_tensor *in,
                              clc_tensor **out) {
    clc_status status = CLC_OK;
    const int shape[3] = {1, 1, clc_tensor_channels(in)};
    clc_node node = {.op = &class_token, .in = {in}, .in_count = 1};
    CLC_TRY(clc_graph_param(graph, layer, &node, name, CLC_PARAM_TABLE, 3, shape));
    CLC_TRY(clc_graph_node(graph, layer, &node, out));
fail:
    return status;
}

static clc_status without_plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    const int *dims = node->in[0]->shape.dims;
    (void)graph;
    assert(node->in[0]->shape.rank == 3);
    const clc_map_attr *map = node->attr;
    *needs =
        (clc_needs){.out = map->height ? clc_shape_images(dims[0], map->height, map->width, dims[2])
                                       : clc_shape_sequences(dims[0], dims[1] - 1, dims[2])};
    assert(!map->height || map->height * map->width == dims[1] - 1);
    return CLC_OK;
}

static clc_status without_forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    build b;
    begin(&b, graph, node, "class_token_backward", clc_tensor_rows(node->out));
    b.spec.op = "without_class_token_forward";
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->in[0]->value),
                      CLC_MEM(node->out->value), CLC_INT(clc_tensor_samples(node->out)),
                      CLC_INT(false));
}

static clc_status without_backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    build b;
    if (!node->in[0]->wants_grad)
        return CLC_OK;
    begin(&b, graph, node, "without_class_token_backward", clc_tensor_rows(node->in[0]));
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->out->grad),
                      CLC_MEM(node->in[0]->grad), CLC_INT(clc_tensor_samples(node->out)),
                      CLC_INT(node->adds[0]));
}

static const clc_op without_class_token = {"without_class_token", sizeof(clc_map_attr),
                                           without_plan,          NULL,
                                           without_forward,       without_backward};

clc_status clc_op_token_map(clc_graph *graph, const char *layer, clc_tensor *in, int height,
                            int width, clc_tensor **out) {
    const clc_map_attr attr = {height, width};
    const clc_node node = {.op = &without_class_token, .in = {in}, .in_count = 1, .attr = &attr};
    return clc_graph_node(graph, layer, &node, out);
}

clc_status clc_op_without_class_token(clc_graph *graph, const char *layer, clc_tensor *in,
                                      clc_tensor **out) {
    return clc_op_token_map(graph, layer, in, 0, 0, out);
}
