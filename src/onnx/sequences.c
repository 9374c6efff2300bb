#include "onnx/parts.h"

#include "core/text.h"
#include "op/attr.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A constant "<out>.<word>" of whole numbers; `name` receives its name. */
static clc_status put_ints(clc_onnx_tape *tape, const char *out, const char *word, int n,
                           const int64_t *values, char name[CLC_ONNX_NAME_BYTES]) {
    clc_status status = CLC_OK;
    const int64_t dims[] = {n};
    CLC_TRY(clc_onnx_inner(name, out, word));
    CLC_TRY(clc_onnx_ints(tape->model, name, 1, dims, values));
fail:
    return status;
}

/* A number that several layers share. */
static clc_status need_number(clc_onnx_tape *tape, const char *name, double value) {
    const float number = (float)value;
    return clc_onnx_has(tape->model, name) ? CLC_OK
                                           : clc_onnx_floats(tape->model, name, 0, NULL, &number);
}

static clc_onnx_attr order(int count, int a, int b, int c, int d, int e) {
    return (clc_onnx_attr){
        .name = "perm", .kind = CLC_ONNX_INTS, .count = count, .ints = {a, b, c, d, e}};
}

static const char *input_of(const clc_onnx_tape *tape, const clc_node *node) {
    return clc_onnx_value(tape, node->in[0]);
}

static clc_status refuse_lengths(const clc_node *node) {
    return node->in_count < 2
               ? CLC_OK
               : clc_fail(CLC_INVALID,
                          "%s: %s of sequences that differ in length can't be written as ONNX yet",
                          node->layer, node->op->name);
}

/* The convolution that follows cuts by itself. */
clc_status clc_onnx_patches(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    (void)out;
    return clc_text_format(clc_onnx_value(tape, node->out), CLC_ONNX_NAME_BYTES, "%s",
                           input_of(tape, node));
}

clc_status clc_onnx_patch_projection(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const clc_linear_attr *a = node->attr;
    const int side = clc_node_param(tape->graph, node, 0)->shape[0];
    const int64_t rows[] = {0, a->outputs, -1};
    const clc_onnx_attr window[] = {
        {.name = "kernel_shape", .kind = CLC_ONNX_INTS, .count = 2, .ints = {side, side}},
        {.name = "strides", .kind = CLC_ONNX_INTS, .count = 2, .ints = {side, side}},
        {0}};
    const clc_onnx_attr turn[] = {order(3, 0, 2, 1, 0, 0), {0}};
    char weight[CLC_ONNX_NAME_BYTES], bias[CLC_ONNX_NAME_BYTES], shape[CLC_ONNX_NAME_BYTES];
    if (!a->bias || a->relu || node->in_count > 1)
        return clc_fail(CLC_INVALID, "%s: such a layer over patches can't be written as ONNX",
                        node->layer);
    CLC_TRY(clc_onnx_param(tape, node, 0, weight));
    CLC_TRY(clc_onnx_param(tape, node, 1, bias));
    CLC_TRY(put_ints(tape, out, "shape", 3, rows, shape));
    clc_onnx_node nodes[] = {{"Conv", {NULL, weight, bias}, "map", window},
                             {"Reshape", {NULL, shape}, "columns", NULL},
                             {"Transpose", {NULL}, NULL, turn}};
    CLC_TRY(clc_onnx_chain(tape->model, input_of(tape, node), nodes, 3, out));
fail:
    return status;
}

/* The token once for each sample, in front of the steps. */
clc_status clc_onnx_class_token(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const char *x = input_of(tape, node);
    const int64_t one[] = {1, clc_tensor_channels(node->out)};
    const clc_onnx_attr batch[] = {clc_onnx_int("start", 0), clc_onnx_int("end", 1), {0}};
    const clc_onnx_attr front[] = {clc_onnx_int("axis", 0), {0}};
    const clc_onnx_attr along[] = {clc_onnx_int("axis", 1), {0}};
    char token[CLC_ONNX_NAME_BYTES], rest[CLC_ONNX_NAME_BYTES], shape[CLC_ONNX_NAME_BYTES],
        each[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_param(tape, node, 0, token));
    CLC_TRY(put_ints(tape, out, "one", 2, one, rest));
    CLC_TRY(clc_onnx_inner(shape, out, "shape"));
    CLC_TRY(clc_onnx_inner(each, out, "tokens"));
    clc_onnx_node nodes[] = {{"Shape", {NULL}, "samples", batch},
                             {"Concat", {NULL, rest}, NULL, front}};
    CLC_TRY(clc_onnx_chain(tape->model, x, nodes, 2, shape));
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Expand", {token, shape}, each, NULL}));
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Concat", {each, x}, out, along}));
fail:
    return status;
}

