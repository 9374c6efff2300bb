/* What a step launches, and in which order. */
#ifndef CLC_METHOD_STAGES_H
#define CLC_METHOD_STAGES_H

#include "method/wiring.h"

/* Numbers of a step on the device, as uint. */
enum {
    CLC_STEP_EPOCH,
    CLC_STEP_QUEUE_POSITION,
    CLC_STEP_NUMBER, /* of all steps, for dropout */
    CLC_STEP_STATE_COUNT = 4
};

/* Makes all launches; step_state: uint (CLC_STEP_STATE_COUNT). */
clc_status clc_wiring_build(clc_wiring *wiring, const clc_samples *samples, cl_mem step_state);

/* Appends what follows an update of the weights: prototypes, the teacher's average. hyper as in
 * optim.h. */
clc_status clc_wiring_build_update(clc_wiring *wiring, clc_sequence *sequence, cl_mem hyper);

/* What to run, in order, with micro-batches and all. Returns how many; `stages` may be NULL. */
typedef struct clc_stage {
    clc_sequence *sequence;
    clc_graph *graph; /* whose forward or backward it is, or NULL */
    bool backward;
} clc_stage;
size_t clc_wiring_stages(clc_wiring *wiring, bool queue, clc_stage *stages);

/* Frees all of a wiring, however far it has been made. */
void clc_wiring_release(clc_wiring *wiring);

#endif
