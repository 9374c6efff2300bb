#include "core/math.h"
#include "core/text.h"
#include "op/attr.h"
#include "op/ops.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

/* A layer of nn.GRU or nn.LSTM, one or both directions: inputs times their weights for all steps at
 * once, then all steps in one launch; backward the same, then the weights' gradients for all steps
 * at once. The kernels and what `saved` holds: cl/op/recurrent.h. */

enum { WEIGHT_IH, WEIGHT_HH, BIAS_IH, BIAS_HH, PARAMS }; /* of a direction */
enum { SUMS = 4, MARGIN = 16, MOST_ROWS = 12 };          /* as in recurrent.h */
enum { LOCAL_FLOATS = 8192 };                            /* that the smallest GPUs have a group */

static int sequences(const clc_node *node) {
    return node->in[0]->shape.dims[0];
}

static int steps(const clc_node *node) {
    return node->in[0]->shape.dims[1];
}

static size_t places(const clc_node *node) {
    return (size_t)sequences(node) * (size_t)steps(node);
}

/* Floats of a direction in `saved`, of its packed weights, of its gates. */
static size_t saved_floats(const clc_node *node) {
    const clc_recurrent_attr *a = node->attr;
    return places(node) * (size_t)(a->gates + 2) * (size_t)a->hidden;
}

static size_t gate_floats(const clc_node *node) {
    const clc_recurrent_attr *a = node->attr;
    return places(node) * (size_t)a->gates * (size_t)a->hidden;
}

static size_t weight_floats(const clc_recurrent_attr *a) {
    return (size_t)a->gates * (size_t)a->hidden * (size_t)a->hidden;
}

/* Floats that a group of backward shares, a sequence; forward needs less. */
static int shared_floats(const clc_recurrent_attr *a) {
    const int carried = a->gates == 4 ? 2 : 1;
    return (a->gates + carried) * a->hidden + (1 + carried) * MARGIN;
}

/* Sequences of a group: on CPU devices as many as registers hold tiles of two vectors of, three of
 * GRU's forward pass, unless that leaves processors without work; on GPUs as fit in local memory.
 */
static int group_rows(const clc_graph *graph, const clc_node *node, bool backward) {
    const clc_recurrent_attr *a = node->attr;
    const clc_device *device = graph->device;
    const int fit = LOCAL_FLOATS / shared_floats(a), most = a->gates == 4 ? 2 : 4;
    int rows = device->vector_width >= 16 ? 24 : 12;
    rows /= a->gates == 3 && !backward ? 3 : 2;
    if (device->profile == CLC_PROFILE_GPU)
        rows = fit < most ? fit : most;
    const int units = device->info.compute_units ? (int)device->info.compute_units : 1;
    const int each = clc_ceil_div_int(sequences(node) * a->directions, units);
    return each < rows ? each : rows;
}

static int group_count(const clc_graph *graph, const clc_node *node, bool backward) {
    return clc_ceil_div_int(sequences(node), group_rows(graph, node, backward));
}

static clc_status plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    const clc_recurrent_attr *a = node->attr;
    const clc_shape *in = &node->in[0]->shape;
    assert(in->rank == 3 && in->type == CLC_TYPE_FLOAT32);
    if (graph->device->profile == CLC_PROFILE_GPU && shared_floats(a) > LOCAL_FLOATS)
        return clc_fail(CLC_INVALID,
                        "%s %s: %d hidden channels are more than a work-group's local memory "
                        "holds, %d; use fewer or more layers",
                        node->op->name, node->layer, a->hidden,
                        (LOCAL_FLOATS - 3 * MARGIN) / (a->gates == 4 ? 6 : 4));
    *needs = (clc_needs){
        .out = clc_shape_channels(*in, a->directions * a->hidden),
        .saved = clc_shape_rows((int)places(node), a->directions * (a->gates + 2) * a->hidden),
        .keeps_in = {true, true}};
    return CLC_OK;
}

/* The three products with all places as rows or as what is summed over. */
typedef enum product { INPUT, DATA, WEIGHTS, HIDDEN_WEIGHTS } product;

static const clc_param *param_of(const clc_graph *graph, const clc_node *node, int direction,
                                 int which) {
    return clc_node_param(graph, node, direction * PARAMS + which);
}

