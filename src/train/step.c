#include "train/step.h"

#include "device/program.h"

#include "method/setup.h"

#include <math.h>
#include <string.h>

static clc_optim optim_of(const clc_config *config) {
    return (clc_optim){.kind = (clc_optim_kind)config->optimizer.name,
                       .momentum = config->optimizer.momentum,
                       .nesterov = config->optimizer.nesterov,
                       .weight_decay = config->optimizer.weight_decay,
                       .trust_coefficient = config->optimizer.trust_coefficient,
                       .beta1 = config->optimizer.beta1,
                       .beta2 = config->optimizer.beta2,
                       .epsilon = config->optimizer.epsilon,
                       .clip_norm = config->optimizer.clip_norm};
}

/* Biases and batch-norm are left out of weight decay and LARS adaptation if the configuration says so. */
static clc_status list_segments(clc_step *step) {
    clc_status status = CLC_OK;
    CLC_NEW(step->segments, step->params.count);
    for (size_t i = 0; i < step->params.count; i++) {
        const clc_param *param = &step->params.items[i];
        if (!clc_param_trainable(param))
            continue;
        bool weight =
            param->kind == CLC_PARAM_CONV_WEIGHT || param->kind == CLC_PARAM_LINEAR_WEIGHT;
        bool included = weight || !step->config->optimizer.exclude_bias_and_norm;
        step->segments[step->segment_count++] = (clc_optim_segment){
            .offset = param->offset, .count = param->count, .decay = included, .adapt = included};
    }
fail:
    return status;
}

clc_status clc_step_plan(clc_step *step, clc_device *device, const clc_config *config,
                         const clc_dataset *data) {
    clc_status status = CLC_OK;
    step->device = device;
    step->config = config;
    step->method = clc_method_find(clc_config_choice(config, "method", "name"));
    step->optim = optim_of(config);
    CLC_TRY(clc_augment_from_config(config, data, &step->augment));
    step->wiring = (clc_wiring){.device = device,
                                .config = config,
                                .params = &step->params,
                                .batch = config->training.batch,
                                .size = step->augment.size,
                                .channels = data->channels};
    CLC_TRY(step->method->wire(&step->wiring));
    clc_params_layout(&step->params);
    CLC_TRY(clc_graph_plan(step->wiring.graph));
    CLC_TRY(list_segments(step));
    step->dataset_bytes =
        data->count * (size_t)data->height * (size_t)data->width * (size_t)data->channels;
    step->augment_bytes = clc_augment_workspace(device, &step->augment,
                                                step->method->views * config->training.batch);
    step->optim_bytes = clc_optim_workspace(step->segments, step->segment_count);
fail:
    return status;
}

static size_t at_least(size_t bytes) {
    return bytes < 4 ? 4 : bytes; /* as clc_buffer_create */
}

static size_t step_buffers_bytes(const clc_step *step) {
    return sizeof(cl_uint) * 4 + sizeof(float) * 4 + sizeof(clc_step_result) + sizeof(float) +
           at_least(2 * step->segment_count * sizeof(float)) +
           (size_t)step->wiring.batch * sizeof(int32_t);
}

size_t clc_step_memory(const clc_step *step, clc_memory_line lines[CLC_MEMORY_LINES],
                       size_t *total, size_t *largest) {
    const clc_params *p = &step->params;
    const clc_graph *graph = step->wiring.graph;
    const int states = clc_optim_states(step->optim.kind);
    const clc_memory_line all[] = {
        {"parameters", p->total * sizeof(float)},
        {"gradients", p->trainable * sizeof(float)},
        {"optimizer state", p->trainable * sizeof(float) * (size_t)states},
        {"activations", clc_graph_activation_bytes(graph)},
        {"workspace", (graph->workspace_bytes ? at_least(graph->workspace_bytes) : 0) +
                          at_least(step->wiring.loss_workspace_bytes) +
                          at_least(step->augment_bytes) + at_least(step->optim_bytes) +
                          clc_optim_tables_bytes(step->segments, step->segment_count)},
        {"data set", at_least(step->dataset_bytes)},
        {"step", step_buffers_bytes(step)},
    };
    const size_t n = sizeof all / sizeof *all;
    *total = 0;
    *largest = clc_graph_largest_buffer(graph);
    for (size_t i = 0; i < n; i++) {
        lines[i] = all[i];
        *total += all[i].bytes;
        /* Activations and workspace are many buffers, the others one each. */
        if (i != 3 && i != 4 && all[i].bytes > *largest)
            *largest = all[i].bytes;
    }
    return n;
}

