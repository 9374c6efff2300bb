#include "onnx/parts.h"

#include "op/ops.h"

#include <math.h>
#include <string.h>

/* Added to what isn't to be seen: no score comes near it, and a half holds it. */
static const double unseen = -60000;

/* Queries, keys and values (N,heads,T,D) of qkv, as "<out>.q", ".k" and ".v"; keys turned:
 * (N,heads,D,T). */
static clc_status split_heads(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    static const char *const words[3] = {"q", "k", "v"};
    clc_status status = CLC_OK;
    const clc_attention *a = node->attr;
    const int64_t parts[] = {0, 0, 3, a->heads, clc_tensor_channels(node->out) / a->heads};
    const clc_onnx_attr gather[] = {clc_onnx_int("axis", 2), {0}};
    char shape[CLC_ONNX_NAME_BYTES], all[CLC_ONNX_NAME_BYTES], which[CLC_ONNX_NAME_BYTES],
        name[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_put_ints(tape, out, "parts", 5, parts, shape));
    CLC_TRY(clc_onnx_inner(all, out, "qkv"));
    CLC_TRY(clc_onnx_add(tape->model,
                         &(clc_onnx_node){"Reshape", {clc_onnx_in(tape, node), shape}, all, NULL}));
    for (int i = 0; i < 3; i++) {
        const clc_onnx_attr turn[] = {
            i == 1 ? clc_onnx_order(4, 0, 2, 3, 1, 0) : clc_onnx_order(4, 0, 2, 1, 3, 0), {0}};
        CLC_TRY(clc_onnx_need_int(tape, i, which));
        clc_onnx_node nodes[] = {{"Gather", {NULL, which}, "heads", gather},
                                 {"Transpose", {NULL}, NULL, turn}};
        CLC_TRY(clc_onnx_inner(name, out, words[i]));
        CLC_TRY(clc_onnx_chain(tape->model, all, nodes, 2, name));
    }
fail:
    return status;
}

/* Which keys a query sees of those in front of it and itself: bool (T,T), `name`. */
static clc_status add_causal(clc_onnx_tape *tape, const clc_node *node, const char *name) {
    clc_status status = CLC_OK;
    char keys[CLC_ONNX_NAME_BYTES], queries[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_step_numbers(tape, node, keys));
    CLC_TRY(clc_onnx_inner(queries, name, "queries"));
    CLC_TRY(clc_onnx_unsqueeze(tape, keys, 1, (int64_t[]){1}, queries));
    CLC_TRY(
        clc_onnx_add(tape->model, &(clc_onnx_node){"LessOrEqual", {keys, queries}, name, NULL}));
fail:
    return status;
}

/* What the graph's attention adds to scores, made once: (N,1,1,T), (T,T) or (N,1,T,T). */
static clc_status need_bias(clc_onnx_tape *tape, const clc_node *node, const char *bias) {
    clc_status status = CLC_OK;
    const clc_attention *a = node->attr;
    const bool lengths = node->in_count > 1;
    char valid[CLC_ONNX_NAME_BYTES], keys[CLC_ONNX_NAME_BYTES], causal[CLC_ONNX_NAME_BYTES],
        seen[CLC_ONNX_NAME_BYTES];
    if (clc_onnx_has(tape->model, bias))
        return CLC_OK;
    CLC_TRY(clc_onnx_inner(keys, bias, "keys"));
    CLC_TRY(clc_onnx_inner(causal, bias, "causal"));
    CLC_TRY(clc_onnx_inner(seen, bias, "seen"));
    if (lengths) {
        CLC_TRY(clc_onnx_valid(tape, node, valid));
        CLC_TRY(clc_onnx_unsqueeze(tape, valid, 2, (int64_t[]){1, 2}, keys));
    }
    if (a->causal)
        CLC_TRY(add_causal(tape, node, causal));
    if (lengths && a->causal)
        CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"And", {keys, causal}, seen, NULL}));
    CLC_TRY(clc_onnx_need_number(tape, "zero", 0));
    CLC_TRY(clc_onnx_need_number(tape, "unseen", unseen));
    const char *which = !lengths ? causal : a->causal ? seen : keys;
    CLC_TRY(clc_onnx_add(tape->model,
                         &(clc_onnx_node){"Where", {which, "zero", "unseen"}, bias, NULL}));
fail:
    return status;
}

clc_status clc_onnx_attention(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    static const char bias[] = "attention_bias";
    const clc_attention *a = node->attr;
    const int channels = clc_tensor_channels(node->out);
    const bool biased = node->in_count > 1 || a->causal;
    const clc_onnx_attr last[] = {clc_onnx_int("axis", -1), {0}};
    const clc_onnx_attr turn[] = {clc_onnx_order(4, 0, 2, 1, 3, 0), {0}};
    char q[CLC_ONNX_NAME_BYTES], k[CLC_ONNX_NAME_BYTES], v[CLC_ONNX_NAME_BYTES],
        scale[CLC_ONNX_NAME_BYTES], shape[CLC_ONNX_NAME_BYTES];
    CLC_TRY(split_heads(tape, node, out));
    CLC_TRY(clc_onnx_inner(q, out, "q"));
    CLC_TRY(clc_onnx_inner(k, out, "k"));
    CLC_TRY(clc_onnx_inner(v, out, "v"));
    CLC_TRY(clc_onnx_inner(scale, out, "scale"));
    CLC_TRY(clc_onnx_need_number(tape, scale, 1 / sqrt(channels / a->heads)));
    CLC_TRY(clc_onnx_put_ints(tape, out, "rows", 3, (int64_t[]){0, 0, channels}, shape));
    if (biased)
        CLC_TRY(need_bias(tape, node, bias));
    clc_onnx_node nodes[7] = {{"MatMul", {NULL, k}, "products", NULL},
                              {"Mul", {NULL, scale}, "scores", NULL}};
    int n = 2;
    if (biased)
        nodes[n++] = (clc_onnx_node){"Add", {NULL, bias}, "seen", NULL};
    nodes[n++] = (clc_onnx_node){"Softmax", {NULL}, "shares", last};
    nodes[n++] = (clc_onnx_node){"MatMul", {NULL, v}, "sums", NULL};
    nodes[n++] = (clc_onnx_node){"Transpose", {NULL}, "steps", turn};
    nodes[n++] = (clc_onnx_node){"Reshape", {NULL, shape}, NULL, NULL};
    CLC_TRY(clc_onnx_chain(tape->model, q, nodes, n, out));
fail:
    return status;
}
