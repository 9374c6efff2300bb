#include "core/math.h"
#include "op/ops.h"

#include <stdio.h>

/* y (n,k) = u v with u = x / |x| (n,c), v = w / |w| (c,k) by columns; du = dy v^T, dv = u^T dy.
 * `saved` holds u, v and both inverse lengths. */

typedef struct places {
    size_t u, v, row_inverse, column_inverse, floats;
} places;

static places place(const clc_tensor *in, int prototypes) {
    const size_t n = (size_t)in->n, c = (size_t)in->c, k = (size_t)prototypes;
    places p = {.v = n * c};
    p.row_inverse = p.v + c * k;
    p.column_inverse = p.row_inverse + n;
    p.floats = p.column_inverse + k;
    return p;
}

/* Which product. */
typedef enum product { SCORES, DATA, WEIGHTS } product;

static clc_gemm gemm_of(const clc_graph *graph, const clc_node *node, product which) {
    const size_t n = (size_t)node->in->n, c = (size_t)node->in->c, k = (size_t)node->out->c;
    const places p = place(node->in, node->out->c);
    const cl_mem saved = node->saved->value;
    switch (which) {
    case SCORES:
        return (clc_gemm){.m = n,
                          .n = k,
                          .k = c,
                          .a = saved,
                          .a_offset = p.u,
                          .b = saved,
                          .b_offset = p.v,
                          .c = node->out->value};
    case DATA:
        return (clc_gemm){.transpose_b = true,
                          .m = n,
                          .n = c,
                          .k = k,
                          .a = node->out->grad,
                          .b = saved,
                          .b_offset = p.v,
                          .c = node->in->grad};
    default:
        return (clc_gemm){.transpose_a = true,
                          .m = c,
                          .n = k,
                          .k = n,
                          .a = saved,
                          .a_offset = p.u,
                          .b = node->out->grad,
                          .c = graph->params->items[node->params[0]].grad};
    }
}

static size_t workspace(const clc_graph *graph, const clc_node *node) {
    size_t largest = 0;
    for (int i = SCORES; i <= (graph->gradients ? WEIGHTS : SCORES); i++) {
        const clc_gemm gemm = gemm_of(graph, node, (product)i);
        const size_t bytes = clc_gemm_workspace(graph->device, graph->gemm, &gemm);
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

static clc_launch_spec spec_of(const clc_graph *graph, const clc_node *node, const char *kernel,
                               bool columns, char options[64]) {
    const int k = node->out->c, c = node->in->c;
    const unsigned width = clc_item_width(graph->device, (size_t)k);
    const size_t items = graph->device->group_size;
    const size_t rows = (size_t)node->in->n;
    const size_t groups = rows < graph->device->groups ? rows : graph->device->groups;
    const double floats = (double)c * (columns ? k : node->in->n);
    snprintf(options, 64, "-DC=%d -DK=%d -DVW=%u", c, k, width);
    return (clc_launch_spec){.source = "op/prototypes.cl",
                             .kernel = kernel,
                             .options = options,
                             .groups = {columns ? clc_ceil_div((size_t)k / width, items) : groups},
                             .local = {items},
                             .op = "prototypes",
                             .layer = node->layer,
                             .flops = 4 * floats,
                             .bytes = 12 * floats};
}

static clc_status forward(clc_graph *graph, clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const places p = place(node->in, node->out->c);
    const clc_arg saved = CLC_MEM(node->saved->value);
    const clc_gemm scores = gemm_of(graph, node, SCORES);
    char options[64];
    clc_launch_spec spec = spec_of(graph, node, "prototypes_rows", false, options);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &spec, CLC_MEM(node->in->value), saved,
                       CLC_INT(p.row_inverse), CLC_INT(node->in->n)));
    spec = spec_of(graph, node, "prototypes_columns", true, options);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &spec,
                       CLC_MEM(graph->params->items[node->params[0]].value), saved, CLC_INT(p.v),
                       CLC_INT(p.column_inverse)));
    CLC_TRY(clc_gemm_build(sequence, graph->device, graph->gemm, &scores, graph->workspace,
                           "prototypes", node->layer));
fail:
    return status;
}

static clc_status backward(clc_graph *graph, clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const places p = place(node->in, node->out->c);
    const clc_arg saved = CLC_MEM(node->saved->value);
    const clc_gemm weights = gemm_of(graph, node, WEIGHTS), data = gemm_of(graph, node, DATA);
    char options[64];
    CLC_TRY(clc_gemm_build(sequence, graph->device, graph->gemm, &weights, graph->workspace,
                           "prototypes", node->layer));
    clc_launch_spec spec = spec_of(graph, node, "prototypes_columns_backward", true, options);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &spec, saved, CLC_INT(p.v),
                       CLC_INT(p.column_inverse),
                       CLC_MEM(graph->params->items[node->params[0]].grad)));
    if (!node->in->wants_grad)
        return CLC_OK;
    if (clc_graph_grad_accumulates(node->in))
        return clc_fail(CLC_INVALID,
                        "%s: prototypes must be their input's first consumer in backward",
                        node->layer);
    CLC_TRY(clc_gemm_build(sequence, graph->device, graph->gemm, &data, graph->workspace,
                           "prototypes", node->layer));
    spec = spec_of(graph, node, "prototypes_rows_backward", false, options);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &spec, saved, CLC_INT(p.row_inverse),
                       CLC_MEM(node->in->grad), CLC_INT(node->in->n)));
fail:
    return status;
}

static const clc_op prototypes = {"prototypes", false, false, workspace, forward, backward};

clc_status clc_prototypes(clc_graph *graph, const char *layer, clc_tensor *in, int count,
                          clc_tensor **out) {
    clc_status status = CLC_OK;
    const int shape[2] = {in->c, count};
    clc_node node = {.op = &prototypes, .in = in};
    snprintf(node.layer, sizeof node.layer, "%s", layer);
    CLC_TRY(clc_graph_param(graph, layer, "weight", CLC_PARAM_LINEAR_WEIGHT, 2, shape,
                            &node.params[0]));
    CLC_TRY(clc_graph_node(graph, &node, in->n, 1, 1, count, place(in, count).floats, out));
fail:
    return status;
}

clc_status clc_prototypes_renormalize(clc_sequence *sequence, clc_device *device,
                                      const clc_param *weight) {
    const int dim = weight->shape[0], count = weight->shape[1];
    const unsigned width = clc_item_width(device, (size_t)count);
    const size_t items = device->group_size;
    char options[64];
    snprintf(options, sizeof options, "-DC=%d -DK=%d -DVW=%u", dim, count, width);
    const clc_launch_spec spec = {.source = "op/prototypes.cl",
                                  .kernel = "prototypes_renormalize",
                                  .options = options,
                                  .groups = {clc_ceil_div((size_t)count / width, items)},
                                  .local = {items},
                                  .op = "prototypes",
                                  .bytes = 12.0 * dim * count};
    return CLC_LAUNCH(sequence, device, &spec, CLC_MEM(weight->value));
}
