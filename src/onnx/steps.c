/* Steps of sequences that differ in length: which count, and layers that must know. */
#include "onnx/parts.h"

#include "core/text.h"
#include "op/attr.h"

#include <stdio.h>

/* Steps that class tokens put in front. */
static int front_of(const clc_onnx_tape *tape, const clc_node *node) {
    return tape->steps ? node->in[0]->shape.dims[1] - tape->steps : 0;
}

static clc_status name_of(const char *word, int front, char name[CLC_ONNX_NAME_BYTES]) {
    return front ? clc_text_format(name, CLC_ONNX_NAME_BYTES, "%s.front%d", word, front)
                 : clc_text_format(name, CLC_ONNX_NAME_BYTES, "%s", word);
}

clc_status clc_onnx_step_numbers(clc_onnx_tape *tape, const clc_node *node,
                                 char name[CLC_ONNX_NAME_BYTES]) {
    clc_status status = CLC_OK;
    char count[CLC_ONNX_NAME_BYTES], zero[CLC_ONNX_NAME_BYTES], one[CLC_ONNX_NAME_BYTES];
    CLC_TRY(name_of("step_numbers", front_of(tape, node), name));
    if (clc_onnx_has(tape->model, name))
        return CLC_OK;
    CLC_TRY(clc_onnx_need_int(tape, 0, zero));
    CLC_TRY(clc_onnx_need_int(tape, 1, one));
    CLC_TRY(clc_onnx_inner(count, name, "count"));
    clc_onnx_node nodes[] = {{"Shape", {NULL}, "shape", NULL}, {"Gather", {NULL, one}, NULL, NULL}};
    CLC_TRY(clc_onnx_chain(tape->model, clc_onnx_in(tape, node), nodes, 2, count));
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Range", {zero, count, one}, name, NULL}));
fail:
    return status;
}

clc_status clc_onnx_valid(clc_onnx_tape *tape, const clc_node *node,
                          char name[CLC_ONNX_NAME_BYTES]) {
    clc_status status = CLC_OK;
    const int front = front_of(tape, node);
    const char *lengths = clc_onnx_value(tape, node->in[1]);
    char numbers[CLC_ONNX_NAME_BYTES], shift[CLC_ONNX_NAME_BYTES], axis[CLC_ONNX_NAME_BYTES],
        ends[CLC_ONNX_NAME_BYTES];
    CLC_TRY(name_of("valid", front, name));
    if (clc_onnx_has(tape->model, name))
        return CLC_OK;
    CLC_TRY(clc_onnx_step_numbers(tape, node, numbers));
    CLC_TRY(clc_onnx_need_axes(tape, 1, (int64_t[]){1}, axis));
    CLC_TRY(clc_onnx_inner(ends, name, "ends"));
    clc_onnx_node nodes[2] = {0};
    int n = 0;
    if (front) {
        CLC_TRY(clc_onnx_need_int(tape, front, shift));
        nodes[n++] = (clc_onnx_node){"Add", {NULL, shift}, "all", NULL};
    }
    nodes[n++] = (clc_onnx_node){"Unsqueeze", {NULL, axis}, NULL, NULL};
    CLC_TRY(clc_onnx_chain(tape->model, lengths, nodes, n, ends));
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Less", {numbers, ends}, name, NULL}));
fail:
    return status;
}

/* The node's first input with 0 beyond the lengths; *from receives its name, which `name` holds
 * unless all steps count. */
static clc_status mask(clc_onnx_tape *tape, const clc_node *node, const char *out,
                       char name[CLC_ONNX_NAME_BYTES], const char **from) {
    clc_status status = CLC_OK;
    char valid[CLC_ONNX_NAME_BYTES], rows[CLC_ONNX_NAME_BYTES];
    *from = clc_onnx_in(tape, node);
    if (node->in_count < 2)
        return CLC_OK;
    CLC_TRY(clc_onnx_valid(tape, node, valid));
    CLC_TRY(clc_onnx_inner(rows, valid, "rows"));
    if (!clc_onnx_has(tape->model, rows))
        CLC_TRY(clc_onnx_unsqueeze(tape, valid, 1, (int64_t[]){2}, rows));
    CLC_TRY(clc_onnx_need_number(tape, "zero", 0));
    CLC_TRY(clc_onnx_inner(name, out, "masked"));
    CLC_TRY(
        clc_onnx_add(tape->model, &(clc_onnx_node){"Where", {rows, *from, "zero"}, name, NULL}));
    *from = name;
fail:
    return status;
}

static clc_onnx_attr number(const char *name, int64_t value) {
    return (clc_onnx_attr){.name = name, .kind = CLC_ONNX_INTS, .count = 1, .ints = {value}};
}

clc_status clc_onnx_conv1d(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const clc_conv1d *a = node->attr;
    const clc_onnx_attr attrs[] = {
        number("kernel_shape", a->kernel),
        number("strides", a->stride),
        number("dilations", a->dilation),
        {.name = "pads", .kind = CLC_ONNX_INTS, .count = 2, .ints = {a->pad, a->pad}},
        {0}};
    const clc_onnx_attr turn[] = {clc_onnx_order(3, 0, 2, 1, 0, 0), {0}};
    char weight[CLC_ONNX_NAME_BYTES], bias[CLC_ONNX_NAME_BYTES], masked[CLC_ONNX_NAME_BYTES];
    const char *from;
    CLC_TRY(clc_onnx_param(tape, node, 0, weight));
    CLC_TRY(clc_onnx_param(tape, node, 1, bias));
    CLC_TRY(mask(tape, node, out, masked, &from));
    clc_onnx_node nodes[4] = {{"Transpose", {NULL}, "columns", turn},
                              {"Conv", {NULL, weight, bias}, "conv", attrs}};
    int n = 2;
    if (a->relu)
        nodes[n++] = (clc_onnx_node){"Relu", {NULL}, "relu", NULL};
    nodes[n++] = (clc_onnx_node){"Transpose", {NULL}, NULL, turn};
    CLC_TRY(clc_onnx_chain(tape->model, from, nodes, n, out));
fail:
    return status;
}

