#include "op/batchnorm.h"

#include "core/math.h"
#include "op/attr.h"
#include "op/ops.h"

#include <math.h>
#include <stdio.h>

enum { ROWS_A_CHUNK = 512, MOST_CHUNKS = 512 };

/* Chunks of rows for the sums: short enough that single precision loses nothing that matters. */
static int chunks(const clc_device *device, int rows) {
    int n = rows / ROWS_A_CHUNK;
    n = n > MOST_CHUNKS ? MOST_CHUNKS : n;
    return n < (int)device->groups ? (int)device->groups : n;
}

size_t clc_batchnorm_workspace(const clc_device *device, int rows, int channels, int splits) {
    const size_t parts = (size_t)splits * (size_t)chunks(device, rows / splits);
    return (parts * 2 + 6) * (size_t)channels * sizeof(float);
}

typedef struct batchnorm_build {
    clc_sequence *sequence;
    clc_device *device;
    const clc_batchnorm_args *args;
    char options[64];
    int rows, chunks; /* of a split */
} batchnorm_build;

static batchnorm_build begin(clc_sequence *sequence, clc_device *device,
                             const clc_batchnorm_args *args) {
    const int rows = args->rows / args->splits;
    batchnorm_build b = {sequence, device, args, "", rows, chunks(device, rows)};
    snprintf(b.options, sizeof b.options, "-DC=%d -DVW=%u", args->channels,
             clc_item_width(device, (size_t)args->channels));
    return b;
}

/* A launch over chunks of rows of all splits (or, with `columns`, over vectors of channels) that
 * moves `passes` whole tensors. */
static clc_launch_spec spec(const batchnorm_build *b, const char *kernel, const char *op,
                            bool columns, int passes) {
    const clc_batchnorm_args *a = b->args;
    double count = (double)a->rows * a->channels;
    const size_t channels = (size_t)a->channels, items = b->device->group_size;
    const size_t vectors = channels / clc_item_width(b->device, channels);
    const bool gpu = b->device->profile == CLC_PROFILE_GPU;
    const size_t blocks = clc_ceil_div(vectors, items); /* of channels, one vector an item */
    return (clc_launch_spec){.source = "op/batchnorm.cl",
                             .kernel = kernel,
                             .options = b->options,
                             .groups = {columns ? blocks : (size_t)b->chunks,
                                        columns ? 1 : (size_t)a->splits,
                                        columns || !gpu ? 1 : blocks},
                             .local = {items},
                             .op = op,
                             .layer = a->layer,
                             .flops = columns ? 0 : 4 * count,
                             .bytes = columns ? 0 : 4 * count * passes};
}

static clc_status apply(const batchnorm_build *b, cl_mem saved, const char *op) {
    const clc_batchnorm_args *a = b->args;
    const clc_arg floor_value = CLC_FLOAT(a->relu ? 0.0f : -INFINITY);
    if (!a->residual) {
        clc_launch_spec s = spec(b, "batchnorm_apply", op, false, 2);
        return CLC_LAUNCH(b->sequence, b->device, &s, CLC_MEM(a->x), CLC_MEM(saved), CLC_MEM(a->y),
                          CLC_INT(b->rows), floor_value);
    }
    clc_launch_spec s = spec(b, "batchnorm_apply_residual", op, false, 3);
    return CLC_LAUNCH(b->sequence, b->device, &s, CLC_MEM(a->x), CLC_MEM(saved),
                      CLC_MEM(a->residual), CLC_MEM(a->y), CLC_INT(b->rows), floor_value);
}

clc_status clc_batchnorm_build_training(clc_sequence *sequence, clc_device *device,
                                        const clc_batchnorm_args *a) {
    clc_status status = CLC_OK;
    const char *op = "batchnorm_forward";
    batchnorm_build b = begin(sequence, device, a);
    clc_launch_spec sums = spec(&b, "batchnorm_statistics", op, false, 1);
    clc_launch_spec merge = spec(&b, "batchnorm_merge", op, true, 0);
    if (!a->fixed)
        CLC_TRY(CLC_LAUNCH(sequence, device, &sums, CLC_MEM(a->x), CLC_MEM(a->workspace),
                           CLC_INT(b.rows)));
    CLC_TRY(CLC_LAUNCH(sequence, device, &merge, CLC_MEM(a->workspace), CLC_MEM(a->weight),
                       CLC_MEM(a->bias), CLC_MEM(a->running_mean), CLC_MEM(a->running_variance),
                       CLC_MEM(a->saved), CLC_INT(b.rows), CLC_INT(b.chunks), CLC_INT(a->splits),
                       CLC_FLOAT(a->frozen ? 0 : 0.1), CLC_INT(a->fixed)));
    CLC_TRY(apply(&b, a->saved, op));
fail:
    return status;
}

