/* One training step as static launch sequences: augment, forward, loss, backward, update. */
#ifndef CLC_TRAIN_STEP_H
#define CLC_TRAIN_STEP_H

#include "augment/residence.h"
#include "method/stages.h"
#include "optim/optim.h"
#include "train/watch.h"

/* How many steps may be under way before the oldest one's result is waited for. */
enum { CLC_STEPS_UNDER_WAY = 4, CLC_STEP_SLOTS = 2 * CLC_STEPS_UNDER_WAY };

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
    clc_batch batch;   /* what the loader holds until the step is done */
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
    clc_residence residence;
    size_t optim_bytes; /* workspace */
    int32_t *samples;   /* (drawn): those that have a label; NULL: all */
    size_t drawn;       /* samples that an epoch draws from */
    int64_t total;      /* steps of the whole training, for schedules */
    int64_t steps_per_epoch;
    uint64_t next; /* the slot of the next step */
    cl_mem state, hyper, result, norms, optim_workspace;
    clc_sequence optim_sequence;
    clc_stage *stages[2]; /* in order: without and with the queue */
    size_t stage_count[2];
    clc_step_slot slots[CLC_STEPS_UNDER_WAY];
    int watch_rows, watch_dim;
} clc_step;

/* Plans everything for `data` on `device` without taking device memory: the data set resident where
 * the configuration and its buffers allow it. `step` must be zeroed. */
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

/* Plans to bring pictures a batch at a time instead; false if the configuration or the plan has it
 * otherwise. */
bool clc_step_unsettle(clc_step *step);

/* Takes the memory and uploads the data set; makes all launches, whose programs can then be
 * compiled in the background; waits for them and makes the kernels, which the first step else does
 * as it comes to them. */
clc_status clc_step_allocate(clc_step *step, const clc_dataset *data);
clc_status clc_step_build(clc_step *step);
clc_status clc_step_prepare(clc_step *step);

/* A loader of the step's batches, from step `first` on. */
clc_status clc_step_loader(const clc_step *step, int64_t first, clc_loader **loader);

/* Enqueues the step of `batch`, which must stay as it is until the step is done: never waits for
 * this step, only for one CLC_STEPS_UNDER_WAY before it, whose result goes to *finished (and its
 * number; -1 if there was none). */
clc_status clc_step_enqueue(clc_step *step, float rate, const clc_batch *batch,
                            clc_step_slot *finished);

/* Writes what the step in `slot` begins with: state and pictures. */
clc_status clc_step_write(clc_step *step, const clc_step_slot *slot);

/* Waits for the oldest step under way; finished->step is -1 when there is none. */
clc_status clc_step_drain(clc_step *step, clc_step_slot *finished);

/* What step `number` runs, in order; returns how many. */
size_t clc_step_stages(const clc_step *step, int64_t number, const clc_stage **stages);

void clc_step_release(clc_step *step);

#endif
