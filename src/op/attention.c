#include "op/ops.h"

#include <assert.h>
#include <stdio.h>

enum { QKV, LENGTHS };

static int head_width(const clc_node *node) {
    return clc_tensor_channels(node->in[QKV]) / 3 / ((const clc_attention *)node->attr)->heads;
}

static cl_mem lengths_of(const clc_node *node) {
    return node->in_count > LENGTHS ? node->in[LENGTHS]->value : NULL;
}

static clc_status plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    const clc_tensor *in = node->in[QKV];
    const clc_attention *attr = node->attr;
    const int channels = clc_tensor_channels(in) / 3;
    (void)graph;
    assert(in->shape.rank == 3 && clc_tensor_channels(in) % 3 == 0);
    if (attr->heads < 1 || channels % attr->heads)
        return clc_fail(CLC_INVALID,
                        "%s: %d heads of attention can't share a width of %d; choose heads that "
                        "divide it",
                        node->layer, attr->heads, channels);
    *needs = (clc_needs){.out = clc_shape_channels(in->shape, channels),
                         .keeps_in = {true, true},
                         .keeps_out = true};
    if (node->gradients)
        needs->saved = clc_shape_rows(in->shape.dims[0] * attr->heads, in->shape.dims[1]);
    return CLC_OK;
}

/* Rows of a tile on GPUs: six tiles and two of scores fit into 32 KB of local memory, and into what
 * the device has. */
static int tile_rows(const clc_device *device, int width) {
    const size_t least = 32 << 10, own = (size_t)device->info.local_memory;
    const size_t most = own < least ? own : least;
    int rows = 16;
    while (rows > 1 && 4 * (size_t)rows * (6 * ((size_t)width + 1) + 2 * (size_t)rows + 8) > most)
        rows /= 2;
    return rows;
}

/* Rows of a tile on CPU devices: few tiles, of about the same size. */
static int private_rows(int steps) {
    enum { MOST = 80, UNIT = 16 };
    const int blocks = (steps + MOST - 1) / MOST, rows = (steps + blocks - 1) / blocks;
    return (rows + UNIT - 1) / UNIT * UNIT;
}

typedef struct build {
    char options[128];
    clc_launch_spec spec;
    size_t query_blocks;
} build;

/* A launch with so many products of (T,T,width) a head. */
static void begin(build *b, const clc_graph *graph, const clc_node *node, const char *kernel,
                  double products) {
    const clc_tensor *in = node->in[QKV];
    const clc_attention *attr = node->attr;
    const int width = head_width(node), steps = in->shape.dims[1];
    const bool gpu = graph->device->profile == CLC_PROFILE_GPU;
    const int rows = gpu ? tile_rows(graph->device, width) : private_rows(steps);
    snprintf(b->options, sizeof b->options, "-DD=%d -DTB=%d -DVW=%u", width, rows,
             clc_item_width(graph->device, (size_t)width));
    b->query_blocks = clc_ceil_div((size_t)steps, (size_t)rows);
    const size_t heads = (size_t)(in->shape.dims[0] * attr->heads);
    b->spec = (clc_launch_spec){.source = gpu ? "op/attention_group.cl" : "op/attention.cl",
                                .kernel = kernel,
                                .options = b->options,
                                .groups = {b->query_blocks, heads},
                                .local = {gpu ? graph->device->group_size : 1},
                                .layer = node->layer,
                                .flops = 2 * products * (double)heads * steps * steps * width *
                                         (attr->causal ? 0.5 : 1),
                                .bytes = 4.0 * (double)(in->count + node->out->count)};
}

static clc_status forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    const clc_attention *attr = node->attr;
    build b;
    begin(&b, graph, node, "attention_forward", 2);
    cl_mem lengths = lengths_of(node);
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->in[QKV]->value),
                      CLC_MEM(lengths ? lengths : node->in[QKV]->value), CLC_MEM(node->out->value),
                      CLC_MEM(node->saved ? node->saved->value : node->out->value),
                      CLC_INT(node->in[QKV]->shape.dims[1]), CLC_INT(attr->heads),
                      CLC_INT(attr->causal), CLC_INT(attr->front), CLC_INT(lengths != NULL),
                      CLC_INT(node->saved != NULL));
}

static clc_status launch_backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence,
                                  const clc_launch_spec *spec) {
    const clc_attention *attr = node->attr;
    const clc_tensor *in = node->in[QKV];
    cl_mem lengths = lengths_of(node);
    return CLC_LAUNCH(sequence, graph->device, spec, CLC_MEM(in->value),
                      CLC_MEM(lengths ? lengths : in->value), CLC_MEM(node->out->value),
                      CLC_MEM(node->saved->value), CLC_MEM(node->out->grad), CLC_MEM(in->grad),
                      CLC_INT(in->shape.dims[1]), CLC_INT(attr->heads), CLC_INT(attr->causal),
                      CLC_INT(attr->front), CLC_INT(lengths != NULL), CLC_INT(node->adds[QKV]));
}

static clc_status backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    build b;
    if (!node->in[QKV]->wants_grad)
        return CLC_OK;
    if (graph->device->profile != CLC_PROFILE_GPU) {
        begin(&b, graph, node, "attention_backward", 5);
        b.spec.groups[0] = 1;
        return launch_backward(graph, node, sequence, &b.spec);
    }
    begin(&b, graph, node, "attention_backward_queries", 3);
    CLC_TRY(launch_backward(graph, node, sequence, &b.spec));
    begin(&b, graph, node, "attention_backward_keys", 4);
    CLC_TRY(launch_backward(graph, node, sequence, &b.spec));
fail:
    return status;
}

static const clc_op attention = {"attention", sizeof(clc_attention), plan, NULL, forward, backward};

clc_status clc_op_attention(clc_graph *graph, const char *layer, const clc_attention *settings,
                            clc_tensor *qkv, clc_tensor *lengths, clc_tensor **out) {
    const clc_node node = {
        .op = &attention, .in = {qkv, lengths}, .in_count = lengths ? 2 : 1, .attr = settings};
    return clc_graph_node(graph, layer, &node, out);
}