static clc_gemm gemm_of(const clc_graph *graph, const clc_node *node, int direction,
                        product which) {
    const clc_recurrent_attr *a = node->attr;
    const size_t n = places(node), k = (size_t)clc_tensor_channels(node->in[0]),
                 gates = (size_t)(a->gates * a->hidden), h = (size_t)a->hidden;
    const cl_mem x = node->in[0]->value, saved = node->saved->value;
    const size_t at = (size_t)direction * saved_floats(node);
    const clc_param *w = param_of(graph, node, direction, WEIGHT_IH);
    switch (which) {
    case INPUT:
        return (clc_gemm){
            .m = n, .n = gates, .k = k, .a = x, .b = w->value, .c = saved, .c_offset = at};
    case DATA:
        return (clc_gemm){.transpose_b = true,
                          .accumulate = direction > 0 || node->adds[0],
                          .m = n,
                          .n = k,
                          .k = gates,
                          .a = saved,
                          .a_offset = at,
                          .b = w->value,
                          .c = node->in[0]->grad};
    case WEIGHTS:
        return (clc_gemm){.transpose_a = true,
                          .m = k,
                          .n = gates,
                          .k = n,
                          .a = x,
                          .b = saved,
                          .b_offset = at,
                          .c = w->grad};
    default:
        return (clc_gemm){.transpose_a = true,
                          .m = h,
                          .n = gates,
                          .k = n,
                          .a = saved,
                          .a_offset = at + n * (gates + h),
                          .b = saved,
                          .b_offset = at,
                          .c = param_of(graph, node, direction, WEIGHT_HH)->grad};
    }
}

/* The workspace begins with what a product or the packed weights take; GRU's gradients in front of
 * the gates and the sums of the groups lie behind. */
static size_t region_floats(const clc_graph *graph, const clc_node *node) {
    const clc_recurrent_attr *a = node->attr;
    const size_t h = (size_t)a->hidden;
    size_t largest = (size_t)a->directions * (weight_floats(a) + SUMS * h) * sizeof(float);
    for (int i = INPUT; i <= (node->gradients ? HIDDEN_WEIGHTS : INPUT); i++) {
        const clc_gemm gemm = gemm_of(graph, node, 0, (product)i);
        largest = clc_larger(largest, clc_gemm_workspace(graph->device, graph->gemm, &gemm));
    }
    return clc_ceil_div(largest, sizeof(float));
}

static size_t hidden_floats(const clc_node *node) {
    const clc_recurrent_attr *a = node->attr;
    return a->gates == 3 ? (size_t)a->directions * gate_floats(node) : 0;
}

static size_t workspace(const clc_graph *graph, const clc_node *node) {
    const clc_recurrent_attr *a = node->attr;
    size_t floats = region_floats(graph, node);
    if (node->gradients)
        floats += hidden_floats(node) + (size_t)(a->directions * group_count(graph, node, true)) *
                                            SUMS * (size_t)a->hidden;
    return floats * sizeof(float);
}

typedef struct build {
    char options[160], source[32], kernel[32];
    clc_launch_spec spec;
} build;

/* A launch of `groups` groups; `b` must live until it is added. */
static void begin(build *b, const clc_graph *graph, const clc_node *node, const char *kernel,
                  bool backward, size_t groups) {
    const clc_recurrent_attr *a = node->attr;
    const bool lstm = a->gates == 4;
    const unsigned width = clc_item_width(graph->device, (size_t)a->hidden);
    const bool pairs =
        graph->device->profile == CLC_PROFILE_CPU && (unsigned)a->hidden / width % 2 == 0;
    snprintf(b->options, sizeof b->options, "-DH=%d -DROWS=%d -DNV=%d -DDIRECTIONS=%d -DVW=%u",
             a->hidden, group_rows(graph, node, backward), pairs ? 2 : 1, a->directions, width);
    b->spec = (clc_launch_spec){.source = lstm ? "op/lstm.cl" : "op/gru.cl",
                                .kernel = kernel,
                                .options = b->options,
                                .groups = {groups},
                                .local = {graph->device->group_size},
                                .op = lstm ? (backward ? "lstm_backward" : "lstm_forward")
                                           : (backward ? "gru_backward" : "gru_forward"),
                                .layer = node->layer,
                                .bytes = 8.0 * (double)weight_floats(a)};
}