clc_status clc_batchnorm_build_inference(clc_sequence *sequence, clc_device *device,
                                         const clc_batchnorm_args *a) {
    clc_status status = CLC_OK;
    const char *op = "batchnorm_inference";
    batchnorm_build b = begin(sequence, device, a);
    clc_launch_spec merge = spec(&b, "batchnorm_inference", op, true, 0);
    CLC_TRY(CLC_LAUNCH(sequence, device, &merge, CLC_MEM(a->weight), CLC_MEM(a->bias),
                       CLC_MEM(a->running_mean), CLC_MEM(a->running_variance),
                       CLC_MEM(a->workspace)));
    CLC_TRY(apply(&b, a->workspace, op));
fail:
    return status;
}

/* The last launch of backward: dx. The residual's gradient is the output's behind the mask, and
 * serves again, unless it holds more or nobody wants it. */
static clc_status apply_backward(const batchnorm_build *b) {
    const clc_batchnorm_args *a = b->args;
    const bool residual = a->residual != NULL;
    const clc_arg none = CLC_FLOAT(-INFINITY), floor_value = a->relu ? CLC_FLOAT(0.0f) : none;
    if (residual && (!a->dresidual || a->adds_dresidual || a->dx == a->dresidual)) {
        clc_launch_spec s =
            spec(b, "batchnorm_backward_apply_residual", "batchnorm_backward", false, 4);
        return CLC_LAUNCH(b->sequence, b->device, &s, CLC_MEM(a->x), CLC_MEM(a->dy), CLC_MEM(a->y),
                          CLC_MEM(a->saved), CLC_MEM(a->dx), CLC_INT(b->rows), floor_value,
                          CLC_INT(a->adds_dx));
    }
    clc_launch_spec s = spec(b, "batchnorm_backward_apply", "batchnorm_backward", false, 3);
    return CLC_LAUNCH(b->sequence, b->device, &s, CLC_MEM(a->x),
                      CLC_MEM(residual ? a->dresidual : a->dy), CLC_MEM(a->saved), CLC_MEM(a->dx),
                      CLC_INT(b->rows), residual ? none : floor_value, CLC_INT(a->adds_dx));
}

clc_status clc_batchnorm_build_backward(clc_sequence *sequence, clc_device *device,
                                        const clc_batchnorm_args *a) {
    clc_status status = CLC_OK;
    const char *op = "batchnorm_backward";
    batchnorm_build b = begin(sequence, device, a);
    const bool residual = a->residual != NULL;
    const clc_arg rows = CLC_INT(b.rows), floor_value = CLC_FLOAT(a->relu ? 0.0f : -INFINITY);
    clc_launch_spec sums =
        spec(&b, residual ? "batchnorm_backward_sums_residual" : "batchnorm_backward_sums", op,
             false, residual ? 4 : 2);
    clc_launch_spec merge = spec(&b, "batchnorm_backward_merge", op, true, 0);
    if (residual)
        CLC_TRY(CLC_LAUNCH(sequence, device, &sums, CLC_MEM(a->x), CLC_MEM(a->dy), CLC_MEM(a->y),
                           CLC_MEM(a->saved), CLC_MEM(a->dresidual ? a->dresidual : a->workspace),
                           CLC_MEM(a->workspace), rows, floor_value, CLC_INT(a->dresidual != NULL),
                           CLC_INT(a->adds_dresidual)));
    else
        CLC_TRY(CLC_LAUNCH(sequence, device, &sums, CLC_MEM(a->x), CLC_MEM(a->dy),
                           CLC_MEM(a->saved), CLC_MEM(a->workspace), rows, floor_value));
    CLC_TRY(CLC_LAUNCH(sequence, device, &merge, CLC_MEM(a->workspace), CLC_MEM(a->saved),
                       CLC_MEM(a->dweight), CLC_MEM(a->dbias), rows, CLC_INT(b.chunks),
                       CLC_INT(a->splits), CLC_INT(a->fixed)));
    if (a->dx)
        CLC_TRY(apply_backward(&b));
fail:
    return status;
}

