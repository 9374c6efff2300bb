#include "onnx/layers.h"

#include "core/text.h"
#include "model/heads.h"
#include "onnx/parts.h"
#include "op/attr.h"

#include <stdio.h>
#include <string.h>

enum { BATCHNORM_PARAMS = 4 }; /* in ONNX's order: scale, shift, mean, variance */
static const float batchnorm_eps = 1e-5f;

char *clc_onnx_value(const clc_onnx_tape *tape, const clc_tensor *tensor) {
    size_t i = 0;
    while (tape->graph->tensors[i] != tensor)
        i++;
    return tape->values[i];
}

clc_status clc_onnx_inner(char name[CLC_ONNX_NAME_BYTES], const char *out, const char *word) {
    return clc_text_format(name, CLC_ONNX_NAME_BYTES, "%s.%s", out, word);
}

clc_status clc_onnx_chain(clc_onnx *model, const char *from, clc_onnx_node *nodes, int n,
                          const char *out) {
    clc_status status = CLC_OK;
    char names[2][CLC_ONNX_NAME_BYTES];
    for (int i = 0; i < n; i++) {
        CLC_TRY(i < n - 1 ? clc_onnx_inner(names[i % 2], out, nodes[i].out)
                          : clc_text_format(names[i % 2], CLC_ONNX_NAME_BYTES, "%s", out));
        nodes[i].in[0] = from;
        nodes[i].out = from = names[i % 2];
        CLC_TRY(clc_onnx_add(model, &nodes[i]));
    }
fail:
    return status;
}

clc_status clc_onnx_param(clc_onnx_tape *tape, const clc_node *node, int i,
                          char name[CLC_ONNX_NAME_BYTES]) {
    clc_status status = CLC_OK;
    const clc_param *param = clc_node_param(tape->graph, node, i);
    size_t shape[4];
    int64_t dims[4];
    float *data = NULL;
    clc_param_outside(param->name, name);
    if (clc_onnx_has(tape->model, name))
        return CLC_OK;
    clc_param_outer_shape(param, shape);
    for (int k = 0; k < param->rank; k++)
        dims[k] = (int64_t)shape[k];
    CLC_NEW(data, param->count);
    CLC_TRY(clc_param_export(param, tape->graph->device, param->value, data));
    CLC_TRY(clc_onnx_floats(tape->model, name, param->rank, dims, data));
fail:
    free(data);
    return status;
}

static clc_onnx_attr pair(const char *name, int64_t value) {
    return (clc_onnx_attr){.name = name, .kind = CLC_ONNX_INTS, .count = 2, .ints = {value, value}};
}

static clc_onnx_attr padding(int pad) {
    return (clc_onnx_attr){
        .name = "pads", .kind = CLC_ONNX_INTS, .count = 4, .ints = {pad, pad, pad, pad}};
}

static clc_status conv2d(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const clc_conv2d_attr *a = node->attr;
    const clc_onnx_attr attrs[] = {
        pair("kernel_shape", a->kernel), pair("strides", a->stride), padding(a->pad), {0}};
    char weight[CLC_ONNX_NAME_BYTES];
    CLC_TRY(clc_onnx_param(tape, node, 0, weight));
    CLC_TRY(clc_onnx_add(
        tape->model,
        &(clc_onnx_node){"Conv", {clc_onnx_value(tape, node->in[0]), weight}, out, attrs}));
fail:
    return status;
}

/* Appends what may follow a layer's product: + bias, + residual, ReLU. */
static int add_tail(clc_onnx_node *nodes, int n, const char *bias, const char *residual,
                    bool relu) {
    if (bias)
        nodes[n++] = (clc_onnx_node){.op = "Add", .in = {NULL, bias}, .out = "shifted"};
    if (residual)
        nodes[n++] = (clc_onnx_node){.op = "Add", .in = {NULL, residual}, .out = "sum"};
    if (relu)
        nodes[n++] = (clc_onnx_node){.op = "Relu", .out = "relu"};
    return n;
}

static const char *residual_of(const clc_onnx_tape *tape, const clc_node *node) {
    return node->in_count > 1 ? clc_onnx_value(tape, node->in[1]) : NULL;
}

static clc_status batchnorm(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const clc_onnx_attr attrs[] = {clc_onnx_float("epsilon", batchnorm_eps), {0}};
    char p[BATCHNORM_PARAMS][CLC_ONNX_NAME_BYTES];
    for (int i = 0; i < BATCHNORM_PARAMS; i++)
        CLC_TRY(clc_onnx_param(tape, node, i, p[i]));
    clc_onnx_node nodes[4] = {
        {"BatchNormalization", {NULL, p[0], p[1], p[2], p[3]}, "norm", attrs}};
    const int n = add_tail(nodes, 1, NULL, residual_of(tape, node),
                           ((const clc_batchnorm_attr *)node->attr)->relu);
    CLC_TRY(clc_onnx_chain(tape->model, clc_onnx_value(tape, node->in[0]), nodes, n, out));
fail:
    return status;
}

