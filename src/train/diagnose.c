#include "train/diagnose.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static clc_status all_finite(clc_device *device, cl_mem buffer, size_t count, bool *finite) {
    clc_status status = CLC_OK;
    float *data = NULL;
    *finite = true;
    CLC_NEW(data, count);
    CLC_TRY(clc_buffer_read(device, buffer, 0, count * sizeof *data, data));
    for (size_t i = 0; i < count && *finite; i++)
        *finite = isfinite(data[i]);
fail:
    free(data);
    return status;
}

static clc_status search_forward(clc_step *step, clc_graph *graph, char *where, size_t size) {
    clc_status status = CLC_OK;
    size_t first = 0;
    bool finite = true;
    for (size_t i = 0; i < graph->node_count && finite; i++) {
        const clc_node *node = &graph->nodes[i];
        CLC_TRY(
            clc_sequence_run_range(&graph->forward, step->device, first, graph->forward_end[i]));
        first = graph->forward_end[i];
        CLC_TRY(all_finite(step->device, node->out->value, node->out->count, &finite));
        if (!finite)
            snprintf(where, size, "the output of %s (%s)", node->layer, node->op->name);
    }
fail:
    return status;
}

static clc_status node_gradients_finite(clc_step *step, const clc_node *node, bool *finite) {
    clc_status status = CLC_OK;
    *finite = true;
    for (int i = 0; i < node->in_count && *finite; i++)
        if (node->in[i]->grad)
            CLC_TRY(all_finite(step->device, node->in[i]->grad, node->in[i]->count, finite));
    for (int p = 0; p < node->param_count && *finite; p++) {
        const clc_param *param = &step->wiring.params.items[node->params[p]];
        if (param->grad)
            CLC_TRY(all_finite(step->device, param->grad, param->count, finite));
    }
fail:
    return status;
}

static clc_status search_backward(clc_step *step, clc_graph *graph, char *where, size_t size) {
    clc_status status = CLC_OK;
    size_t first = 0;
    bool finite = true;
    for (size_t i = graph->node_count; i-- > 0 && finite;) {
        const clc_node *node = &graph->nodes[i];
        CLC_TRY(
            clc_sequence_run_range(&graph->backward, step->device, first, graph->backward_end[i]));
        first = graph->backward_end[i];
        CLC_TRY(node_gradients_finite(step, node, &finite));
        if (!finite)
            snprintf(where, size, "the gradient of %s (%s)", node->layer, node->op->name);
    }
fail:
    return status;
}

/* Views, copies and the loss; only that can be the first to fail. */
static clc_status search_other(clc_step *step, const clc_stage *stage, char *where, size_t size) {
    clc_status status = CLC_OK;
    const clc_port *output = &step->wiring.ports.output;
    const size_t count = (size_t)output->views * (size_t)step->wiring.batch * (size_t)output->dim;
    bool finite = true;
    CLC_TRY(clc_sequence_run(stage->sequence, step->device));
    if (stage->sequence < step->wiring.loss_sequence ||
        stage->sequence > step->wiring.loss_sequence + 1)
        return CLC_OK;
    CLC_TRY(all_finite(step->device, step->wiring.value, 1, &finite));
    if (finite)
        CLC_TRY(all_finite(step->device, output->grad, count, &finite));
    if (!finite)
        snprintf(where, size, "the loss");
fail:
    return status;
}

/* All but the last stage, the update. */
static clc_status search(clc_step *step, const clc_step_slot *slot, char *where, size_t size) {
    clc_status status = CLC_OK;
    const clc_stage *stages;
    const size_t count = clc_step_stages(step, slot->step, &stages);
    CLC_TRY(clc_step_write(step, slot));
    for (size_t i = 0; i + 1 < count && !*where; i++) {
        const clc_stage *stage = &stages[i];
        if (!stage->graph)
            CLC_TRY(search_other(step, stage, where, size));
        else if (stage->backward)
            CLC_TRY(search_backward(step, stage->graph, where, size));
        else
            CLC_TRY(search_forward(step, stage->graph, where, size));
    }
fail:
    return status;
}

clc_status clc_diagnose(clc_step *step, const clc_step_slot *slot) {
    char where[160] = "";
    clc_status status = clc_device_finish(step->device);
    if (status == CLC_OK)
        status = search(step, slot, where, sizeof where);
    if (status != CLC_OK)
        return status;
    return clc_fail(
        CLC_NONFINITE,
        "step %" PRId64 ": loss %g, gradient norm %g; non-finite values first appear in %s; "
        "lower optimizer.learning_rate (the rate was %g), lengthen optimizer.warmup_epochs, "
        "or set optimizer.clip_norm; the last checkpoint is untouched",
        slot->step + 1, (double)slot->result.loss, (double)slot->result.gradient_norm,
        *where ? where : "this step only (a repetition was finite)", (double)slot->rate);
}
