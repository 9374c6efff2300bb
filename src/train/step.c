#include "train/step.h"

#include "data/labelled.h"
#include "device/program.h"
#include "method/memory.h"
#include "optim/schedule.h"

#include <math.h>
#include <string.h>

/* Biases and batch-norm are left out of weight decay and LARS adaptation if the configuration says
 * so. */
static clc_status list_segments(clc_step *step) {
    clc_status status = CLC_OK;
    const clc_params *params = &step->wiring.params;
    CLC_NEW(step->segments, params->count);
    for (size_t i = 0; i < params->count; i++) {
        const clc_param *param = &params->items[i];
        if (!clc_param_trainable(param))
            continue;
        bool weight = param->rank > 1;
        bool constant = param->kind == CLC_PARAM_CONSTANT;
        bool included = weight || (!constant && !step->config->optimizer.exclude_bias_and_norm);
        step->segments[step->segment_count++] =
            (clc_optim_segment){.offset = param->offset,
                                .count = param->count,
                                .decay = included,
                                .adapt = included,
                                .group = (clc_optim_group)param->group};
    }
fail:
    return status;
}

static clc_status plan_residence(clc_step *step, const clc_dataset *data) {
    const int wanted = step->config->data.residency;
    const bool able = clc_residence_plan(
        &step->residence, step->device, data, step->config->training.batch, CLC_STEP_SLOTS,
        wanted == CLC_CONFIG_RESIDENCY_AUTO || wanted == CLC_CONFIG_RESIDENCY_DEVICE);
    if (!able && wanted == CLC_CONFIG_RESIDENCY_DEVICE)
        return clc_fail(CLC_MEMORY,
                        "data.residency = device: %.0f MB of images don't fit into %d buffers of "
                        "%.0f MB; use data.residency = auto",
                        (double)data->bytes / 1e6, AUGMENT_BUFFERS,
                        (double)step->device->info.largest_buffer / 1e6);
    if (!able)
        clc_step_unsettle(step);
    return CLC_OK;
}

bool clc_step_unsettle(clc_step *step) {
    const clc_residence r = step->residence;
    if (step->config->data.residency != CLC_CONFIG_RESIDENCY_AUTO || !r.resident ||
        !clc_dataset_has_pictures(r.data))
        return false;
    return clc_residence_plan(&step->residence, r.device, r.data, r.batch, r.slots, false);
}

/* A classifier without a teacher learns nothing from samples without a label. */
static clc_status choose_samples(clc_step *step, const clc_dataset *data) {
    clc_status status = CLC_OK;
    const int batch = step->config->training.batch;
    step->drawn = data->count;
    if (step->wiring.method->classifier && step->wiring.method->labels)
        CLC_TRY(clc_labelled_samples(data, &step->samples, &step->drawn));
    if (step->drawn < (size_t)batch)
        return clc_fail(CLC_INVALID,
                        "training.batch is %d but only %zu of %zu training samples have a label; "
                        "use a smaller batch or more labels (finetune.labels)",
                        batch, step->drawn, data->count);
fail:
    return status;
}

clc_status clc_step_plan(clc_step *step, clc_device *device, const clc_config *config,
                         const clc_dataset *data) {
    clc_status status = CLC_OK;
    step->device = device;
    step->config = config;
    CLC_TRY(clc_wiring_plan(&step->wiring, device, config, data));
    CLC_TRY(choose_samples(step, data));
    step->steps_per_epoch = (int64_t)step->drawn / config->training.batch;
    step->total = step->steps_per_epoch * config->training.epochs;
    CLC_TRY(list_segments(step));
    CLC_TRY(plan_residence(step, data));
    step->optim_bytes = clc_optim_workspace(step->segments, step->segment_count);
fail:
    return status;
}

static size_t step_buffers_bytes(const clc_step *step) {
    return sizeof step->slots[0].state + sizeof step->slots[0].hyper + sizeof(clc_step_result) +
           clc_buffer_bytes(2 * step->segment_count * sizeof(float));
}

