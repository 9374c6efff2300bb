#include "onnx/parts.h"

#include "op/attr.h"

#include <string.h>

/* Parameters of a direction, as op/recurrent.c adds them. */
enum { WEIGHT_IH, WEIGHT_HH, BIAS_IH, BIAS_HH, PARAMS, MOST_GATES = 4 };

/* Which of PyTorch's gates is ONNX's: of a GRU reset, update and new to update, reset and hidden;
 * of an LSTM input, forget, cell and output to input, output, forget and cell. */
static const int gru_gates[MOST_GATES] = {1, 0, 2}, lstm_gates[MOST_GATES] = {0, 3, 1, 2};

static const int *gates_of(const clc_recurrent_attr *a) {
    return a->gates == 3 ? gru_gates : lstm_gates;
}

/* One parameter with ONNX's order of gates, to `to`. */
static clc_status copy_gates(const clc_onnx_tape *tape, const clc_node *node, int direction,
                             int which, float *to) {
    clc_status status = CLC_OK;
    const clc_recurrent_attr *a = node->attr;
    const clc_param *param = clc_node_param(tape->graph, node, direction * PARAMS + which);
    const size_t gate = param->count / (size_t)a->gates;
    float *data = NULL;
    CLC_NEW(data, param->count);
    CLC_TRY(clc_param_export(param, tape->graph->device, param->value, data));
    for (int i = 0; i < a->gates; i++)
        memcpy(to + (size_t)i * gate, data + (size_t)gates_of(a)[i] * gate, gate * sizeof *to);
fail:
    free(data);
    return status;
}

/* A constant of the directions' parameters `which` to `which` + `n` - 1, one behind the other. */
static clc_status put(clc_onnx_tape *tape, const clc_node *node, int which, int n, int rank,
                      const char *name) {
    clc_status status = CLC_OK;
    const clc_recurrent_attr *a = node->attr;
    const size_t each = clc_node_param(tape->graph, node, which)->count;
    const int64_t rows = (int64_t)n * a->gates * a->hidden;
    const int64_t dims[] = {a->directions, rows, (int64_t)n * (int64_t)each / rows};
    float *all = NULL, *to;
    CLC_NEW(all, (size_t)a->directions * (size_t)n * each);
    to = all;
    for (int d = 0; d < a->directions; d++)
        for (int i = 0; i < n; i++, to += each)
            CLC_TRY(copy_gates(tape, node, d, which + i, to));
    CLC_TRY(clc_onnx_floats(tape->model, name, rank, dims, all));
fail:
    free(all);
    return status;
}

/* The lengths as the operators want them; "" where all steps count. */
static clc_status need_lengths(clc_onnx_tape *tape, const clc_node *node, const char **name) {
    static const char lengths[] = "lengths32";
    const clc_onnx_attr to[] = {clc_onnx_int("to", CLC_ONNX_INT32), {0}};
    *name = node->in_count > 1 ? lengths : "";
    if (!**name || clc_onnx_has(tape->model, lengths))
        return CLC_OK;
    return clc_onnx_add(tape->model,
                        &(clc_onnx_node){"Cast", {clc_onnx_value(tape, node->in[1])}, lengths, to});
}

clc_status clc_onnx_recurrent(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const clc_recurrent_attr *a = node->attr;
    const bool gru = a->gates == 3;
    const clc_onnx_attr attrs[] = {
        clc_onnx_int("hidden_size", a->hidden),
        clc_onnx_word("direction", a->directions > 1 ? "bidirectional" : "forward"),
        gru ? clc_onnx_int("linear_before_reset", 1) : (clc_onnx_attr){0},
        {0}};
    const clc_onnx_attr steps_first[] = {clc_onnx_order(3, 1, 0, 2, 0, 0), {0}};
    const clc_onnx_attr samples_first[] = {clc_onnx_order(4, 2, 0, 1, 3, 0), {0}};
    char w[CLC_ONNX_NAME_BYTES], r[CLC_ONNX_NAME_BYTES], b[CLC_ONNX_NAME_BYTES],
        shape[CLC_ONNX_NAME_BYTES];
    const char *lengths;
    CLC_TRY(clc_onnx_inner(w, out, "W"));
    CLC_TRY(clc_onnx_inner(r, out, "R"));
    CLC_TRY(clc_onnx_inner(b, out, "B"));
    CLC_TRY(put(tape, node, WEIGHT_IH, 1, 3, w));
    CLC_TRY(put(tape, node, WEIGHT_HH, 1, 3, r));
    CLC_TRY(put(tape, node, BIAS_IH, 2, 2, b));
    CLC_TRY(need_lengths(tape, node, &lengths));
    CLC_TRY(clc_onnx_put_ints(tape, out, "rows", 3, (int64_t[]){0, 0, a->directions * a->hidden},
                              shape));
    clc_onnx_node nodes[] = {{"Transpose", {NULL}, "steps", steps_first},
                             {gru ? "GRU" : "LSTM", {NULL, w, r, b, lengths}, "states", attrs},
                             {"Transpose", {NULL}, "samples", samples_first},
                             {"Reshape", {NULL, shape}, NULL, NULL}};
    CLC_TRY(clc_onnx_chain(tape->model, clc_onnx_in(tape, node), nodes, 4, out));
fail:
    return status;
}
