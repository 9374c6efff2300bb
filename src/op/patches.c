#include "op/attr.h"
#include "op/ops.h"

#include <assert.h>
#include <stdio.h>

static clc_status plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    const int *dims = node->in[0]->shape.dims, side = ((const clc_patches_attr *)node->attr)->side;
    (void)graph;
    assert(node->in[0]->shape.rank == 4);
    if (dims[1] % side || dims[2] % side)
        return clc_fail(CLC_INVALID,
                        "%s: images of %dx%d can't be cut into patches of %dx%d; choose a patch "
                        "that divides augmentation.size",
                        node->layer, dims[1], dims[2], side, side);
    *needs = (clc_needs){.out = clc_shape_sequences(dims[0], (dims[1] / side) * (dims[2] / side),
                                                    side * side * dims[3])};
    return CLC_OK;
}

typedef struct build {
    char options[96];
    clc_launch_spec spec;
} build;

static void begin(build *b, const clc_graph *graph, const clc_node *node, const char *kernel) {
    const int *dims = node->in[0]->shape.dims, side = ((const clc_patches_attr *)node->attr)->side;
    const size_t rows = (size_t)dims[0] * (size_t)(dims[1] / side);
    const size_t most = (size_t)graph->device->groups * 4;
    snprintf(b->options, sizeof b->options, "-DH=%d -DW=%d -DC=%d -DP=%d", dims[1], dims[2],
             dims[3], side);
    b->spec = (clc_launch_spec){.source = "op/patches.cl",
                                .kernel = kernel,
                                .options = b->options,
                                .groups = {rows < most ? rows : most},
                                .local = {graph->device->group_size},
                                .layer = node->layer,
                                .bytes = 8.0 * (double)node->in[0]->count};
}

static clc_status forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    build b;
    begin(&b, graph, node, "patches_forward");
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->in[0]->value),
                      CLC_MEM(node->out->value), CLC_INT(clc_tensor_samples(node->out)));
}

static clc_status backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    build b;
    if (!node->in[0]->wants_grad)
        return CLC_OK;
    begin(&b, graph, node, "patches_backward");
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->out->grad),
                      CLC_MEM(node->in[0]->grad), CLC_INT(clc_tensor_samples(node->out)),
                      CLC_INT(node->adds[0]));
}

static const clc_op patches = {"patches", sizeof(clc_patches_attr), plan, NULL, forward, backward};

clc_status clc_op_patches(clc_graph *graph, const char *layer, clc_tensor *in, int side,
                          clc_tensor **out) {
    const clc_patches_attr attr = {side};
    const clc_node node = {.op = &patches, .in = {in}, .in_count = 1, .attr = &attr};
    return clc_graph_node(graph, layer, &node, out);
}