/* Of the launch over all steps. */
static void count_steps(build *b, const clc_node *node, double floats) {
    const clc_recurrent_attr *a = node->attr;
    const double all = (double)places(node) * a->directions * a->hidden;
    b->spec.groups[1] = (size_t)a->directions;
    b->spec.flops = 2 * all * a->gates * a->hidden;
    b->spec.bytes = 4 * all * floats;
}

static clc_status add_product(clc_graph *graph, const clc_node *node, clc_sequence *sequence,
                              const clc_gemm *gemm, const char *const names[2]) {
    const bool lstm = ((const clc_recurrent_attr *)node->attr)->gates == 4;
    return clc_gemm_build(sequence, graph->device, graph->gemm, gemm, graph->workspace, names[lstm],
                          node->layer);
}

static clc_arg lengths_of(const clc_node *node) {
    return CLC_MEM(node->in_count > 1 ? node->in[1]->value : node->in[0]->value);
}

static clc_status forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    static const char *const names[2] = {"gru_input", "lstm_input"};
    const clc_recurrent_attr *a = node->attr;
    clc_device *device = graph->device;
    build b;
    for (int d = 0; d < a->directions; d++) {
        const clc_gemm gemm = gemm_of(graph, node, d, INPUT);
        CLC_TRY(add_product(graph, node, sequence, &gemm, names));
    }
    for (int d = 0; d < a->directions; d++) {
        begin(&b, graph, node, "recurrent_pack", false, device->groups);
        CLC_TRY(CLC_LAUNCH(
            sequence, device, &b.spec, CLC_MEM(param_of(graph, node, d, WEIGHT_HH)->value),
            CLC_MEM(param_of(graph, node, d, BIAS_IH)->value),
            CLC_MEM(param_of(graph, node, d, BIAS_HH)->value), CLC_MEM(graph->workspace),
            CLC_INT((size_t)d * (weight_floats(a) + SUMS * (size_t)a->hidden))));
    }
    begin(&b, graph, node, a->gates == 4 ? "lstm_forward" : "gru_forward", false,
          (size_t)group_count(graph, node, false));
    count_steps(&b, node, 2 * a->gates + 3);
    CLC_TRY(CLC_LAUNCH(sequence, device, &b.spec, CLC_MEM(node->saved->value),
                       CLC_MEM(graph->workspace), lengths_of(node), CLC_MEM(node->out->value),
                       CLC_INT(sequences(node)), CLC_INT(steps(node)), CLC_INT(node->in_count > 1),
                       CLC_INT(node->gradients)));
fail:
    return status;
}

/* All steps back: gradients in front of the gates, and the biases'. */
static clc_status steps_backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const clc_recurrent_attr *a = node->attr;
    clc_device *device = graph->device;
    const int groups = group_count(graph, node, true), h = a->hidden;
    const size_t hidden = region_floats(graph, node), sums = hidden + hidden_floats(node);
    build b;
    for (int d = 0; d < a->directions; d++) {
        begin(&b, graph, node, "recurrent_pack_transposed", true, device->groups);
        CLC_TRY(CLC_LAUNCH(sequence, device, &b.spec,
                           CLC_MEM(param_of(graph, node, d, WEIGHT_HH)->value),
                           CLC_MEM(graph->workspace), CLC_INT((size_t)d * weight_floats(a))));
    }
    begin(&b, graph, node, a->gates == 4 ? "lstm_backward" : "gru_backward", true, (size_t)groups);
    count_steps(&b, node, a->gates == 4 ? 10 : 12);
    CLC_TRY(CLC_LAUNCH(sequence, device, &b.spec, CLC_MEM(node->saved->value),
                       CLC_MEM(graph->workspace), lengths_of(node), CLC_MEM(node->out->grad),
                       CLC_MEM(graph->workspace), CLC_INT(hidden), CLC_INT(sums),
                       CLC_INT(sequences(node)), CLC_INT(steps(node)),
                       CLC_INT(node->in_count > 1)));
    const size_t vectors = (size_t)h / clc_item_width(device, (size_t)h);
    for (int d = 0; d < a->directions; d++) {
        begin(&b, graph, node, "recurrent_bias", true, clc_ceil_div(vectors, device->group_size));
        CLC_TRY(CLC_LAUNCH(sequence, device, &b.spec, CLC_MEM(graph->workspace),
                           CLC_MEM(param_of(graph, node, d, BIAS_IH)->grad),
                           CLC_MEM(param_of(graph, node, d, BIAS_HH)->grad),
                           CLC_INT(sums + (size_t)d * (size_t)groups * SUMS * (size_t)h),
                           CLC_INT(groups)));
    }