static clc_status upload_dataset(clc_step *step, const clc_dataset *data) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_buffer_create(step->device, step->dataset_bytes, "the data set", &step->pixels));
    CLC_TRY(clc_buffer_write(step->device, step->pixels, 0, step->dataset_bytes, data->pixels));
fail:
    return status;
}

clc_status clc_step_allocate(clc_step *step, const clc_dataset *data) {
    clc_status status = CLC_OK;
    clc_device *device = step->device;
    clc_wiring *w = &step->wiring;
    const size_t f = sizeof(float), batch = (size_t)w->batch;
    CLC_TRY(clc_params_allocate(&step->params, device, true, clc_optim_states(step->optim.kind)));
    CLC_TRY(clc_graph_allocate(w->graph));
    CLC_TRY(clc_buffer_create(device, w->loss_workspace_bytes, "the loss", &w->loss_workspace));
    CLC_TRY(clc_buffer_create(device, f, "the loss", &w->loss));
    CLC_TRY(clc_buffer_create(device, step->augment_bytes, "augmentation",
                              &step->augment_workspace));
    CLC_TRY(clc_buffer_create(device, step->optim_bytes, "the optimizer", &step->optim_workspace));
    CLC_TRY(clc_buffer_create(device, sizeof step->slots[0].state, "the step", &step->state));
    CLC_TRY(clc_buffer_create(device, sizeof step->slots[0].hyper, "the step", &step->hyper));
    CLC_TRY(clc_buffer_create(device, sizeof(clc_step_result), "the step", &step->result));
    CLC_TRY(clc_buffer_create(device, 2 * step->segment_count * f, "the step", &step->norms));
    CLC_TRY(clc_buffer_create(device, batch * sizeof(int32_t), "indices", &step->indices));
    CLC_TRY(clc_optim_prepare(device, step->segments, step->segment_count, &step->tables));
    CLC_TRY(upload_dataset(step, data));
    for (int i = 0; i < CLC_STEPS_UNDER_WAY; i++)
        CLC_NEW(step->slots[i].indices, batch);
fail:
    return status;
}

clc_status clc_step_build(clc_step *step) {
    clc_status status = CLC_OK;
    clc_device *device = step->device;
    clc_wiring *w = &step->wiring;
    CLC_TRY(clc_augment_build(&step->augment_sequence, device, &step->augment, step->pixels,
                              step->indices, step->state, w->batch, step->method->views,
                              w->images->value, step->augment_workspace));
    CLC_TRY(clc_graph_build(w->graph));
    CLC_TRY(step->method->build_loss(w));
    const clc_optim_buffers buffers = {.value = step->params.value,
                                       .grad = step->params.grad,
                                       .state = step->params.state,
                                       .hyper = step->hyper,
                                       .loss = w->loss,
                                       .result = step->result,
                                       .norms = step->norms,
                                       .workspace = step->optim_workspace,
                                       .floats = step->params.trainable};
    CLC_TRY(clc_optim_build(&step->optim_sequence, device, &step->optim, step->segment_count,
                            &step->tables, &buffers));
    clc_programs_start(device);
fail:
    return status;
}

clc_status clc_step_prepare(clc_step *step) {
    clc_status status = CLC_OK;
    clc_sequence *sequences[5];
    clc_step_sequences(step, sequences);
    for (int i = 0; i < 5 && status == CLC_OK; i++)
        status = clc_sequence_prepare(sequences[i], step->device);
    return status;
}

void clc_step_sequences(clc_step *step, clc_sequence *sequences[5]) {
    sequences[0] = &step->augment_sequence;
    sequences[1] = &step->wiring.graph->forward;
    sequences[2] = &step->wiring.loss_sequence;
    sequences[3] = &step->wiring.graph->backward;
    sequences[4] = &step->optim_sequence;
}