size_t clc_step_memory(const clc_step *step, clc_memory_line lines[CLC_MEMORY_LINES], size_t *total,
                       size_t *largest) {
    const clc_wiring_bytes wiring = clc_wiring_memory(&step->wiring);
    const int states = clc_optim_states(&step->config->optimizer);
    const size_t optimizer = wiring.gradients * (size_t)states;
    size_t data_largest;
    const size_t dataset = clc_residence_bytes(&step->residence, &data_largest);
    const size_t fields = clc_residence_field_bytes(&step->residence, &data_largest);
    const clc_memory_line all[] = {
        {"parameters", wiring.params},
        {"gradients", wiring.gradients},
        {"optimizer state", optimizer},
        {"teacher", wiring.teacher},
        {"activations", wiring.activations},
        {"embeddings", wiring.embeddings},
        {"workspace", wiring.workspace + clc_buffer_bytes(step->optim_bytes) +
                          clc_optim_tables_bytes(step->segments, step->segment_count)},
        {step->residence.resident ? "data set" : "batch of images", dataset},
        {"texts, series", fields},
        {"step", step_buffers_bytes(step)},
    };
    size_t n = 0;
    *total = 0;
    *largest = wiring.largest > optimizer ? wiring.largest : optimizer;
    *largest = data_largest > *largest ? data_largest : *largest;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        *total += all[i].bytes;
        if (all[i].bytes)
            lines[n++] = all[i];
    }
    return n;
}

clc_status clc_step_allocate(clc_step *step, const clc_dataset *data) {
    clc_status status = CLC_OK;
    clc_device *device = step->device;
    const size_t f = sizeof(float);
    CLC_TRY(clc_wiring_allocate(&step->wiring, clc_optim_states(&step->config->optimizer), data));
    CLC_TRY(clc_buffer_create(device, step->optim_bytes, "the optimizer", &step->optim_workspace));
    CLC_TRY(clc_buffer_create(device, sizeof step->slots[0].state, "the step", &step->state));
    CLC_TRY(clc_buffer_create(device, sizeof step->slots[0].hyper, "the step", &step->hyper));
    CLC_TRY(clc_buffer_create(device, sizeof(clc_step_result), "the step", &step->result));
    CLC_TRY(clc_buffer_create(device, 2 * step->segment_count * f, "the step", &step->norms));
    CLC_TRY(clc_optim_prepare(device, step->segments, step->segment_count, &step->tables));
    CLC_TRY(clc_residence_allocate(&step->residence));
    step->watch_rows = step->wiring.micro < CLC_WATCH_ROWS ? step->wiring.micro : CLC_WATCH_ROWS;
    step->watch_dim = clc_tensor_channels(step->wiring.ports.watched);
    for (int i = 0; i < CLC_STEPS_UNDER_WAY; i++)
        CLC_NEW(step->slots[i].embeddings, (size_t)(2 * step->watch_rows * step->watch_dim));
fail:
    return status;
}

/* The update of the weights, then what follows from it. */
static clc_status build_update(clc_step *step) {
    clc_status status = CLC_OK;
    clc_wiring *w = &step->wiring;
    const clc_optim_buffers buffers = {.value = w->params.value,
                                       .grad = w->params.grad,
                                       .state = w->params.state,
                                       .hyper = step->hyper,
                                       .loss = w->value,
                                       .result = step->result,
                                       .norms = step->norms,
                                       .workspace = step->optim_workspace,
                                       .floats = w->params.trainable};
    CLC_TRY(clc_optim_build(&step->optim_sequence, step->device, &step->config->optimizer,
                            step->segment_count, &step->tables, &buffers));
    CLC_TRY(clc_wiring_build_update(w, &step->optim_sequence, step->hyper));
fail:
    return status;
}

clc_status clc_step_build(clc_step *step) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_wiring_build(&step->wiring, &step->residence.samples, step->state));
    CLC_TRY(build_update(step));
    for (int queue = 0; queue < 2; queue++) {
        const size_t count = clc_wiring_stages(&step->wiring, queue, NULL);
        CLC_NEW(step->stages[queue], count + 1);
        clc_wiring_stages(&step->wiring, queue, step->stages[queue]);
        step->stages[queue][count] = (clc_stage){.sequence = &step->optim_sequence};
        step->stage_count[queue] = count + 1;
    }
