#include "op/attr.h"
#include "op/ops.h"

#include <assert.h>
#include <stdio.h>

static bool is_mean(const clc_node *node) {
    return ((const clc_pool_tokens_attr *)node->attr)->pooling == CLC_POOLING_MEAN;
}

/* Channels in front of this one take the last valid step. */
static int last_channels(const clc_node *node) {
    const int channels = clc_tensor_channels(node->in[0]);
    switch (((const clc_pool_tokens_attr *)node->attr)->pooling) {
    case CLC_POOLING_FIRST:
        return 0;
    case CLC_POOLING_ENDS:
        return channels / 2;
    default:
        return channels;
    }
}

static clc_status plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    const clc_tensor *in = node->in[0];
    (void)graph;
    assert(in->shape.rank == 3 && in->shape.type == CLC_TYPE_FLOAT32);
    *needs = (clc_needs){.out = clc_shape_rows(clc_tensor_samples(in), clc_tensor_channels(in)),
                         .keeps_in = {false, true}};
    return CLC_OK;
}

/* Forward from x to y, or backward from dy to dx. */
static clc_status add(clc_graph *graph, const clc_node *node, clc_sequence *sequence,
                      bool backward) {
    const clc_tensor *x = node->in[0], *y = node->out;
    const int channels = clc_tensor_channels(x), n = clc_tensor_samples(x);
    const int last = last_channels(node);
    /* Vectors of one half only, where the halves differ. */
    const size_t together = (size_t)(last && last < channels ? last : channels);
    const size_t groups = (size_t)graph->device->groups;
    static const char *const kernels[2][2] = {{"pool_tokens_pick", "pool_tokens_pick_backward"},
                                              {"pool_tokens_mean", "pool_tokens_mean_backward"}};
    char options[64];
    snprintf(
        options, sizeof options, "-DC=%d -DLAST=%d -DVW=%u", channels, last,
        clc_item_width(graph->device, channels % 2 && together != (size_t)channels ? 1 : together));
    const clc_launch_spec spec = {.source = "op/pool_tokens.cl",
                                  .kernel = kernels[is_mean(node)][backward],
                                  .options = options,
                                  .groups = {(size_t)n < groups ? (size_t)n : groups},
                                  .local = {graph->device->group_size},
                                  .op = backward ? "pool_tokens_backward" : "pool_tokens_forward",
                                  .layer = node->layer,
                                  .flops = (double)x->count,
                                  .bytes = 4.0 * (double)(x->count + y->count)};
    const clc_arg lengths = CLC_MEM(node->in_count > 1 ? node->in[1]->value : x->value);
    const clc_arg args[] = {CLC_MEM(backward ? y->grad : x->value),
                            lengths,
                            CLC_MEM(backward ? x->grad : y->value),
                            CLC_INT(n),
                            CLC_INT(x->shape.dims[1]),
                            CLC_INT(node->in_count > 1),
                            CLC_INT(node->adds[0])};
    return clc_sequence_add(sequence, graph->device, &spec, args, backward ? 7 : 6);
}

static clc_status forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    return add(graph, node, sequence, false);
}

static clc_status backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    return node->in[0]->wants_grad ? add(graph, node, sequence, true) : CLC_OK;
}

static const clc_op pool_tokens = {"pool_tokens", sizeof(clc_pool_tokens_attr), plan, NULL, forward,
                                   backward};

clc_status clc_op_pool_tokens(clc_graph *graph, const char *layer, clc_tensor *in,
                              clc_tensor *lengths, clc_pooling pooling, clc_tensor **out) {
    const clc_pool_tokens_attr attr = {pooling};
    const clc_node node = {
        .op = &pool_tokens, .in = {in, lengths}, .in_count = lengths ? 2 : 1, .attr = &attr};
    return clc_graph_node(graph, layer, &node, out);
}
