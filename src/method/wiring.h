/* A method wired up for a configuration: views, branches of networks, the loss and what follows it.
 * All of the arithmetic is elsewhere; this is who reads whose buffers, and when. Its memory is in
 * method/memory.h, what is launched and in which order in method/stages.h. */
#ifndef CLC_METHOD_WIRING_H
#define CLC_METHOD_WIRING_H

#include "method/branches.h"
#include "method/ports.h"
#include "method/views.h"

enum { CLC_WIRING_STATES = 4 /* tensors besides parameters that training changes */ };

/* A tensor that checkpoints hold. */
typedef struct clc_wiring_state {
    const char *name;
    int rows, dim;
    cl_mem data; /* (rows,dim) */
} clc_wiring_state;

typedef struct clc_wiring {
    clc_device *device;
    const clc_config *config;
    const clc_method *method;
    const clc_loss *loss;
    clc_config_loss options;
    clc_loss_shape shape;
    /* Of the networks; their running average, or a trained network's, empty if there is none. */
    clc_params params, teacher;
    clc_config *trained; /* that network's; NULL: there is none */
    int batch, micro;
    clc_views views;
    clc_branches branches;
    clc_ports ports;
    clc_queue queue;
    cl_mem nearest; /* (views*batch,dim) */
    cl_mem nearest_scores, nearest_space;
    size_t nearest_space_bytes;
    cl_mem center, loss_workspace, value; /* value: float (1), the loss */
    size_t loss_workspace_bytes;
    cl_mem all_labels, labels; /* int: of the data set, of the batch */
    size_t label_count;
    cl_mem dropout;                           /* uint (4): as clc_graph's dropout_state */
    cl_mem micro_numbers;                     /* uint (micro-batches): 0, 1, 2 ... */
    cl_mem grad_sum;                          /* like params.grad, if there are several backwards */
    clc_sequence *augment, *gather, *scatter; /* one a micro-batch */
    clc_sequence before, after;               /* around the loss */
    clc_sequence loss_sequence[2];            /* without and with the queue */
    clc_sequence accumulate[3];               /* of gradients: the first, others, the last */
} clc_wiring;

/* Builds the graphs and plans their memory; needs no device memory. `wiring` must be zeroed. */
clc_status clc_wiring_plan(clc_wiring *wiring, clc_device *device, const clc_config *config,
                           const clc_dataset *data);

/* First weights, random or `from_files` those that the configuration names; the teacher's copy of
 * them, the queue. */
clc_status clc_wiring_initialise(clc_wiring *wiring, uint64_t seed, bool from_files);

/* Graph number i of CLC_BRANCHES, or NULL where there is none. */
clc_graph *clc_wiring_graph(clc_wiring *wiring, int i);

/* Micro-batches and backward passes a step, whether gradients of several of those are added up, and
 * rows that the queue takes in. */
int clc_wiring_micros(const clc_wiring *wiring);
int clc_wiring_backwards(const clc_wiring *wiring);
bool clc_wiring_accumulates(const clc_wiring *wiring);
int clc_wiring_queued(const clc_wiring *wiring);

/* Returns how many; room for CLC_WIRING_STATES. */
int clc_wiring_states(const clc_wiring *wiring, clc_wiring_state *states);

#endif
