#include "core/math.h"
#include "op/ops.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

/* Windows as rows of a matrix, a product with the weights (taps,c,k), then bias and ReLU as in a
 * linear layer. `saved` holds the gradient behind the ReLU's mask. */

/* Floats of the matrix of windows; as many samples at a time as fit. */
enum { COLUMN_FLOATS = 8 << 20 };

typedef enum conv1d_pass { FORWARD, DATA, WEIGHTS } conv1d_pass;

static int channels(const clc_node *node) {
    return clc_tensor_channels(node->in[0]);
}

static int outputs(const clc_node *node) {
    return node->out->shape.dims[1];
}

/* Of a row of the matrix, and of a sample's rows. */
static size_t row_floats(const clc_node *node) {
    return (size_t)((const clc_conv1d *)node->attr)->kernel * (size_t)channels(node);
}

static int samples_at_once(const clc_node *node) {
    const int n = clc_tensor_samples(node->in[0]);
    const size_t one = (size_t)outputs(node) * row_floats(node);
    const size_t fit = one < COLUMN_FLOATS ? COLUMN_FLOATS / one : 1;
    return fit < (size_t)n ? (int)fit : n;
}

static clc_status plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    const clc_conv1d *s = node->attr;
    const clc_shape *in = &node->in[0]->shape;
    const int reach = (s->kernel - 1) * s->dilation + 1;
    (void)graph;
    assert(in->rank == 3 && in->type == CLC_TYPE_FLOAT32);
    *needs = (clc_needs){.out = *in, .keeps_in = {true, true}, .keeps_out = s->relu};
    needs->out.dims[1] = clc_window_positions(in->dims[1], reach, s->stride, s->pad);
    needs->out.dims[2] = s->filters;
    if (node->gradients && s->relu)
        needs->saved = needs->out;
    return CLC_OK;
}

/* The product for `samples` samples from `first` on; the windows lie at `offset` of the workspace.
 */
static clc_gemm product(const clc_graph *graph, const clc_node *node, conv1d_pass pass, int first,
                        int samples, size_t offset) {
    const clc_conv1d *s = node->attr;
    const size_t rows = (size_t)samples * (size_t)outputs(node), k = (size_t)s->filters;
    const size_t at = (size_t)first * (size_t)outputs(node) * k;
    const clc_param *weight = clc_node_param(graph, node, 0);
    const cl_mem d = s->relu && node->saved ? node->saved->value : node->out->grad;
    if (pass == FORWARD)
        return (clc_gemm){.m = rows,
                          .n = k,
                          .k = row_floats(node),
                          .a = graph->workspace,
                          .a_offset = offset,
                          .b = weight->value,
                          .c = node->out->value,
                          .c_offset = at};
    if (pass == DATA)
        return (clc_gemm){.transpose_b = true,
                          .m = rows,
                          .n = row_floats(node),
                          .k = k,
                          .a = d,
                          .a_offset = at,
                          .b = weight->value,
                          .c = graph->workspace,
                          .c_offset = offset};
    return (clc_gemm){.transpose_a = true,
                      .accumulate = first > 0,
                      .m = row_floats(node),
                      .n = k,
                      .k = rows,
                      .a = graph->workspace,
                      .a_offset = offset,
                      .b = d,
                      .b_offset = at,
                      .c = weight->grad};
}

/* Where the windows begin: behind the product's own workspace. */
static size_t column_offset(const clc_graph *graph, const clc_node *node) {
    size_t largest = 0;
    for (int i = FORWARD; i <= (node->gradients ? WEIGHTS : FORWARD); i++) {
        const clc_gemm gemm = product(graph, node, (conv1d_pass)i, 0, samples_at_once(node), 0);
        largest = clc_larger(largest, clc_gemm_workspace(graph->device, graph->gemm, &gemm));
    }
    return clc_ceil_div(largest, sizeof(float));
}

static size_t workspace(const clc_graph *graph, const clc_node *node) {
    const size_t rows = (size_t)samples_at_once(node) * (size_t)outputs(node);
    const size_t sums = graph->device->groups * (size_t)clc_tensor_channels(node->out);
    return clc_larger(column_offset(graph, node) + rows * row_floats(node), sums) * sizeof(float);
}

typedef struct build {
    char options[160];
    clc_launch_spec spec;
    size_t offset;
} build;

static const char *const names[] = {"conv1d_forward", "conv1d_backward_data",
                                    "conv1d_backward_weights"};

/* A launch of conv1d.cl; `b` must live until it is added. */
static void begin(build *b, const clc_graph *graph, const clc_node *node, const char *kernel,
                  conv1d_pass pass, int samples) {
    const clc_conv1d *s = node->attr;
    const double moved = (double)samples * outputs(node) * (double)row_floats(node);
    snprintf(
        b->options, sizeof b->options,
        "-DVW=%u -DC=%d -DSTEPS=%d -DOUTPUTS=%d -DKERNEL=%d -DSTRIDE=%d -DPAD=%d -DDILATION=%d",
        clc_item_width(graph->device, (size_t)channels(node)), channels(node),
        node->in[0]->shape.dims[1], outputs(node), s->kernel, s->stride, s->pad, s->dilation);
    b->offset = column_offset(graph, node);
    b->spec = (clc_launch_spec){.source = "op/conv1d.cl",
                                .kernel = kernel,
                                .options = b->options,
                                .groups = {(size_t)graph->device->groups * 4},
                                .local = {graph->device->group_size},
                                .op = names[pass],
                                .layer = node->layer,
                                .bytes = 8 * moved};
}