/* Steps `first` to `end` - 1 along an axis. */
static clc_status slice(clc_onnx_tape *tape, const char *from, int axis, int first, int end,
                        const char *out) {
    clc_status status = CLC_OK;
    char names[3][CLC_ONNX_NAME_BYTES];
    CLC_TRY(put_ints(tape, out, "first", 1, &(int64_t){first}, names[0]));
    CLC_TRY(put_ints(tape, out, "end", 1, &(int64_t){end}, names[1]));
    CLC_TRY(put_ints(tape, out, "axis", 1, &(int64_t){axis}, names[2]));
    CLC_TRY(clc_onnx_add(
        tape->model, &(clc_onnx_node){"Slice", {from, names[0], names[1], names[2]}, out, NULL}));
fail:
    return status;
}

clc_status clc_onnx_without_class_token(clc_onnx_tape *tape, const clc_node *node,
                                        const char *out) {
    if (((const clc_map_attr *)node->attr)->height)
        return clc_fail(CLC_INVALID, "%s: a map of tokens can't be written as ONNX", node->layer);
    return slice(tape, input_of(tape, node), 1, 1, node->in[0]->shape.dims[1], out);
}

clc_status clc_onnx_position(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const clc_param *table = clc_node_param(tape->graph, node, 0);
    const int steps = node->in[0]->shape.dims[1], axis = table->rank - 2;
    char all[CLC_ONNX_NAME_BYTES], used[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_param(tape, node, 0, all));
    CLC_TRY(clc_onnx_inner(used, out, "rows"));
    const bool part = table->shape[axis] > steps;
    if (part)
        CLC_TRY(slice(tape, all, axis, 0, steps, used));
    CLC_TRY(clc_onnx_add(
        tape->model,
        &(clc_onnx_node){"Add", {input_of(tape, node), part ? used : all}, out, NULL}));
fail:
    return status;
}

clc_status clc_onnx_layernorm(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const clc_onnx_attr attrs[] = {
        clc_onnx_int("axis", -1),
        clc_onnx_float("epsilon", ((const clc_layernorm_attr *)node->attr)->eps),
        {0}};
    char weight[CLC_ONNX_NAME_BYTES], bias[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_param(tape, node, 0, weight));
    CLC_TRY(clc_onnx_param(tape, node, 1, bias));
    CLC_TRY(clc_onnx_add(
        tape->model,
        &(clc_onnx_node){"LayerNormalization", {input_of(tape, node), weight, bias}, out, attrs}));
fail:
    return status;
}

/* x (1 + erf(x / sqrt(2))) / 2, or x sigmoid(1.702 x). */
clc_status clc_onnx_gelu(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const char *x = input_of(tape, node);
    clc_onnx_node exact[] = {{"Mul", {NULL, "sqrt_half"}, "scaled", NULL},
                             {"Erf", {NULL}, "erf", NULL},
                             {"Add", {NULL, "one"}, "shifted", NULL},
                             {"Mul", {NULL, x}, "twice", NULL},
                             {"Mul", {NULL, "half"}, NULL, NULL}};
    clc_onnx_node quick[] = {{"Mul", {NULL, "1.702"}, "scaled", NULL},
                             {"Sigmoid", {NULL}, "sigmoid", NULL},
                             {"Mul", {NULL, x}, NULL, NULL}};
    if (((const clc_gelu_attr *)node->attr)->quick) {
        CLC_TRY(need_number(tape, "1.702", 1.702));
        return clc_onnx_chain(tape->model, x, quick, 3, out);
    }
    CLC_TRY(need_number(tape, "sqrt_half", sqrt(0.5)));
    CLC_TRY(need_number(tape, "one", 1));
    CLC_TRY(need_number(tape, "half", 0.5));
    CLC_TRY(clc_onnx_chain(tape->model, x, exact, 5, out));
fail:
    return status;
}

/* Queries, keys and values (N,heads,T,D) of qkv, as "<out>.q", ".k" and ".v"; keys turned:
 * (N,heads,D,T). */
