#include "graph/graph.h"

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

static clc_status add_tensor(clc_graph *graph, const char *name, int n, int h, int w, int c,
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
    made->n = n;
    made->h = h;
    made->w = w;
    made->c = c;
    made->count = (size_t)n * (size_t)h * (size_t)w * (size_t)c;
    made->producer = made->last_consumer = -1;
    made->slot = made->grad_slot = -1;
    tensors[graph->tensor_count++] = made;
    *tensor = made;
fail:
    return status;
}

clc_status clc_graph_input(clc_graph *graph, const char *name, int n, int h, int w, int c,
                           bool wants_grad, clc_tensor **tensor) {
    clc_status status = add_tensor(graph, name, n, h, w, c, tensor);
    if (status == CLC_OK)
        (*tensor)->wants_grad = wants_grad && graph->gradients;
    return status;
}

clc_status clc_graph_input_external(clc_graph *graph, const char *name, int n, int h, int w, int c,
                                    clc_tensor **tensor) {
    clc_status status = add_tensor(graph, name, n, h, w, c, tensor);
    if (status == CLC_OK)
        (*tensor)->external = true;
    return status;
}

void clc_graph_expose(clc_tensor *tensor, bool gradient) {
    tensor->exposed = true;
    tensor->exposed_grad |= gradient && tensor->wants_grad;
}

clc_status clc_graph_node(clc_graph *graph, const clc_node *node, int n, int h, int w, int c,
                          size_t saved, clc_tensor **out) {
    clc_status status = CLC_OK;
    if (n < 1 || h < 1 || w < 1 || c < 1)
        return clc_fail(CLC_INVALID,
                        "%s %s: its output would be %d x %d with %d channels; use larger "
                        "images or a smaller network",
                        node->op->name, node->layer, h, w, c);
    clc_node *nodes = realloc(graph->nodes, (graph->node_count + 1) * sizeof *nodes);
    if (!nodes)
        return clc_fail_alloc((graph->node_count + 1) * sizeof *nodes);
    graph->nodes = nodes;
    int index = (int)graph->node_count;
    nodes[index] = *node;
    CLC_TRY(add_tensor(graph, node->layer, n, h, w, c, &nodes[index].out));
    nodes[index].out->producer = index;
    nodes[index].out->wants_grad = graph->gradients;
    if (saved && graph->training) {
        CLC_TRY(add_tensor(graph, node->layer, 1, 1, 1, (int)saved, &nodes[index].saved));
        nodes[index].saved->producer = index;
    }
    graph->node_count++;
    *out = nodes[index].out;
fail:
    return status;
}

clc_status clc_graph_param(clc_graph *graph, const char *layer, const char *suffix,
                           clc_param_kind kind, int rank, const int *shape, int *index) {
    char name[128];
    snprintf(name, sizeof name, "%s.%s", layer, suffix);
    return clc_params_add(graph->params, name, kind, rank, shape, index);
}

bool clc_graph_grad_accumulates(clc_tensor *tensor) {
    bool written = tensor->grad_written;
    tensor->grad_written = true;
    return written;
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
        clc_node *node = &graph->nodes[i];
        CLC_TRY(node->op->forward(graph, node, &graph->forward));
        graph->forward_end[i] = graph->forward.count;
    }
    for (size_t i = 0; i < graph->tensor_count; i++)
        graph->tensors[i]->grad_written = graph->tensors[i]->exposed_grad;
    for (size_t i = graph->node_count; graph->gradients && i-- > 0;) {
        clc_node *node = &graph->nodes[i];
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
    free(g->tensors);
    free(g->nodes);
    free(g->slots);
    free(g->forward_end);
    free(g->backward_end);
    free(g);
    *graph = NULL;
}
