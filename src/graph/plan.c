/* Memory planning: lifetimes of values and gradients, packed into slots that are reused. */
#include "graph/graph.h"

#include <stdio.h>

static int loss_time(const clc_graph *graph) {
    return (int)graph->node_count;
}

static int backward_time(const clc_graph *graph, int node) {
    return 2 * loss_time(graph) - node;
}

static void keep(clc_tensor *tensor, int time) {
    if (tensor->kept_until < time)
        tensor->kept_until = time;
}

static void consume(clc_graph *graph, clc_tensor *tensor, int node, bool kept) {
    tensor->last_consumer = node;
    keep(tensor, kept && graph->nodes[node].gradients ? backward_time(graph, node) : node);
}

static void find_lifetimes(clc_graph *graph) {
    for (size_t i = 0; i < graph->tensor_count; i++)
        graph->tensors[i]->kept_until = graph->tensors[i]->producer;
    for (int i = 0; i < (int)graph->node_count; i++) {
        clc_node *node = &graph->nodes[i];
        for (int input = 0; input < node->in_count; input++)
            consume(graph, node->in[input], i, node->needs.keeps_in[input]);
        keep(node->out, i);
        if (node->gradients && node->needs.keeps_out)
            keep(node->out, backward_time(graph, i));
        if (node->saved)
            keep(node->saved, node->gradients ? backward_time(graph, i) : i);
    }
    /* Results, which nothing in the graph consumes, are read after the last node. */
    for (size_t i = 0; i < graph->tensor_count; i++)
        if (graph->tensors[i]->last_consumer < 0 || graph->tensors[i]->exposed)
            keep(graph->tensors[i], loss_time(graph));
}

/* Backward goes from the last node to the first, and of a node from the last input to the first:
 * who comes first writes a gradient, unless the loss has, and all others add. */
static void find_adders(clc_graph *graph) {
    for (int i = 0; i < (int)graph->node_count; i++) {
        clc_node *node = &graph->nodes[i];
        for (int input = 0; input < node->in_count; input++) {
            const clc_tensor *in = node->in[input];
            node->adds[input] = in->exposed_grad || in->last_consumer > i;
            for (int later = input + 1; later < node->in_count; later++)
                node->adds[input] |= node->in[later] == in;
        }
    }
}

/* Without gradients, what stands after the last node lies apart: the rest can be borrowed. */
static bool is_result(const clc_graph *graph, int until) {
    return !graph->gradients && until >= loss_time(graph);
}

/* Best fit: the smallest free slot that holds `bytes`, else the largest free one grown, else a new
 * one. Growing past what the device allows for a buffer is left to a new slot. */
static clc_status take_slot(clc_graph *graph, size_t bytes, int born, int until, int *slot) {
    int fit = -1, largest = -1;
    for (int i = 0; i < (int)graph->slot_count; i++) {
        const clc_slot *s = &graph->slots[i];
        if (s->busy_until >= born || s->result != is_result(graph, until))
            continue;
        if (s->bytes >= bytes && (fit < 0 || s->bytes < graph->slots[fit].bytes))
            fit = i;
        if (largest < 0 || s->bytes > graph->slots[largest].bytes)
            largest = i;
    }
    int chosen = fit >= 0 ? fit : largest;
    if (chosen < 0) {
        clc_slot *slots = realloc(graph->slots, (graph->slot_count + 1) * sizeof *slots);
        if (!slots)
            return clc_fail_alloc((graph->slot_count + 1) * sizeof *slots);
        graph->slots = slots;
        chosen = (int)graph->slot_count++;
        slots[chosen] = (clc_slot){.result = is_result(graph, until)};
    }
    if (graph->slots[chosen].bytes < bytes)
        graph->slots[chosen].bytes = bytes;
    graph->slots[chosen].busy_until = until;
    *slot = chosen;
    return CLC_OK;
}

/* Gradients born when backward of node `node` runs: the loss writes the result's before. */
static bool grad_born(const clc_graph *graph, const clc_tensor *tensor, int time) {
    int born = tensor->last_consumer < 0 || tensor->exposed_grad
                   ? loss_time(graph)
                   : backward_time(graph, tensor->last_consumer);
    return tensor->wants_grad && born == time;
}

static clc_status place_at(clc_graph *graph, int time) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < graph->tensor_count; i++) {
        clc_tensor *tensor = graph->tensors[i];
        const size_t bytes = clc_tensor_bytes(tensor);
        if (tensor->slot < 0 && !tensor->external && tensor->producer == time)
            CLC_TRY(take_slot(graph, bytes, time, tensor->kept_until, &tensor->slot));
        if (grad_born(graph, tensor, time)) {
            int until = tensor->producer < 0 ? 2 * loss_time(graph) + 1
                                             : backward_time(graph, tensor->producer);
            CLC_TRY(take_slot(graph, bytes, time, until, &tensor->grad_slot));
        }
    }
fail:
    return status;
}

clc_status clc_graph_plan(clc_graph *graph) {
    clc_status status = CLC_OK;
    find_lifetimes(graph);
    find_adders(graph);
    for (int time = -1; time <= 2 * loss_time(graph); time++)
        CLC_TRY(place_at(graph, time));
    for (size_t i = 0; i < graph->node_count; i++) {
        const clc_node *node = &graph->nodes[i];
        const size_t bytes = node->op->workspace ? node->op->workspace(graph, node) : 0;
        if (bytes > graph->workspace_bytes)
            graph->workspace_bytes = bytes;
    }
fail:
    return status;
}

static bool is_lent(const clc_graph *graph, const clc_slot *slot) {
    for (size_t i = 0; i < graph->slot_count; i++)
        if (graph->slots[i].lent == slot)
            return true;
    return false;
}

/* The smallest slot of the lender that is large enough and that no other slot of the graph is; or
 * NULL. */
static const clc_slot *find_lent(const clc_graph *graph, size_t bytes) {
    const clc_slot *fit = NULL;
    for (size_t i = 0; i < graph->lender->slot_count; i++) {
        const clc_slot *slot = &graph->lender->slots[i];
        if (slot->bytes >= bytes && (!fit || slot->bytes < fit->bytes) && !is_lent(graph, slot))
            fit = slot;
    }
    return fit;
}

void clc_graph_borrow(clc_graph *graph, clc_graph *lender, bool activations) {
    graph->lender = lender;
    if (lender->workspace_bytes < graph->workspace_bytes)
        lender->workspace_bytes = graph->workspace_bytes;
    for (size_t i = 0; activations && i < graph->slot_count; i++)
        if (!graph->slots[i].result)
            graph->slots[i].lent = find_lent(graph, graph->slots[i].bytes);
}

size_t clc_graph_activation_bytes(const clc_graph *graph) {
    size_t bytes = 0;
    for (size_t i = 0; i < graph->slot_count; i++)
        bytes += !graph->slots[i].lent ? clc_buffer_bytes(graph->slots[i].bytes) : 0;
    return bytes;
}

size_t clc_graph_workspace_bytes(const clc_graph *graph) {
    return graph->lender || !graph->workspace_bytes ? 0 : clc_buffer_bytes(graph->workspace_bytes);
}

size_t clc_graph_largest_buffer(const clc_graph *graph) {
    size_t largest = graph->workspace_bytes;
    for (size_t i = 0; i < graph->slot_count; i++)
        largest = graph->slots[i].bytes > largest ? graph->slots[i].bytes : largest;
    return largest;
}
