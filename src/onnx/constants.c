#include "onnx/parts.h"

#include <stdio.h>
#include <string.h>

clc_status clc_onnx_put_ints(clc_onnx_tape *tape, const char *out, const char *word, int n,
                             const int64_t *values, char name[CLC_ONNX_NAME_BYTES]) {
    clc_status status = CLC_OK;
    const int64_t dims[] = {n};
    CLC_TRY(clc_onnx_inner(name, out, word));
    CLC_TRY(clc_onnx_ints(tape->model, name, 1, dims, values));
fail:
    return status;
}

clc_status clc_onnx_need_number(clc_onnx_tape *tape, const char *name, double value) {
    const float number = (float)value;
    return clc_onnx_has(tape->model, name) ? CLC_OK
                                           : clc_onnx_floats(tape->model, name, 0, NULL, &number);
}

clc_status clc_onnx_need_int(clc_onnx_tape *tape, int64_t value, char name[CLC_ONNX_NAME_BYTES]) {
    snprintf(name, CLC_ONNX_NAME_BYTES, "number.%lld", (long long)value);
    return clc_onnx_has(tape->model, name) ? CLC_OK
                                           : clc_onnx_ints(tape->model, name, 0, NULL, &value);
}

clc_status clc_onnx_need_axes(clc_onnx_tape *tape, int n, const int64_t *axes,
                              char name[CLC_ONNX_NAME_BYTES]) {
    const int64_t dims[] = {n};
    strcpy(name, "axes");
    for (int i = 0; i < n; i++)
        snprintf(name + strlen(name), CLC_ONNX_NAME_BYTES - strlen(name), ".%lld",
                 (long long)axes[i]);
    return clc_onnx_has(tape->model, name) ? CLC_OK
                                           : clc_onnx_ints(tape->model, name, 1, dims, axes);
}

clc_onnx_attr clc_onnx_order(int count, int a, int b, int c, int d, int e) {
    return (clc_onnx_attr){
        .name = "perm", .kind = CLC_ONNX_INTS, .count = count, .ints = {a, b, c, d, e}};
}

const char *clc_onnx_in(const clc_onnx_tape *tape, const clc_node *node) {
    return clc_onnx_value(tape, node->in[0]);
}

clc_status clc_onnx_unsqueeze(clc_onnx_tape *tape, const char *from, int n, const int64_t *axes,
                              const char *out) {
    clc_status status = CLC_OK;
    char name[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_need_axes(tape, n, axes, name));
    CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Unsqueeze", {from, name}, out, NULL}));
fail:
    return status;
}

clc_status clc_onnx_slice(clc_onnx_tape *tape, const char *from, int axis, int first, int end,
                          const char *out) {
    clc_status status = CLC_OK;
    char names[3][CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_put_ints(tape, out, "first", 1, &(int64_t){first}, names[0]));
    CLC_TRY(clc_onnx_put_ints(tape, out, "end", 1, &(int64_t){end}, names[1]));
    CLC_TRY(clc_onnx_need_axes(tape, 1, &(int64_t){axis}, names[2]));
    CLC_TRY(clc_onnx_add(
        tape->model, &(clc_onnx_node){"Slice", {from, names[0], names[1], names[2]}, out, NULL}));
fail:
    return status;
}
