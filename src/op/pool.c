#include "op/ops.h"

#include <stdio.h>

typedef struct pool_build {
    char options[192];
    clc_launch_spec spec;
} pool_build;

/* A launch over `rows` rows of images; `b` must live until it is added. */
static void begin(pool_build *b, const clc_graph *graph, const clc_node *node, const char *kernel,
                  size_t rows) {
    const clc_tensor *x = node->in, *y = node->out;
    snprintf(b->options, sizeof b->options,
             "-DC=%d -DVW=%u -DH=%d -DW=%d -DOH=%d -DOW=%d -DKERNEL=%d -DSTRIDE=%d -DPAD=%d", x->c,
             clc_item_width(graph->device, (size_t)x->c), x->h, x->w, y->h, y->w, node->kernel,
             node->stride, node->pad);
    size_t groups = (size_t)graph->device->groups * 4;
    b->spec = (clc_launch_spec){.source = "op/pool.cl",
                                .kernel = kernel,
                                .options = b->options,
                                .groups = {rows < groups ? rows : groups},
                                .local = {graph->device->group_size},
                                .layer = node->layer,
                                .flops = (double)x->count,
                                .bytes = 4.0 * (double)(x->count + y->count)};
}

static size_t no_workspace(const clc_graph *graph, const clc_node *node) {
    (void)graph;
    (void)node;
    return 0;
}

static clc_status exclusive(clc_node *node) {
    if (clc_graph_grad_accumulates(node->in))
        return clc_fail(CLC_INVALID, "%s: pooling must be its input's only consumer", node->layer);
    return CLC_OK;
}

static clc_status maxpool_forward(clc_graph *graph, clc_node *node, clc_sequence *sequence) {
    pool_build b;
    begin(&b, graph, node, "maxpool_forward", (size_t)node->out->n * (size_t)node->out->h);
    /* In inference nothing keeps the positions: any buffer will do as the unused argument. */
    cl_mem where = node->saved ? node->saved->value : node->out->value;
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->in->value),
                      CLC_MEM(node->out->value), CLC_MEM(where), CLC_INT(node->in->n),
                      CLC_INT(node->saved != NULL));
}

static clc_status maxpool_backward(clc_graph *graph, clc_node *node, clc_sequence *sequence) {
    pool_build b;
    if (!node->in->wants_grad)
        return CLC_OK;
    clc_status status = exclusive(node);
    if (status != CLC_OK)
        return status;
    begin(&b, graph, node, "maxpool_backward", (size_t)node->in->n * (size_t)node->in->h);
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->out->grad),
                      CLC_MEM(node->saved->value), CLC_MEM(node->in->grad), CLC_INT(node->in->n));
}

static clc_status avgpool_forward(clc_graph *graph, clc_node *node, clc_sequence *sequence) {
    pool_build b;
    begin(&b, graph, node, "avgpool_forward", (size_t)node->in->n);
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->in->value),
                      CLC_MEM(node->out->value), CLC_INT(node->in->n));
}

static clc_status avgpool_backward(clc_graph *graph, clc_node *node, clc_sequence *sequence) {
    pool_build b;
    if (!node->in->wants_grad)
        return CLC_OK;
    clc_status status = exclusive(node);
    if (status != CLC_OK)
        return status;
    begin(&b, graph, node, "avgpool_backward", (size_t)node->in->n);
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->out->grad),
                      CLC_MEM(node->in->grad), CLC_INT(node->in->n));
}

static const clc_op maxpool = {"maxpool",    false,           false,
                               no_workspace, maxpool_forward, maxpool_backward};
static const clc_op avgpool = {"avgpool",    false,           false,
                               no_workspace, avgpool_forward, avgpool_backward};

clc_status clc_maxpool(clc_graph *graph, const char *layer, clc_tensor *in, int kernel, int stride,
                       int pad, clc_tensor **out) {
    clc_node node = {.op = &maxpool, .in = in, .kernel = kernel, .stride = stride, .pad = pad};
    int oh = clc_window_positions(in->h, kernel, stride, pad);
    int ow = clc_window_positions(in->w, kernel, stride, pad);
    snprintf(node.layer, sizeof node.layer, "%s", layer);
    return clc_graph_node(graph, &node, in->n, oh, ow, in->c,
                          (size_t)in->n * (size_t)oh * (size_t)ow * (size_t)in->c, out);
}

clc_status clc_avgpool(clc_graph *graph, const char *layer, clc_tensor *in, clc_tensor **out) {
    clc_node node = {.op = &avgpool, .in = in, .kernel = 1, .stride = 1};
    snprintf(node.layer, sizeof node.layer, "%s", layer);
    return clc_graph_node(graph, &node, in->n, 1, 1, in->c, 0, out);
}
