#include "core/math.h"
#include "op/ops.h"

#include <stdio.h>

/* y (n,k) = u v with u = x / |x| (n,c), v = w / |w| (c,k) by columns; du = dy v^T, dv = u^T dy.
 * `saved` holds u, v and both inverse lengths. */

typedef struct prototypes_attr {
    int count;
} prototypes_attr;

typedef struct places {
    size_t u, v, row_inverse, column_inverse, floats;
} places;

static places place(const clc_node *node) {
    const prototypes_attr *attr = node->attr;
    const clc_tensor *in = node->in[0];
    const size_t n = (size_t)clc_tensor_rows(in), c = (size_t)clc_tensor_channels(in),
                 k = (size_t)attr->count;
    places p = {.v = n * c};
    p.row_inverse = p.v + c * k;
    p.column_inverse = p.row_inverse + n;
    p.floats = p.column_inverse + k;
    return p;
}

/* Which product. */
typedef enum product { SCORES, DATA, WEIGHTS } product;

static clc_gemm gemm_of(const clc_graph *graph, const clc_node *node, product which) {
    const size_t n = (size_t)clc_tensor_rows(node->in[0]),
                 c = (size_t)clc_tensor_channels(node->in[0]),
                 k = (size_t)clc_tensor_channels(node->out);
    const places p = place(node);
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
                          .c = node->in[0]->grad};
    default:
        return (clc_gemm){.transpose_a = true,
                          .m = c,
                          .n = k,
                          .k = n,
                          .a = saved,
                          .a_offset = p.u,
                          .b = node->out->grad,
                          .c = clc_node_param(graph, node, 0)->grad};
    }
}

/* Where du begins in the workspace, behind that of its product: there, if dx is added to. */
static size_t du_offset(const clc_graph *graph, const clc_node *node) {
    const clc_gemm data = gemm_of(graph, node, DATA);
    return clc_gemm_workspace(graph->device, graph->gemm, &data) / sizeof(float);
}

static size_t workspace(const clc_graph *graph, const clc_node *node) {
    size_t largest = node->gradients && node->adds[0]
                         ? du_offset(graph, node) * sizeof(float) + clc_tensor_bytes(node->in[0])
                         : 0;
    for (int i = SCORES; i <= (node->gradients ? WEIGHTS : SCORES); i++) {
        const clc_gemm gemm = gemm_of(graph, node, (product)i);
        const size_t bytes = clc_gemm_workspace(graph->device, graph->gemm, &gemm);
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

static clc_launch_spec spec_of(const clc_graph *graph, const clc_node *node, const char *kernel,
                               bool columns, char options[64]) {
    const int k = clc_tensor_channels(node->out), c = clc_tensor_channels(node->in[0]),
              n = clc_tensor_rows(node->in[0]);
    const unsigned width = clc_item_width(graph->device, (size_t)k);
    const size_t items = graph->device->group_size;
    const size_t rows = (size_t)n;
    const size_t groups = rows < graph->device->groups ? rows : graph->device->groups;
    const double floats = (double)c * (columns ? k : n);
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

static clc_status forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const places p = place(node);
    const clc_arg saved = CLC_MEM(node->saved->value);
    const clc_gemm scores = gemm_of(graph, node, SCORES);
    char options[64];
    clc_launch_spec spec = spec_of(graph, node, "prototypes_rows", false, options);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &spec, CLC_MEM(node->in[0]->value), saved,
                       CLC_INT(p.row_inverse), CLC_INT(clc_tensor_rows(node->in[0]))));
    spec = spec_of(graph, node, "prototypes_columns", true, options);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &spec,
                       CLC_MEM(clc_node_param(graph, node, 0)->value), saved, CLC_INT(p.v),
                       CLC_INT(p.column_inverse)));
    CLC_TRY(clc_gemm_build(sequence, graph->device, graph->gemm, &scores, graph->workspace,
                           "prototypes", node->layer));
fail:
    return status;
}

static clc_status backward_data(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const bool adds = node->adds[0];
    const clc_tensor *in = node->in[0];
    clc_gemm gemm = gemm_of(graph, node, DATA);
    char options[64];
    gemm.c = adds ? graph->workspace : in->grad;
    gemm.c_offset = adds ? du_offset(graph, node) : 0;
    CLC_TRY(clc_gemm_build(sequence, graph->device, graph->gemm, &gemm, graph->workspace,
                           "prototypes", node->layer));
    const clc_launch_spec spec = spec_of(graph, node, "prototypes_rows_backward", false, options);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &spec, CLC_MEM(node->saved->value),
                       CLC_INT(place(node).row_inverse), CLC_MEM(gemm.c), CLC_INT(gemm.c_offset),
                       CLC_MEM(in->grad), CLC_INT(clc_tensor_rows(in)), CLC_INT(adds)));
fail:
    return status;
}

static clc_status backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const places p = place(node);
    const clc_gemm weights = gemm_of(graph, node, WEIGHTS);
    char options[64];
    CLC_TRY(clc_gemm_build(sequence, graph->device, graph->gemm, &weights, graph->workspace,
                           "prototypes", node->layer));
    const clc_launch_spec spec = spec_of(graph, node, "prototypes_columns_backward", true, options);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &spec, CLC_MEM(node->saved->value), CLC_INT(p.v),
                       CLC_INT(p.column_inverse), CLC_MEM(clc_node_param(graph, node, 0)->grad)));
    if (node->in[0]->wants_grad)
        CLC_TRY(backward_data(graph, node, sequence));
fail:
    return status;
}

static clc_status plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    const prototypes_attr *attr = node->attr;
    (void)graph;
    *needs = (clc_needs){.out = clc_shape_channels(node->in[0]->shape, attr->count),
                         .saved = clc_shape_rows(1, (int)place(node).floats)};
    return CLC_OK;
}

static const clc_op prototypes = {"prototypes", sizeof(prototypes_attr), plan, workspace, forward,
                                  backward};

clc_status clc_op_prototypes(clc_graph *graph, const char *layer, clc_tensor *in, int count,
                             clc_tensor **out) {
    clc_status status = CLC_OK;
    const int shape[2] = {clc_tensor_channels(in), count};
    const prototypes_attr attr = {count};
    clc_node node = {.op = &prototypes, .in = {in}, .in_count = 1, .attr = &attr};
    CLC_TRY(clc_graph_param(graph, layer, &node, "weight", CLC_PARAM_LINEAR_WEIGHT, 2, shape));
    CLC_TRY(clc_graph_node(graph, layer, &node, out));
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