static clc_status split_heads(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    static const char *const words[3] = {"q", "k", "v"};
    clc_status status = CLC_OK;
    const clc_attention *a = node->attr;
    const int *dims = node->out->shape.dims;
    const int64_t parts[] = {0, dims[1], 3, a->heads, dims[2] / a->heads};
    const clc_onnx_attr gather[] = {clc_onnx_int("axis", 2), {0}};
    char shape[CLC_ONNX_NAME_BYTES], all[CLC_ONNX_NAME_BYTES], which[CLC_ONNX_NAME_BYTES],
        name[CLC_ONNX_NAME_BYTES];
    CLC_TRY(put_ints(tape, out, "parts", 5, parts, shape));
    CLC_TRY(clc_onnx_inner(all, out, "qkv"));
    CLC_TRY(clc_onnx_add(tape->model,
                         &(clc_onnx_node){"Reshape", {input_of(tape, node), shape}, all, NULL}));
    for (int i = 0; i < 3; i++) {
        const clc_onnx_attr turn[] = {i == 1 ? order(4, 0, 2, 3, 1, 0) : order(4, 0, 2, 1, 3, 0),
                                      {0}};
        snprintf(which, sizeof which, "number.%d", i);
        if (!clc_onnx_has(tape->model, which))
            CLC_TRY(clc_onnx_ints(tape->model, which, 0, NULL, &(int64_t){i}));
        clc_onnx_node nodes[] = {{"Gather", {NULL, which}, "heads", gather},
                                 {"Transpose", {NULL}, NULL, turn}};
        CLC_TRY(clc_onnx_inner(name, out, words[i]));
        CLC_TRY(clc_onnx_chain(tape->model, all, nodes, 2, name));
    }
fail:
    return status;
}

clc_status clc_onnx_attention(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const clc_attention *a = node->attr;
    const int *dims = node->out->shape.dims;
    const int64_t rows[] = {0, dims[1], dims[2]};
    const clc_onnx_attr last[] = {clc_onnx_int("axis", -1), {0}};
    const clc_onnx_attr turn[] = {order(4, 0, 2, 1, 3, 0), {0}};
    char q[CLC_ONNX_NAME_BYTES], k[CLC_ONNX_NAME_BYTES], v[CLC_ONNX_NAME_BYTES],
        scale[CLC_ONNX_NAME_BYTES], shape[CLC_ONNX_NAME_BYTES];
    CLC_TRY(refuse_lengths(node));
    if (a->causal)
        return clc_fail(CLC_INVALID, "%s: causal attention can't be written as ONNX yet",
                        node->layer);
    CLC_TRY(split_heads(tape, node, out));
    CLC_TRY(clc_onnx_inner(q, out, "q"));
    CLC_TRY(clc_onnx_inner(k, out, "k"));
    CLC_TRY(clc_onnx_inner(v, out, "v"));
    CLC_TRY(clc_onnx_inner(scale, out, "scale"));
    CLC_TRY(need_number(tape, scale, 1 / sqrt(dims[2] / a->heads)));
    CLC_TRY(put_ints(tape, out, "rows", 3, rows, shape));
    clc_onnx_node nodes[] = {
        {"MatMul", {NULL, k}, "products", NULL}, {"Mul", {NULL, scale}, "scores", NULL},
        {"Softmax", {NULL}, "shares", last},     {"MatMul", {NULL, v}, "sums", NULL},
        {"Transpose", {NULL}, "steps", turn},    {"Reshape", {NULL, shape}, NULL, NULL}};
    CLC_TRY(clc_onnx_chain(tape->model, q, nodes, 6, out));
fail:
    return status;
}

clc_status clc_onnx_pool_tokens(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const clc_pooling pooling = ((const clc_pool_tokens_attr *)node->attr)->pooling;
    const clc_onnx_attr mean[] = {{.name = "axes", .kind = CLC_ONNX_INTS, .count = 1, .ints = {1}},
                                  clc_onnx_int("keepdims", 0),
                                  {0}};
    const clc_onnx_attr gather[] = {clc_onnx_int("axis", 1), {0}};
    clc_onnx_node means = {"ReduceMean", {input_of(tape, node)}, out, mean};
    clc_onnx_node first = {"Gather", {input_of(tape, node), "number.0"}, out, gather};
    CLC_TRY(refuse_lengths(node));
    if (pooling == CLC_POOLING_MEAN)
        return clc_onnx_add(tape->model, &means);
    if (pooling != CLC_POOLING_FIRST)
        return clc_fail(CLC_INVALID, "%s: that pooling can't be written as ONNX yet", node->layer);
    if (!clc_onnx_has(tape->model, "number.0"))
        CLC_TRY(clc_onnx_ints(tape->model, "number.0", 0, NULL, &(int64_t){0}));
    CLC_TRY(clc_onnx_add(tape->model, &first));
fail:
    return status;
}