/* ---- the node: inputs x and, optionally, the residual ---- */

enum { WEIGHT, BIAS, MEAN, VARIANCE, PARAMS };

static int splits_of(const clc_graph *graph, const clc_node *node) {
    return node->training ? graph->norm_splits : 1;
}

static clc_status plan(const clc_graph *graph, const clc_node *node, clc_needs *needs) {
    const clc_tensor *in = node->in[0];
    const int splits = splits_of(graph, node);
    if (clc_tensor_samples(in) % splits)
        return clc_fail(CLC_INVALID,
                        "%s: %d samples can't be split into %d equal parts for batch-norm",
                        node->layer, clc_tensor_samples(in), splits);
    *needs = (clc_needs){.out = in->shape, .keeps_in = {true}, .keeps_out = node->in_count > 1};
    if (node->training)
        needs->saved = clc_shape_rows(6 * splits, clc_tensor_channels(in));
    return CLC_OK;
}

static clc_batchnorm_args node_args(const clc_graph *graph, const clc_node *node) {
    const clc_tensor *in = node->in[0], *residual = node->in[1];
    const clc_param *weight = clc_node_param(graph, node, WEIGHT),
                    *bias = clc_node_param(graph, node, BIAS);
    return (clc_batchnorm_args){
        .rows = clc_tensor_rows(in),
        .channels = clc_tensor_channels(in),
        .splits = splits_of(graph, node),
        .frozen = graph->frozen,
        .fixed = graph->fixed_norm,
        .relu = ((const clc_batchnorm_attr *)node->attr)->relu,
        .x = in->value,
        .y = node->out->value,
        .residual = residual ? residual->value : NULL,
        .weight = weight->value,
        .bias = bias->value,
        .running_mean = clc_node_param(graph, node, MEAN)->value,
        .running_variance = clc_node_param(graph, node, VARIANCE)->value,
        .saved = node->saved ? node->saved->value : NULL,
        .dy = node->out->grad,
        .dx = in->grad,
        .dresidual = residual ? residual->grad : NULL,
        .adds_dx = node->adds[0],
        .adds_dresidual = node->adds[1],
        .dweight = weight->grad,
        .dbias = bias->grad,
        .workspace = graph->workspace,
        .layer = node->layer,
    };
}

static size_t workspace(const clc_graph *graph, const clc_node *node) {
    const clc_tensor *in = node->in[0];
    return clc_batchnorm_workspace(graph->device, clc_tensor_rows(in), clc_tensor_channels(in),
                                   splits_of(graph, node));
}

static clc_status forward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    const clc_batchnorm_args args = node_args(graph, node);
    return node->training ? clc_batchnorm_build_training(sequence, graph->device, &args)
                          : clc_batchnorm_build_inference(sequence, graph->device, &args);
}

static clc_status backward(clc_graph *graph, const clc_node *node, clc_sequence *sequence) {
    const clc_batchnorm_args args = node_args(graph, node);
    return clc_batchnorm_build_backward(sequence, graph->device, &args);
}

static const clc_op batchnorm = {"batchnorm", sizeof(clc_batchnorm_attr), plan, workspace, forward,
                                 backward};

clc_status clc_op_batchnorm(clc_graph *graph, const char *layer, clc_tensor *in,
                            clc_tensor *residual, bool relu, clc_tensor **out) {
    static const struct {
        const char *suffix;
        clc_param_kind kind;
    } params[PARAMS] = {[WEIGHT] = {"weight", CLC_PARAM_NORM_WEIGHT},
                        [BIAS] = {"bias", CLC_PARAM_NORM_BIAS},
                        [MEAN] = {"running_mean", CLC_PARAM_NORM_MEAN},
                        [VARIANCE] = {"running_var", CLC_PARAM_NORM_VARIANCE}};
    clc_status status = CLC_OK;
    const int channels = clc_tensor_channels(in);
    const clc_batchnorm_attr attr = {relu};
    clc_node node = {
        .op = &batchnorm, .in = {in, residual}, .in_count = residual ? 2 : 1, .attr = &attr};
    for (int i = 0; i < PARAMS; i++)
        CLC_TRY(
            clc_graph_param(graph, layer, &node, params[i].suffix, params[i].kind, 1, &channels));
    CLC_TRY(clc_graph_node(graph, layer, &node, out));
fail:
    return status;
}