static clc_status add_chunk(clc_graph *graph, const clc_node *node, clc_sequence *sequence,
                            conv1d_pass pass, int first, int samples) {
    clc_status status = CLC_OK;
    const clc_tensor *x = node->in[0];
    const clc_arg lengths = CLC_MEM(node->in_count > 1 ? node->in[1]->value : x->value);
    const clc_arg has_lengths = CLC_INT(node->in_count > 1);
    build b;
    begin(&b, graph, node, pass == DATA ? "conv1d_col2im" : "conv1d_im2col", pass, samples);
    const clc_gemm gemm = product(graph, node, pass, first, samples, b.offset);
    if (pass != DATA)
        CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(x->value), lengths,
                           CLC_MEM(graph->workspace), CLC_INT(b.offset), CLC_INT(first),
                           CLC_INT(samples), has_lengths));
    CLC_TRY(clc_gemm_build(sequence, graph->device, graph->gemm, &gemm, graph->workspace,
                           names[pass], node->layer));
    if (pass == DATA)
        CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(graph->workspace), lengths,
                           CLC_MEM(x->grad), CLC_INT(b.offset), CLC_INT(first), CLC_INT(samples),
                           has_lengths, CLC_INT(node->adds[0])));
fail:
    return status;
}

static clc_status add_pass(clc_graph *graph, const clc_node *node, clc_sequence *sequence,
                           conv1d_pass pass) {
    clc_status status = CLC_OK;
    const int n = clc_tensor_samples(node->in[0]), step = samples_at_once(node);
    for (int first = 0; first < n && status == CLC_OK; first += step)
        status = add_chunk(graph, node, sequence, pass, first, n - first < step ? n - first : step);
    return status;
}

/* A launch of linear.cl over the outputs. */
static void begin_tail(build *b, const clc_graph *graph, const clc_node *node, const char *kernel,
                       size_t groups) {
    const clc_tensor *y = node->out;
    const int k = clc_tensor_channels(y);
    snprintf(b->options, sizeof b->options, "-DK=%d -DVW=%u", k,
             clc_item_width(graph->device, (size_t)k));
    b->spec = (clc_launch_spec){.source = "op/linear.cl",
                                .kernel = kernel,
                                .options = b->options,
                                .groups = {groups},
                                .local = {graph->device->group_size},
                                .layer = node->layer,
                                .flops = (double)y->count,
                                .bytes = 8.0 * (double)y->count};
}

static clc_status forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const clc_conv1d *settings = node->attr;
    build b;
    CLC_TRY(add_pass(graph, node, sequence, FORWARD));
    begin_tail(&b, graph, node, "linear_bias", graph->device->groups);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(node->out->value),
                       CLC_MEM(clc_node_param(graph, node, 1)->value), CLC_MEM(node->out->value),
                       CLC_INT(clc_tensor_rows(node->out)), CLC_INT(true), CLC_INT(false),
                       CLC_FLOAT(settings->relu ? 0.0f : -INFINITY)));
fail:
    return status;
}

static clc_status backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const size_t groups = graph->device->groups, k = (size_t)clc_tensor_channels(node->out);
    const size_t vectors = k / clc_item_width(graph->device, k);
    const bool relu = ((const clc_conv1d *)node->attr)->relu;
    cl_mem dy = node->out->grad;
    build b;
    begin_tail(&b, graph, node, "linear_bias_backward", groups);
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(relu ? node->out->value : dy),
                       CLC_MEM(dy), CLC_MEM(relu ? node->saved->value : graph->workspace),
                       CLC_MEM(graph->workspace), CLC_INT(clc_tensor_rows(node->out)),
                       CLC_INT(relu), CLC_INT(true)));
    begin_tail(&b, graph, node, "linear_bias_merge",
               clc_ceil_div(vectors, graph->device->group_size));
    CLC_TRY(CLC_LAUNCH(sequence, graph->device, &b.spec, CLC_MEM(graph->workspace),
                       CLC_MEM(clc_node_param(graph, node, 1)->grad), CLC_INT(groups)));
    CLC_TRY(add_pass(graph, node, sequence, WEIGHTS));
    if (node->in[0]->wants_grad)
        CLC_TRY(add_pass(graph, node, sequence, DATA));
fail:
    return status;
}

static const clc_op conv1d = {"conv1d", sizeof(clc_conv1d), plan, workspace, forward, backward};

clc_status clc_op_conv1d(clc_graph *graph, const char *layer, clc_tensor *in, clc_tensor *lengths,
                         const clc_conv1d *settings, clc_tensor **out) {
    clc_status status = CLC_OK;
    const int shape[3] = {settings->kernel, clc_tensor_channels(in), settings->filters};
    clc_node node = {
        .op = &conv1d, .in = {in, lengths}, .in_count = lengths ? 2 : 1, .attr = settings};
    CLC_TRY(clc_graph_param(graph, layer, &node, "weight", CLC_PARAM_CONV_WEIGHT, 3, shape));
    CLC_TRY(
        clc_graph_param(graph, layer, &node, "bias", CLC_PARAM_LINEAR_BIAS, 1, &settings->filters));
    graph->params->items[node.params[1]].initial = 1.0f / sqrtf((float)(shape[0] * shape[1]));
    CLC_TRY(clc_graph_node(graph, layer, &node, out));
fail:
    return status;
}