static clc_status maxpool(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    const clc_maxpool_attr *a = node->attr;
    const clc_onnx_attr attrs[] = {
        pair("kernel_shape", a->kernel), pair("strides", a->stride), padding(a->pad), {0}};
    return clc_onnx_add(
        tape->model, &(clc_onnx_node){"MaxPool", {clc_onnx_value(tape, node->in[0])}, out, attrs});
}

static clc_status avgpool(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_onnx_node nodes[] = {{.op = "GlobalAveragePool", .out = "mean"}, {.op = "Flatten"}};
    return clc_onnx_chain(tape->model, clc_onnx_value(tape, node->in[0]), nodes, 2, out);
}

static clc_status linear(clc_onnx_tape *tape, const clc_node *node, const char *out) {
    clc_status status = CLC_OK;
    const clc_linear_attr *a = node->attr;
    const clc_param_kind kind = clc_node_param(tape->graph, node, 0)->kind;
    const bool turned = kind == CLC_PARAM_LINEAR_WEIGHT;
    char weight[CLC_ONNX_NAME_BYTES], bias[CLC_ONNX_NAME_BYTES], matrix[CLC_ONNX_NAME_BYTES];
    if (kind == CLC_PARAM_CONV_WEIGHT)
        return clc_onnx_patch_projection(tape, node, out);
    CLC_TRY(clc_onnx_param(tape, node, 0, weight));
    if (a->bias)
        CLC_TRY(clc_onnx_param(tape, node, 1, bias));
    CLC_TRY(clc_onnx_inner(matrix, out, "weight"));
    if (turned)
        CLC_TRY(clc_onnx_add(tape->model, &(clc_onnx_node){"Transpose", {weight}, matrix, NULL}));
    clc_onnx_node nodes[4] = {{"MatMul", {NULL, turned ? matrix : weight}, "product", NULL}};
    const int n = add_tail(nodes, 1, a->bias ? bias : NULL, residual_of(tape, node), a->relu);
    CLC_TRY(clc_onnx_chain(tape->model, clc_onnx_value(tape, node->in[0]), nodes, n, out));
fail:
    return status;
}

static const struct {
    const char *op;
    clc_onnx_layer layer;
} layers[] = {
    {"conv2d", conv2d},
    {"batchnorm", batchnorm},
    {"maxpool", maxpool},
    {"avgpool", avgpool},
    {"linear", linear},
    {"patches", clc_onnx_patches},
    {"class_token", clc_onnx_class_token},
    {"without_class_token", clc_onnx_without_class_token},
    {"position", clc_onnx_position},
    {"layernorm", clc_onnx_layernorm},
    {"gelu", clc_onnx_gelu},
    {"attention", clc_onnx_attention},
    {"pool_tokens", clc_onnx_pool_tokens},
    {"embedding", clc_onnx_embedding},
    {"conv1d", clc_onnx_conv1d},
    {"gru", clc_onnx_recurrent},
    {"lstm", clc_onnx_recurrent},
};
enum { LAYERS = sizeof layers / sizeof *layers };

static clc_onnx_layer find(const char *op) {
    for (size_t i = 0; i < LAYERS; i++)
        if (!strcmp(layers[i].op, op))
            return layers[i].layer;
    return NULL;
}

/* Its layer and op; of nodes that share both, with their number. */
static clc_status name_value(const clc_onnx_tape *tape, const clc_node *node,
                             char name[CLC_ONNX_NAME_BYTES]) {
    clc_status status = CLC_OK;
    char outside[sizeof(clc_param){0}.name];
    clc_param_outside(node->layer, outside);
    CLC_TRY(clc_text_format(name, CLC_ONNX_NAME_BYTES, "%s/%s", outside, node->op->name));
    for (size_t i = 0; i < tape->graph->tensor_count; i++)
        if (!strcmp(tape->values[i], name))
            CLC_TRY(clc_text_format(name, CLC_ONNX_NAME_BYTES, "%s/%s/%td", outside, node->op->name,
                                    node - tape->graph->nodes));
fail:
    return status;
}

/* As `given`; NULL: a name of its own. */
static clc_status translate(clc_onnx_tape *tape, const clc_node *node, const char *given) {
    clc_status status = CLC_OK;
    const clc_onnx_layer layer = find(node->op->name);
    char name[CLC_ONNX_NAME_BYTES];
    if (!layer)
        return clc_fail(CLC_INVALID,
                        "%s: a layer of kind %s can't be written as ONNX yet; its weights are in "
                        "the encoder file",
                        node->layer, node->op->name);
    CLC_TRY(given ? clc_text_format(name, sizeof name, "%s", given) : name_value(tape, node, name));
    CLC_TRY(layer(tape, node, name));
    char *value = clc_onnx_value(tape, node->out);
    if (!*value)
        strcpy(value, name);
fail:
    return status;
}

clc_status clc_onnx_translate(clc_onnx_tape *tape, const clc_tensor *features, const char *name) {
    clc_status status = CLC_OK;
    for (int i = 0; i <= features->producer; i++)
        CLC_TRY(translate(tape, &tape->graph->nodes[i], i == features->producer ? name : NULL));
fail:
    return status;
}
