#include "onnx/parts.h"

#include "core/text.h"
#include "op/attr.h"

#include <math.h>

clc_status clc_onnx_embedding(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    char table[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_param(tape, node, 0, table));
    CLC_TRY(clc_onnx_add(tape->model,
                         &(clc_onnx_node){"Gather", {table, clc_onnx_in(tape, node)}, out, NULL}));
fail:
    return status;
}

/* The convolution that follows cuts by itself. */
clc_status clc_onnx_patches(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    (void)out;
    return clc_text_format(clc_onnx_value(tape, node->out), CLC_ONNX_NAME_BYTES, "%s",
                           clc_onnx_in(tape, node));
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
    const clc_onnx_attr turn[] = {clc_onnx_order(3, 0, 2, 1, 0, 0), {0}};
    char weight[CLC_ONNX_NAME_BYTES], bias[CLC_ONNX_NAME_BYTES], shape[CLC_ONNX_NAME_BYTES];
    if (!a->bias || a->relu || node->in_count > 1)
        return clc_fail(CLC_INVALID, "%s: such a layer over patches can't be written as ONNX",
                        node->layer);
    CLC_TRY(clc_onnx_param(tape, node, 0, weight));
    CLC_TRY(clc_onnx_param(tape, node, 1, bias));
    CLC_TRY(clc_onnx_put_ints(tape, out, "shape", 3, rows, shape));
    clc_onnx_node nodes[] = {{"Conv", {NULL, weight, bias}, "map", window},
                             {"Reshape", {NULL, shape}, "columns", NULL},
                             {"Transpose", {NULL}, NULL, turn}};
    CLC_TRY(clc_onnx_chain(tape->model, clc_onnx_in(tape, node), nodes, 3, out));
fail:
    return status;
}

/* The token once for each sample, in front of the steps. */
clc_status clc_onnx_class_token(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const char *x = clc_onnx_in(tape, node);
    const int64_t one[] = {1, clc_tensor_channels(node->out)};
    const clc_onnx_attr batch[] = {clc_onnx_int("start", 0), clc_onnx_int("end", 1), {0}};
    const clc_onnx_attr front[] = {clc_onnx_int("axis", 0), {0}};
    const clc_onnx_attr along[] = {clc_onnx_int("axis", 1), {0}};
    char token[CLC_ONNX_NAME_BYTES], rest[CLC_ONNX_NAME_BYTES], shape[CLC_ONNX_NAME_BYTES],
        each[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_param(tape, node, 0, token));
    CLC_TRY(clc_onnx_put_ints(tape, out, "one", 2, one, rest));
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

clc_status clc_onnx_without_class_token(clc_onnx_tape *tape, const clc_node *node,
                                        const char *out) {
    if (((const clc_map_attr *)node->attr)->height)
        return clc_fail(CLC_INVALID, "%s: a map of tokens can't be written as ONNX", node->layer);
    return clc_onnx_slice(tape, clc_onnx_in(tape, node), 1, 1, node->in[0]->shape.dims[1], out);
}

/* As many rows of a table as the input has steps. */
static clc_status take_rows(clc_onnx_tape *tape, const clc_node *node, const char *table, int axis,
                            const char *out) {
    clc_status status = CLC_OK;
    const int64_t along = axis;
    const clc_onnx_attr steps[] = {clc_onnx_int("start", 1), clc_onnx_int("end", 2), {0}};
    char end[CLC_ONNX_NAME_BYTES], first[CLC_ONNX_NAME_BYTES], axes[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_inner(end, out, "end"));
    CLC_TRY(clc_onnx_put_ints(tape, out, "first", 1, &(int64_t){0}, first));
    CLC_TRY(clc_onnx_need_axes(tape, 1, &along, axes));
    CLC_TRY(clc_onnx_add(tape->model,
                         &(clc_onnx_node){"Shape", {clc_onnx_in(tape, node)}, end, steps}));
    CLC_TRY(
        clc_onnx_add(tape->model, &(clc_onnx_node){"Slice", {table, first, end, axes}, out, NULL}));
fail:
    return status;
}

clc_status clc_onnx_position(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const clc_param *table = clc_node_param(tape->graph, node, 0);
    const int steps = node->in[0]->shape.dims[1], axis = table->rank - 2;
    char all[CLC_ONNX_NAME_BYTES], used[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_param(tape, node, 0, all));
    CLC_TRY(clc_onnx_inner(used, out, "rows"));
    const bool part = tape->steps || table->shape[axis] > steps;
    if (part)
        CLC_TRY(take_rows(tape, node, all, axis, used));
    CLC_TRY(clc_onnx_add(
        tape->model,
        &(clc_onnx_node){"Add", {clc_onnx_in(tape, node), part ? used : all}, out, NULL}));
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
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"LayerNormalization",
                                                       {clc_onnx_in(tape, node), weight, bias},
                                                       out,
                                                       attrs}));
fail:
    return status;
}

/* x (1 + erf(x / sqrt(2))) / 2, or x sigmoid(1.702 x). */
clc_status clc_onnx_gelu(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const char *x = clc_onnx_in(tape, node);
    clc_onnx_node exact[] = {{"Mul", {NULL, "sqrt_half"}, "scaled", NULL},
                             {"Erf", {NULL}, "erf", NULL},
                             {"Add", {NULL, "one"}, "shifted", NULL},
                             {"Mul", {NULL, x}, "twice", NULL},
                             {"Mul", {NULL, "half"}, NULL, NULL}};
    clc_onnx_node quick[] = {{"Mul", {NULL, "1.702"}, "scaled", NULL},
                             {"Sigmoid", {NULL}, "sigmoid", NULL},
                             {"Mul", {NULL, x}, NULL, NULL}};
    if (((const clc_gelu_attr *)node->attr)->quick) {
        CLC_TRY(clc_onnx_need_number(tape, "1.702", 1.702));
        return clc_onnx_chain(tape->model, x, quick, 3, out);
    }
    CLC_TRY(clc_onnx_need_number(tape, "sqrt_half", sqrt(0.5)));
    CLC_TRY(clc_onnx_need_number(tape, "one", 1));
    CLC_TRY(clc_onnx_need_number(tape, "half", 0.5));
    CLC_TRY(clc_onnx_chain(tape->model, x, exact, 5, out));
fail:
    return status;
}