fail:
    return status;
}

clc_status clc_step_prepare(clc_step *step) {
    clc_status status = CLC_OK;
    for (int queue = 0; queue < 2; queue++)
        for (size_t i = 0; i < step->stage_count[queue] && status == CLC_OK; i++)
            status = clc_sequence_prepare(step->stages[queue][i].sequence, step->device);
    return status;
}

size_t clc_step_stages(const clc_step *step, int64_t number, const clc_stage **stages) {
    const double start = step->config->method.queue_start * (double)step->steps_per_epoch;
    const int queue = (double)number >= start;
    *stages = step->stages[queue];
    return step->stage_count[queue];
}

/* Waits for the step in `slot`, copies it to *finished and frees the slot. */
static clc_status finish_slot(const clc_step *step, clc_step_slot *slot, clc_step_slot *finished) {
    clc_status status = CLC_OK;
    finished->step = -1;
    if (!slot->done)
        return CLC_OK;
    CLC_CL(clWaitForEvents(1, &slot->done));
    const size_t half = (size_t)(step->watch_rows * step->watch_dim);
    const float *second = step->wiring.ports.watched_second ? slot->embeddings + half : NULL;
    if (slot->watching)
        CLC_TRY(clc_spread_measure(slot->embeddings, second, step->watch_rows, step->watch_dim,
                                   &slot->spread));
    *finished = *slot;
fail:
    clReleaseEvent(slot->done);
    slot->done = NULL;
    finished->done = NULL;
    return status;
}

/* A teacher's momentum grows to 1 by half a cosine (BYOL, arXiv 2006.07733), or stays. */
static double momentum_of(const clc_step *step, int64_t number) {
    const double first = step->config->method.momentum;
    const double share = (double)number / (double)(step->total > 1 ? step->total : 1);
    if (step->config->method.momentum_schedule == CLC_CONFIG_MOMENTUM_CONSTANT)
        return first;
    return 1 - (1 - first) * 0.5 * (cos(3.14159265358979323846 * (share > 1 ? 1 : share)) + 1);
}

static void fill_hyper(const clc_step *step, int64_t number, float rate, float *hyper) {
    const clc_config_optimizer *o = &step->config->optimizer;
    const clc_schedule schedule = clc_schedule_make(step->config, step->steps_per_epoch);
    const double frozen = step->config->method.freeze_prototypes * (double)step->steps_per_epoch;
    hyper[CLC_HYPER_RATE] = rate;
    hyper[CLC_HYPER_BIAS1] = (float)(1.0 - pow(o->beta1, (double)(number + 1)));
    hyper[CLC_HYPER_BIAS2] = (float)(1.0 - pow(o->beta2, (double)(number + 1)));
    hyper[CLC_HYPER_MOMENTUM] = (float)momentum_of(step, number);
    hyper[CLC_HYPER_GROUPS + CLC_GROUP_MAIN] = rate;
    hyper[CLC_HYPER_GROUPS + CLC_GROUP_PREDICTOR] = (float)schedule.greatest;
    hyper[CLC_HYPER_GROUPS + CLC_GROUP_PROTOTYPES] = (double)number < frozen ? 0 : rate;
    hyper[CLC_HYPER_GROUPS + CLC_GROUP_FROZEN] = 0;
}

static void fill_slot(clc_step *step, clc_step_slot *slot, float rate, const clc_batch *batch) {
    const int every = step->config->training.watch_every;
    const int64_t number = batch->step;
    slot->batch = *batch;
    slot->watching = every && (number + 1) % every == 0;
    const int64_t queue = step->wiring.queue.size ? step->wiring.queue.size : 1;
    slot->step = number;
    slot->rate = rate;
    slot->state[CLC_STEP_EPOCH] = (cl_uint)batch->epoch;
    slot->state[CLC_STEP_QUEUE_POSITION] =
        (cl_uint)(number * clc_wiring_queued(&step->wiring) % queue);
    slot->state[CLC_STEP_NUMBER] = (cl_uint)number;
    fill_hyper(step, number, rate, slot->hyper);
}

/* A copy to the device that returns at once: the slot's memory stays untouched until the step is
 * done. */
