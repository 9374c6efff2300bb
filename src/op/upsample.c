#include "op/ops.h"

#include <assert.h>
#include <stdio.h>

typedef struct upsample_attr {
    int height, width; /* of the output */
} upsample_attr;

typedef struct build {
    char options[128];
    clc_launch_spec spec;
} build;

static clc_status plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    const int *dims = node->in[0]->shape.dims;
    const upsample_attr *attr = node->attr;
    (void)graph;
    assert(node->in[0]->shape.rank == 4 && node->in[0]->shape.type == CLC_TYPE_FLOAT32);
    *needs = (clc_needs){.out = clc_shape_images(dims[0], attr->height, attr->width, dims[3])};
    return CLC_OK;
}

/* A launch over `rows` rows of pixels. */
static void begin(build *b, const clc_graph *graph, const clc_node *node, const char *kernel,
                  size_t rows) {
    const int *in = node->in[0]->shape.dims, *out = node->out->shape.dims;
    const size_t most = (size_t)graph->device->groups * 4;
    snprintf(b->options, sizeof b->options, "-DC=%d -DVW=%u -DH=%d -DW=%d -DOH=%d -DOW=%d", in[3],
             clc_item_width(graph->device, (size_t)in[3]), in[1], in[2], out[1], out[2]);
    b->spec = (clc_launch_spec){.source = "op/upsample.cl",
                                .kernel = kernel,
                                .options = b->options,
                                .groups = {rows < most ? rows : most},
                                .local = {graph->device->group_size},
                                .layer = node->layer,
                                .flops = 9.0 * (double)node->out->count,
                                .bytes = 4.0 * (double)(node->in[0]->count + node->out->count)};
}

static clc_status forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    build b;
    begin(&b, graph, node, "upsample_forward",
          (size_t)clc_tensor_samples(node->out) * (size_t)node->out->shape.dims[1]);
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->in[0]->value),
                      CLC_MEM(node->out->value), CLC_INT(clc_tensor_samples(node->out)));
}

static clc_status backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    build b;
    if (!node->in[0]->wants_grad)
        return CLC_OK;
    begin(&b, graph, node, "upsample_backward",
          (size_t)clc_tensor_samples(node->out) * (size_t)node->in[0]->shape.dims[1]);
    return CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->out->grad),
                      CLC_MEM(node->in[0]->grad), CLC_INT(clc_tensor_samples(node->out)),
                      CLC_INT(node->adds[0]));
}

static const clc_op upsample = {"upsample", sizeof(upsample_attr), plan, NULL, forward, backward};

clc_status clc_op_upsample(clc_graph *graph, const char *layer, clc_tensor *in, int height,
                           int width, clc_tensor **out) {
    const upsample_attr attr = {height, width};
    const clc_node node = {.op = &upsample, .in = {in}, .in_count = 1, .attr = &attr};
    return clc_graph_node(graph, layer, &node, out);
}