fail:
    return status;
}

static clc_status weights_backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence,
                                   int direction) {
    clc_status status = CLC_OK;
    static const char *const names[2] = {"gru_backward_weights", "lstm_backward_weights"};
    clc_gemm gemm = gemm_of(graph, node, direction, WEIGHTS);
    CLC_TRY(add_product(graph, node, sequence, &gemm, names));
    gemm = gemm_of(graph, node, direction, HIDDEN_WEIGHTS);
    if (hidden_floats(node)) {
        gemm.b = graph->workspace;
        gemm.b_offset = region_floats(graph, node) + (size_t)direction * gate_floats(node);
    }
    CLC_TRY(add_product(graph, node, sequence, &gemm, names));
fail:
    return status;
}

static clc_status backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    static const char *const names[2] = {"gru_backward_data", "lstm_backward_data"};
    CLC_TRY(steps_backward(graph, node, sequence));
    for (int d = 0; d < ((const clc_recurrent_attr *)node->attr)->directions; d++) {
        CLC_TRY(weights_backward(graph, node, sequence, d));
        const clc_gemm gemm = gemm_of(graph, node, d, DATA);
        if (node->in[0]->wants_grad)
            CLC_TRY(add_product(graph, node, sequence, &gemm, names));
    }
fail:
    return status;
}

static const clc_op gru = {"gru", sizeof(clc_recurrent_attr), plan, workspace, forward, backward};
static const clc_op lstm = {"lstm", sizeof(clc_recurrent_attr), plan, workspace, forward, backward};

/* One of a direction's parameters; all begin uniform in +-1/sqrt(hidden), as PyTorch's. */
static clc_status add_param(clc_graph *graph, const char *layer, const clc_recurrent_attr *a,
                            clc_node *node, int inputs, int which, const char *suffix) {
    static const char *const names[PARAMS] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
    clc_status status = CLC_OK;
    char name[64];
    const int columns = a->gates * a->hidden;
    const bool weight = which == WEIGHT_IH || which == WEIGHT_HH;
    const int shape[2] = {which == WEIGHT_IH ? inputs : a->hidden, columns};
    CLC_TRY(clc_text_format(name, sizeof name, "%s_%s", names[which], suffix));
    CLC_TRY(clc_graph_param(graph, layer, node, name,
                            weight ? CLC_PARAM_LINEAR_WEIGHT : CLC_PARAM_LINEAR_BIAS,
                            weight ? 2 : 1, weight ? shape : &columns));
    graph->params->items[node->params[node->param_count - 1]].initial =
        1.0f / sqrtf((float)a->hidden);
fail:
    return status;
}

clc_status clc_op_recurrent(clc_graph *graph, const char *layer, clc_tensor *in,
                            clc_tensor *lengths, const clc_recurrent *settings, clc_tensor **out) {
    clc_status status = CLC_OK;
    const clc_recurrent_attr a = {settings->hidden, settings->lstm ? 4 : 3,
                                  settings->bidirectional ? 2 : 1};
    clc_node node = {.op = settings->lstm ? &lstm : &gru,
                     .in = {in, lengths},
                     .in_count = lengths ? 2 : 1,
                     .attr = &a};
    char suffix[24], name[64];
    for (int d = 0; d < a.directions; d++) {
        CLC_TRY(
            clc_text_format(suffix, sizeof suffix, "l%d%s", settings->index, d ? "_reverse" : ""));
        for (int which = 0; which < PARAMS; which++)
            CLC_TRY(add_param(graph, layer, &a, &node, clc_tensor_channels(in), which, suffix));
    }
    CLC_TRY(clc_text_format(name, sizeof name, "%s.l%d", layer, settings->index));
    CLC_TRY(clc_graph_node(graph, name, &node, out));
fail:
    return status;
}
