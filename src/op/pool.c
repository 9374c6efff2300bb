#include "op/attr.h"
#include "op/ops.h"

#include <assert.h>
#include <stdio.h>

typedef struct pool_build {
    char options[192];
    clc_launch_spec spec;
} pool_build;

/* A launch over `rows` rows of images; `b` must live until it is added. */
static void begin(pool_build *b, const clc_graph *graph, const clc_node *node, const char *kernel,
                  size_t rows) {
    static const clc_maxpool_attr whole = {1, 1, 0}; /* the mean has no windows */
    const clc_maxpool_attr *attr = node->attr ? node->attr : &whole;
    const clc_tensor *x = node->in[0], *y = node->out;
    const int *in = x->shape.dims, *out = y->shape.dims;
    const bool images = y->shape.rank == 4;
    snprintf(b->options, sizeof b->options,
             "-DC=%d -DVW=%u -DH=%d -DW=%d -DOH=%d -DOW=%d -DKERNEL=%d -DSTRIDE=%d -DPAD=%d", in[3],
             clc_item_width(graph->device, (size_t)in[3]), in[1], in[2], images ? out[1] : 1,
             images ? out[2] : 1, attr->kernel, attr->stride, attr->pad);
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

static int samples(const clc_node *node) {
    return clc_tensor_samples(node->in[0]);
}

static clc_status maxpool_forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    pool_build b;
    begin(&b, graph, node, "maxpool_forward",
          (size_t)samples(node) * (size_t)node->out->shape.dims[1]);
    /* In inference nothing keeps the positions: any buffer will do as the unused argument. */
    cl_mem where = node->saved ? node->saved->value : node->out->value;
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->in[0]->value),
                      CLC_MEM(node->out->value), CLC_MEM(where), CLC_INT(samples(node)),
                      CLC_INT(node->saved != NULL));
}

static clc_status maxpool_backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    pool_build b;
    if (!node->in[0]->wants_grad)
        return CLC_OK;
    begin(&b, graph, node, "maxpool_backward",
          (size_t)samples(node) * (size_t)node->in[0]->shape.dims[1]);
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->out->grad),
                      CLC_MEM(node->saved->value), CLC_MEM(node->in[0]->grad),
                      CLC_INT(samples(node)), CLC_INT(node->adds[0]));
}

static clc_status avgpool_forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    pool_build b;
    begin(&b, graph, node, "avgpool_forward", (size_t)samples(node));
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->in[0]->value),
                      CLC_MEM(node->out->value), CLC_INT(samples(node)));
}

static clc_status avgpool_backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    pool_build b;
    if (!node->in[0]->wants_grad)
        return CLC_OK;
    begin(&b, graph, node, "avgpool_backward", (size_t)samples(node));
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->out->grad),
                      CLC_MEM(node->in[0]->grad), CLC_INT(samples(node)), CLC_INT(node->adds[0]));
}

static clc_status maxpool_plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    const clc_tensor *in = node->in[0];
    const clc_maxpool_attr *attr = node->attr;
    const int *dims = in->shape.dims;
    (void)graph;
    assert(in->shape.rank == 4 && in->shape.type == CLC_TYPE_FLOAT32);
    *needs = (clc_needs){
        .out = clc_shape_images(
            dims[0], clc_window_positions(dims[1], attr->kernel, attr->stride, attr->pad),
            clc_window_positions(dims[2], attr->kernel, attr->stride, attr->pad), dims[3])};
    if (node->training) {
        needs->saved = needs->out;
        needs->saved.type = CLC_TYPE_INT32;
    }
    return CLC_OK;
}

static clc_status avgpool_plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    const clc_tensor *in = node->in[0];
    (void)graph;
    assert(in->shape.rank == 4 && in->shape.type == CLC_TYPE_FLOAT32);
    *needs = (clc_needs){.out = clc_shape_rows(samples(node), clc_tensor_channels(in))};
    return CLC_OK;
}

static const clc_op maxpool = {"maxpool",    sizeof(clc_maxpool_attr), maxpool_plan,
                               no_workspace, maxpool_forward,          maxpool_backward};
static const clc_op avgpool = {"avgpool",       0, avgpool_plan, no_workspace, avgpool_forward,
                               avgpool_backward};

clc_status clc_op_maxpool(clc_graph *graph, const char *layer, clc_tensor *in, int kernel,
                          int stride, int pad, clc_tensor **out) {
    const clc_maxpool_attr attr = {kernel, stride, pad};
    const clc_node node = {.op = &maxpool, .in = {in}, .in_count = 1, .attr = &attr};
    return clc_graph_node(graph, layer, &node, out);
}

clc_status clc_op_avgpool(clc_graph *graph, const char *layer, clc_tensor *in, clc_tensor **out) {
    const clc_node node = {.op = &avgpool, .in = {in}, .in_count = 1};
    return clc_graph_node(graph, layer, &node, out);
}