/* How many steps count, as `name`. */
static clc_status count_steps(clc_onnx_tape *tape, const clc_node *node, const char *name) {
    clc_status status = CLC_OK;
    const clc_onnx_attr to[] = {clc_onnx_int("to", clc_onnx_numbers(tape->model)), {0}};
    char axis[CLC_ONNX_NAME_BYTES];
    if (node->in_count < 2)
        return clc_onnx_need_number(tape, name, node->in[0]->shape.dims[1]);
    CLC_TRY(clc_onnx_need_axes(tape, 1, (int64_t[]){1}, axis));
    clc_onnx_node nodes[] = {{"Unsqueeze", {NULL, axis}, "lengths", NULL},
                             {"Cast", {NULL}, NULL, to}};
    CLC_TRY(clc_onnx_chain(tape->model, clc_onnx_value(tape, node->in[1]), nodes, 2, name));
fail:
    return status;
}

static clc_status mean(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const clc_onnx_attr flat[] = {clc_onnx_int("keepdims", 0), {0}};
    char masked[CLC_ONNX_NAME_BYTES], axis[CLC_ONNX_NAME_BYTES], count[CLC_ONNX_NAME_BYTES];
    const char *from;
    CLC_TRY(mask(tape, node, out, masked, &from));
    CLC_TRY(clc_onnx_inner(count, out, "count"));
    CLC_TRY(count_steps(tape, node, count));
    CLC_TRY(clc_onnx_need_axes(tape, 1, (int64_t[]){1}, axis));
    clc_onnx_node nodes[] = {{"ReduceSum", {NULL, axis}, "sum", flat},
                             {"Div", {NULL, count}, NULL, NULL}};
    CLC_TRY(clc_onnx_chain(tape->model, from, nodes, 2, out));
fail:
    return status;
}

static clc_status first_step(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const clc_onnx_attr along[] = {clc_onnx_int("axis", 1), {0}};
    char zero[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_need_int(tape, 0, zero));
    CLC_TRY(clc_onnx_add(tape->model,
                         &(clc_onnx_node){"Gather", {clc_onnx_in(tape, node), zero}, out, along}));
fail:
    return status;
}

static clc_status last_step(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const clc_onnx_attr along[] = {clc_onnx_int("axis", 1), {0}};
    const clc_onnx_attr each[] = {clc_onnx_int("batch_dims", 1), {0}};
    const char *x = clc_onnx_in(tape, node);
    char one[CLC_ONNX_NAME_BYTES], axis[CLC_ONNX_NAME_BYTES], place[CLC_ONNX_NAME_BYTES];
    if (node->in_count < 2) {
        CLC_TRY(clc_onnx_need_int(tape, -1, place));
        return clc_onnx_add(tape->model, &(clc_onnx_node){"Gather", {x, place}, out, along});
    }
    CLC_TRY(clc_onnx_need_int(tape, 1, one));
    CLC_TRY(clc_onnx_need_axes(tape, 1, (int64_t[]){1}, axis));
    CLC_TRY(clc_onnx_inner(place, out, "place"));
    clc_onnx_node nodes[] = {{"Sub", {NULL, one}, "last", NULL},
                             {"Unsqueeze", {NULL, axis}, NULL, NULL}};
    CLC_TRY(clc_onnx_chain(tape->model, clc_onnx_value(tape, node->in[1]), nodes, 2, place));
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"GatherND", {x, place}, out, each}));
fail:
    return status;
}

/* Of the first half of the channels the last step, of the others the first one. */
static clc_status ends(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const int channels = clc_tensor_channels(node->in[0]), half = channels / 2;
    const clc_onnx_attr along[] = {clc_onnx_int("axis", 1), {0}};
    char whole[2][CLC_ONNX_NAME_BYTES], part[2][CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_inner(whole[0], out, "last"));
    CLC_TRY(clc_onnx_inner(whole[1], out, "first"));
    CLC_TRY(last_step(tape, node, whole[0]));
    CLC_TRY(first_step(tape, node, whole[1]));
    CLC_TRY(clc_onnx_inner(part[0], out, "forward"));
    CLC_TRY(clc_onnx_inner(part[1], out, "backward"));
    CLC_TRY(clc_onnx_slice(tape, whole[0], 1, 0, half, part[0]));
    CLC_TRY(clc_onnx_slice(tape, whole[1], 1, half, channels, part[1]));
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Concat", {part[0], part[1]}, out, along}));
fail:
    return status;
}

clc_status clc_onnx_pool_tokens(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    switch (((const clc_pool_tokens_attr *)node->attr)->pooling) {
    case CLC_POOLING_MEAN:
        return mean(tape, node, out);
    case CLC_POOLING_LAST:
        return last_step(tape, node, out);
    case CLC_POOLING_FIRST:
        return first_step(tape, node, out);
    default:
        return ends(tape, node, out);
    }
}