/* Waits for the step in `slot`, copies it to *finished and frees the slot. */
static clc_status finish_slot(clc_step_slot *slot, clc_step_slot *finished) {
    clc_status status = CLC_OK;
    finished->step = -1;
    if (!slot->done)
        return CLC_OK;
    CLC_CL(clWaitForEvents(1, &slot->done));
    *finished = *slot;
fail:
    clReleaseEvent(slot->done);
    slot->done = NULL;
    finished->done = NULL;
    return status;
}

static void fill_slot(const clc_step *step, clc_step_slot *slot, int64_t number, int epoch,
                      float rate, const int32_t *indices) {
    const clc_optim *o = &step->optim;
    slot->step = number;
    slot->rate = rate;
    slot->state[0] = (cl_uint)epoch;
    slot->hyper[0] = rate;
    slot->hyper[1] = (float)(1.0 - pow(o->beta1, (double)(number + 1)));
    slot->hyper[2] = (float)(1.0 - pow(o->beta2, (double)(number + 1)));
    memcpy(slot->indices, indices, (size_t)step->wiring.batch * sizeof *indices);
}

/* A copy to the device that returns at once: the slot's memory stays untouched until the step is done. */
static clc_status write_later(clc_step *step, cl_mem buffer, size_t bytes, const void *data) {
    clc_status status = CLC_OK;
    CLC_CL(clEnqueueWriteBuffer(step->device->queue, buffer, CL_FALSE, 0, bytes, data, 0, NULL,
                                NULL));
fail:
    return status;
}

clc_status clc_step_enqueue(clc_step *step, int64_t number, int epoch, float rate,
                            const int32_t *indices, clc_step_slot *finished) {
    clc_status status = CLC_OK;
    clc_step_slot *slot = &step->slots[number % CLC_STEPS_UNDER_WAY];
    clc_sequence *sequences[5];
    CLC_TRY(finish_slot(slot, finished));
    fill_slot(step, slot, number, epoch, rate, indices);
    CLC_TRY(write_later(step, step->state, sizeof slot->state, slot->state));
    CLC_TRY(write_later(step, step->hyper, sizeof slot->hyper, slot->hyper));
    CLC_TRY(write_later(step, step->indices, (size_t)step->wiring.batch * sizeof(int32_t),
                        slot->indices));
    clc_step_sequences(step, sequences);
    for (int i = 0; i < 5; i++)
        CLC_TRY(clc_sequence_run(sequences[i], step->device));
    CLC_CL(clEnqueueReadBuffer(step->device->queue, step->result, CL_FALSE, 0, sizeof slot->result,
                               &slot->result, 0, NULL, &slot->done));
    CLC_CL(clFlush(step->device->queue));
fail:
    return status;
}

clc_status clc_step_drain(clc_step *step, clc_step_slot *finished) {
    clc_step_slot *oldest = NULL;
    finished->step = -1;
    for (int i = 0; i < CLC_STEPS_UNDER_WAY; i++)
        if (step->slots[i].done && (!oldest || step->slots[i].step < oldest->step))
            oldest = &step->slots[i];
    return oldest ? finish_slot(oldest, finished) : CLC_OK;
}

void clc_step_release(clc_step *step) {
    clc_device *device = step->device;
    if (!device)
        return;
    clFinish(device->queue);
    for (int i = 0; i < CLC_STEPS_UNDER_WAY; i++) {
        if (step->slots[i].done)
            clReleaseEvent(step->slots[i].done);
        free(step->slots[i].indices);
    }
    clc_sequence_free(&step->augment_sequence);
    clc_sequence_free(&step->optim_sequence);
    clc_wiring_release(&step->wiring);
    clc_optim_release(device, &step->tables);
    cl_mem *buffers[] = {&step->pixels, &step->indices, &step->state,
                         &step->hyper,  &step->result,  &step->norms,
                         &step->augment_workspace, &step->optim_workspace};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        clc_buffer_release(device, buffers[i]);
    clc_params_release(&step->params, device);
    free(step->segments);
    *step = (clc_step){0};
}
