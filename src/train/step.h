/* One training step as static launch sequences: augment, forward, loss, backward, update. */
#ifndef CLC_TRAIN_STEP_H
#define CLC_TRAIN_STEP_H

#include "data/dataset.h"
#include "method/stages.h"
#include "optim/optim.h"
#include "train/watch.h"

/* How many steps may be under way before the oldest one's result is waited for. */
enum { CLC_STEPS_UNDER_WAY = 4 };

/* What the device reports of a step, in this order. */
typedef struct clc_step_result {
    float loss, gradient_norm, finite, clip;
} clc_step_result;

/* Host side of a step under way: written before, read after. */
typedef struct clc_step_slot {
    cl_event done; /* NULL when free */
    int64_t step;
    float rate;
    cl_uint state[CLC_STEP_STATE_COUNT];
    float hyper[CLC_HYPER_COUNT];
    int32_t *indices;  /* (batch) */
    float *embeddings; /* (2,rows,dim): what is watched */
    bool watching;
    clc_spread spread; /* if watching */
    clc_step_result result;
} clc_step_slot;

typedef struct clc_memory_line {
    const char *what;
    size_t bytes;
} clc_memory_line;

typedef struct clc_step {
    clc_device *device;
    const clc_config *config;
    clc_wiring wiring;
    clc_optim_tables tables;
    clc_optim_segment *segments;
    size_t segment_count;
    size_t dataset_bytes;
    size_t optim_bytes; /* workspace */
    int64_t total;      /* steps of the whole training, for schedules */
    int64_t steps_per_epoch;
    cl_mem pixels, indices, state, hyper, result, norms, optim_workspace;
    clc_sequence optim_sequence;
    clc_stage *stages[2]; /* in order: without and with the queue */
    size_t stage_count[2];
    clc_step_slot slots[CLC_STEPS_UNDER_WAY];
    int32_t
        *spare_indices; /* (batch): changes places with a slot's, which its reader still holds */
    int watch_rows, watch_dim;
} clc_step;

/* Plans everything for `data` on `device` without taking device memory. `step` must be zeroed. */
clc_status clc_step_plan(clc_step *step, clc_device *device, const clc_config *config,
                         const clc_dataset *data);

/* The parameters of the networks. */
static inline clc_params *clc_step_params(clc_step *step) {
    return &step->wiring.params;
}

/* The plan by kind; `lines` has room for CLC_MEMORY_LINES. *total is what will be allocated. */
enum { CLC_MEMORY_LINES = 12 };
size_t clc_step_memory(const clc_step *step, clc_memory_line lines[CLC_MEMORY_LINES], size_t *total,
                       size_t *largest);

/* Takes the memory and uploads the data set; makes all launches, whose programs can then be
 * compiled in the background; waits for them and makes the kernels, which the first step else does
 * as it comes to them. */
clc_status clc_step_allocate(clc_step *step, const clc_dataset *data);
clc_status clc_step_build(clc_step *step);
clc_status clc_step_prepare(clc_step *step);

/* Enqueues step number `number` (from 0) of `epoch` (from 0) on the images `indices` (batch): never
 * waits for this step, only for one CLC_STEPS_UNDER_WAY before it, whose result goes to *finished
 * (and its number; -1 if there was none). */
clc_status clc_step_enqueue(clc_step *step, int64_t number, int epoch, float rate,
                            const int32_t *indices, clc_step_slot *finished);

/* Waits for the oldest step under way; finished->step is -1 when there is none. */
clc_status clc_step_drain(clc_step *step, clc_step_slot *finished);

/* What step `number` runs, in order; returns how many. */
size_t clc_step_stages(const clc_step *step, int64_t number, const clc_stage **stages);

void clc_step_release(clc_step *step);

#endif