static clc_status write_later(clc_step *step, cl_mem buffer, size_t bytes, const void *data) {
    clc_status status = CLC_OK;
    CLC_CL(
        clEnqueueWriteBuffer(step->device->queue, buffer, CL_FALSE, 0, bytes, data, 0, NULL, NULL));
fail:
    return status;
}

/* Reads what is watched, before the backward pass takes its memory. */
static clc_status read_watched(clc_step *step, clc_step_slot *slot) {
    clc_status status = CLC_OK;
    const clc_wiring *w = &step->wiring;
    const size_t row = (size_t)step->watch_dim * sizeof(float);
    const size_t bytes = (size_t)step->watch_rows * row;
    CLC_CL(clEnqueueReadBuffer(step->device->queue, w->ports.watched->value, CL_FALSE, 0, bytes,
                               slot->embeddings, 0, NULL, NULL));
    if (w->ports.watched_second)
        CLC_CL(clEnqueueReadBuffer(step->device->queue, w->ports.watched_second->value, CL_FALSE,
                                   (size_t)w->ports.second_row * row, bytes,
                                   slot->embeddings + bytes / sizeof(float), 0, NULL, NULL));
fail:
    return status;
}

static bool is_loss(const clc_step *step, const clc_stage *stage) {
    const clc_sequence *losses = step->wiring.loss_sequence;
    return stage->sequence == &losses[0] || stage->sequence == &losses[1];
}

clc_status clc_step_loader(const clc_step *step, int64_t first, clc_loader **loader) {
    clc_loader_options options = {.shuffle = true,
                                  .samples = step->samples,
                                  .sample_count = step->drawn,
                                  .seed = step->config->training.seed,
                                  .first_step = first,
                                  /* Those under way, and the one that is taken. */
                                  .held = CLC_STEPS_UNDER_WAY + 1};
    clc_residence_serve(&step->residence, &options);
    return clc_loader_open(step->residence.data, &options, loader);
}

clc_status clc_step_write(clc_step *step, const clc_step_slot *slot) {
    clc_status status = CLC_OK;
    CLC_TRY(write_later(step, step->state, sizeof slot->state, slot->state));
    CLC_TRY(clc_residence_write(&step->residence, &slot->batch));
fail:
    return status;
}

clc_status clc_step_enqueue(clc_step *step, float rate, const clc_batch *batch,
                            clc_step_slot *finished) {
    clc_status status = CLC_OK;
    const clc_stage *stages;
    clc_step_slot *slot = &step->slots[step->next++ % CLC_STEPS_UNDER_WAY];
    CLC_TRY(finish_slot(step, slot, finished));
    fill_slot(step, slot, rate, batch);
    CLC_TRY(clc_step_write(step, slot));
    CLC_TRY(write_later(step, step->hyper, sizeof slot->hyper, slot->hyper));
    const size_t count = clc_step_stages(step, batch->step, &stages);
    for (size_t i = 0; i < count; i++) {
        CLC_TRY(clc_sequence_run(stages[i].sequence, step->device));
        if (slot->watching && is_loss(step, &stages[i]))
            CLC_TRY(read_watched(step, slot));
    }
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
    return oldest ? finish_slot(step, oldest, finished) : CLC_OK;
}

void clc_step_release(clc_step *step) {
    clc_device *device = step->device;
    if (!device)
        return;
    clFinish(device->queue);
    for (int i = 0; i < CLC_STEPS_UNDER_WAY; i++) {
        if (step->slots[i].done)
            clReleaseEvent(step->slots[i].done);
        free(step->slots[i].embeddings);
    }
    clc_sequence_free(&step->optim_sequence);
    clc_wiring_release(&step->wiring);
    clc_optim_release(device, &step->tables);
    clc_residence_release(&step->residence);
    cl_mem *buffers[] = {&step->state, &step->hyper, &step->result, &step->norms,
                         &step->optim_workspace};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        clc_buffer_release(device, buffers[i]);
    for (int i = 0; i < 2; i++)
        free(step->stages[i]);
    free(step->segments);
    free(step->samples);
    *step = (clc_step){0};
}
