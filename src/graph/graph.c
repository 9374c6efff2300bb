#include "graph/graph.h"

#include "core/text.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Time: node i runs forward at i; the loss at L, the number of nodes; node i backward at 2L - i. */

clc_status clc_graph_create(clc_device *device, clc_params *params, bool training,
                            clc_graph **graph) {
    clc_status status = CLC_OK;
    clc_graph *made = NULL;
    CLC_NEW(made, 1);
    made->device = device;
    made->params = params;
    made->training = made->gradients = training;
    made->norm_splits = 1;
    *graph = made;
fail:
    return status;
}

static size_t count_of(const clc_shape *shape) {
    size_t count = 1;
    for (int i = 0; i < shape->rank; i++)
        count *= (size_t)shape->dims[i];
    return count;
}

static clc_status add_tensor(clc_graph *graph, const char *name, clc_shape shape,
                             clc_tensor **tensor) {
    clc_status status = CLC_OK;
    clc_tensor *made = NULL;
    clc_tensor **tensors =
        realloc(graph->tensors, (graph->tensor_count + 1) * sizeof *graph->tensors);
    if (!tensors)
        return clc_fail_alloc((graph->tensor_count + 1) * sizeof *tensors);
    graph->tensors = tensors;
    CLC_NEW(made, 1);
    snprintf(made->name, sizeof made->name, "%s", name);
    made->shape = shape;
    made->count = count_of(&shape);
    made->producer = made->last_consumer = -1;
    made->slot = made->grad_slot = -1;
    tensors[graph->tensor_count++] = made;
    *tensor = made;
fail:
    return status;
}

clc_status clc_graph_input(clc_graph *graph, const char *name, clc_shape shape, bool wants_grad,
                           clc_tensor **tensor) {
    clc_status status = add_tensor(graph, name, shape, tensor);
    if (status == CLC_OK)
        (*tensor)->wants_grad = wants_grad && graph->gradients && shape.type == CLC_TYPE_FLOAT32;
    return status;
}

clc_status clc_graph_input_external(clc_graph *graph, const char *name, clc_shape shape,
                                    clc_tensor **tensor) {
    clc_status status = add_tensor(graph, name, shape, tensor);
    if (status == CLC_OK)
        (*tensor)->external = true;
    return status;
}

void clc_graph_freeze(clc_graph *graph) {
    assert(graph->node_count == 0);
    graph->freezes = true;
}

void clc_graph_thaw(clc_graph *graph) {
    graph->freezes = false;
}

void clc_graph_expose(clc_tensor *tensor, bool gradient) {
    tensor->exposed = true;
    tensor->exposed_grad |= gradient && tensor->wants_grad;
}

clc_status clc_graph_param(clc_graph *graph, const char *layer, clc_node *node, const char *suffix,
                           clc_param_kind kind, int rank, const int *shape) {
    clc_status status = CLC_OK;
    char name[sizeof(clc_param){0}.name];
    assert(node->param_count < CLC_NODE_PARAMS);
    CLC_TRY(clc_text_format(name, sizeof name, "%s.%s", layer, suffix));
    CLC_TRY(
        clc_params_add(graph->params, name, kind, rank, shape, &node->params[node->param_count++]));
fail:
    return status;
}

/* A size below 1, such as of a window that doesn't fit into an image. */
static clc_status check_shape(const clc_node *node, const clc_shape *shape) {
    char text[64] = "";
    bool empty = false;
    for (int i = 0; i < shape->rank; i++) {
        const size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, i ? " x %d" : "%d", shape->dims[i]);
        empty |= shape->dims[i] < 1;
    }
    return empty ? clc_fail(CLC_INVALID,
                            "%s %s: its output would be %s; use larger images or a smaller network",
                            node->op->name, node->layer, text)
                 : CLC_OK;
}

/* The node's own copy of its attr. */
static clc_status copy_attr(clc_node *node) {
    clc_status status = CLC_OK;
    unsigned char *copy = NULL;
    if (!node->op->attr_bytes)
        return CLC_OK;
    CLC_NEW(copy, node->op->attr_bytes);
    memcpy(copy, node->attr, node->op->attr_bytes);
    node->attr = copy;
fail:
    return status;
}

static clc_status add_outputs(clc_graph *graph, clc_node *node, int index) {
    clc_status status = CLC_OK;
    CLC_TRY(add_tensor(graph, node->layer, node->needs.out, &node->out));
    node->out->producer = index;
    node->out->wants_grad = node->gradients && node->needs.out.type == CLC_TYPE_FLOAT32;
    if (node->needs.saved.rank) {
        CLC_TRY(add_tensor(graph, node->layer, node->needs.saved, &node->saved));
        node->saved->producer = index;
    }
fail:
    return status;
}

clc_status clc_graph_node(clc_graph *graph, const char *layer, const clc_node *node,
                          clc_tensor **out) {
    clc_status status = CLC_OK;
    clc_node made = *node;
    made.training = clc_graph_trains(graph);
    made.gradients = graph->gradients && !graph->freezes;
    CLC_TRY(clc_text_format(made.layer, sizeof made.layer, "%s", layer));
    CLC_TRY(made.op->plan(graph, &made, &made.needs));
    CLC_TRY(check_shape(&made, &made.needs.out));
    clc_node *nodes = realloc(graph->nodes, (graph->node_count + 1) * sizeof *nodes);
    if (!nodes)
        return clc_fail_alloc((graph->node_count + 1) * sizeof *nodes);
    graph->nodes = nodes;
    CLC_TRY(add_outputs(graph, &made, (int)graph->node_count));
    CLC_TRY(copy_attr(&made));
    graph->nodes[graph->node_count++] = made;
    *out = made.out;
fail:
    return status;
}

clc_status clc_graph_allocate(clc_graph *graph) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < graph->slot_count; i++) {
        clc_slot *slot = &graph->slots[i];
        if (slot->lent)
            slot->mem = slot->lent->mem;
        else
            CLC_TRY(clc_buffer_create(graph->device, slot->bytes, "activations", &slot->mem));
    }
    if (graph->lender)
        graph->workspace = graph->lender->workspace;
    else if (graph->workspace_bytes)
        CLC_TRY(clc_buffer_create(graph->device, graph->workspace_bytes, "workspace",
                                  &graph->workspace));
    for (size_t i = 0; i < graph->tensor_count; i++) {
        clc_tensor *tensor = graph->tensors[i];
        if (!tensor->external)
            tensor->value = graph->slots[tensor->slot].mem;
        tensor->grad = tensor->grad_slot >= 0 ? graph->slots[tensor->grad_slot].mem : NULL;
    }
fail:
    return status;
}

clc_status clc_graph_build(clc_graph *graph) {
    clc_status status = CLC_OK;
    CLC_NEW(graph->forward_end, graph->node_count);
    CLC_NEW(graph->backward_end, graph->node_count);
    for (size_t i = 0; i < graph->node_count; i++) {
        const clc_node *node = &graph->nodes[i];
        CLC_TRY(node->op->forward(graph, node, &graph->forward));
        graph->forward_end[i] = graph->forward.count;
    }
    for (size_t i = graph->node_count; graph->gradients && i-- > 0;) {
        const clc_node *node = &graph->nodes[i];
        if (node->gradients)
            CLC_TRY(node->op->backward(graph, node, &graph->backward));
        graph->backward_end[i] = graph->backward.count;
    }
fail:
    return status;
}

void clc_graph_free(clc_graph **graph) {
    if (!graph || !*graph)
        return;
    clc_graph *g = *graph;
    clc_sequence_free(&g->forward);
    clc_sequence_free(&g->backward);
    for (size_t i = 0; i < g->slot_count; i++)
        if (!g->slots[i].lent)
            clc_buffer_release(g->device, &g->slots[i].mem);
    if (!g->lender)
        clc_buffer_release(g->device, &g->workspace);
    for (size_t i = 0; i < g->tensor_count; i++)
        free(g->tensors[i]);
    for (size_t i = 0; i < g->node_count; i++)
        free((void *)(uintptr_t)g->nodes[i].attr);
    free(g->tensors);
    free(g->nodes);
    free(g->slots);
    free(g->forward_end);
    free(g->backward_end);
    free(g);
    *graph = NULL;
}
