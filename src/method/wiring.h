/* A method wired up for a configuration: views, branches of networks, the loss and what follows it.
 * All of the arithmetic is elsewhere; this is who reads whose buffers, and when. */
#ifndef CLC_METHOD_WIRING_H
#define CLC_METHOD_WIRING_H

#include "augment/augment.h"
#include "data/dataset.h"
#include "method/method.h"
#include "method/queue.h"

/* Numbers of a step on the device, as uint. */
enum { CLC_STEP_EPOCH, CLC_STEP_QUEUE_POSITION, CLC_STEP_STATE_COUNT = 4 };

enum {
    CLC_CROP_SIZES = 5,   /* view sizes: the large one and small ones */
    CLC_VIEW_SETS = 6,    /* of different transforms */
    CLC_WIRING_STATES = 4 /* tensors besides parameters that training changes */
};

/* Views of one size. */
typedef struct clc_crop_views {
    int size, views;
    cl_mem images; /* (views*micro,size,size,channels) */
} clc_crop_views;

/* Views of one transform: made together. */
typedef struct clc_view_set {
    clc_augment augment;
    int crop;         /* index of their clc_crop_views */
    int first, views; /* among those */
    int first_view;   /* number of the first view of all */
} clc_view_set;

/* One network on views of one size. */
typedef struct clc_branch {
    clc_graph *graph; /* owned; NULL if there is none */
    clc_tensor *images;
    clc_tensor *features, *projection, *output; /* output: projection, prediction or scores */
    int views;
} clc_branch;

/* A matrix that the loss sees, of all the batch's images: a branch's tensor itself or, if it has
 * several parts or is made in several micro-batches, gathered from those. */
typedef struct clc_port {
    int views, dim;
    bool gradient;
    struct {
        clc_tensor *from; /* its value is gathered, row v * micro + i */
        clc_tensor *to;   /* its gradient is scattered to; NULL for none */
        int first, views; /* rows first * batch ... */
    } parts[CLC_CROP_SIZES];
    int part_count;
    bool owned;
    cl_mem value, grad; /* (views*batch,dim) */
} clc_port;

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
    clc_loss_options options;
    clc_loss_shape shape;
    clc_params params, teacher; /* of the networks; their running average, empty if there is none */
    int batch, micro, channels;
    int views;                            /* of each image, in all */
    clc_crop_views crops[CLC_CROP_SIZES]; /* if `split`, the second is the teacher's */
    int crop_count;
    clc_view_set sets[CLC_VIEW_SETS];
    int set_count;
    int student_count;
    clc_branch students[CLC_CROP_SIZES];     /* one a crop size, sharing their parameters */
    clc_branch embedders[CLC_CROP_SIZES];    /* the same without gradients, for micro-batches */
    clc_branch teacher_branch, queue_branch; /* queue_branch: scores of the queue */
    clc_port output, target,
        projection; /* target: the teacher's; projection: what the queue takes */
    /* Projections of a (micro-)batch: of first views, and of second ones from row `second_row` on.
     */
    clc_tensor *watched, *watched_second;
    int second_row;
    clc_queue queue;
    cl_mem nearest; /* (views*batch,dim) */
    cl_mem nearest_scores, nearest_space;
    size_t nearest_space_bytes;
    cl_mem center, loss_workspace, value; /* value: float (1), the loss */
    cl_mem all_labels, labels;            /* int: of the data set, of the batch */
    size_t label_count;
    size_t loss_workspace_bytes, augment_bytes;
    cl_mem augment_workspace,
        grad_sum; /* grad_sum: like params.grad, if there are several backwards */
    clc_sequence *augment, *gather, *scatter; /* one a micro-batch */
    clc_sequence before, after;               /* around the loss */
    clc_sequence loss_sequence[2];            /* without and with the queue */
    clc_sequence accumulate[3];               /* of gradients: the first, others, the last */
} clc_wiring;

/* All graphs: number i of CLC_WIRING_GRAPHS, or NULL where there is none. */
enum { CLC_WIRING_GRAPHS = 2 * CLC_CROP_SIZES + 2 };
clc_graph *clc_wiring_graph(clc_wiring *wiring, int i);

/* Builds the graphs and plans their memory; needs no device memory. `wiring` must be zeroed. */
clc_status clc_wiring_plan(clc_wiring *wiring, clc_device *device, const clc_config *config,
                           const clc_dataset *data);

/* Bytes by kind of what clc_wiring_allocate takes (and the largest buffer). */
typedef struct clc_wiring_bytes {
    size_t params, gradients, teacher, activations, workspace, embeddings, largest;
} clc_wiring_bytes;
clc_wiring_bytes clc_wiring_memory(const clc_wiring *wiring);

/* `data` is that of clc_wiring_plan. */
clc_status clc_wiring_allocate(clc_wiring *wiring, int optimizer_states, const clc_dataset *data);

/* Makes all launches; step_state: uint (CLC_STEP_STATE_COUNT). */
clc_status clc_wiring_build(clc_wiring *wiring, cl_mem pixels, cl_mem indices, cl_mem step_state);

/* Appends what follows an update of the weights: prototypes, the teacher's average. hyper as in
 * optim.h. */
clc_status clc_wiring_build_update(clc_wiring *wiring, clc_sequence *sequence, cl_mem hyper);

/* First weights, the teacher's copy of them, the queue. */
clc_status clc_wiring_initialise(clc_wiring *wiring, uint64_t seed);

/* What to run, in order, with micro-batches and all. Returns how many; `stages` may be NULL. */
typedef struct clc_stage {
    clc_sequence *sequence;
    clc_graph *graph; /* whose forward or backward it is, or NULL */
    bool backward;
} clc_stage;
size_t clc_wiring_stages(clc_wiring *wiring, bool queue, clc_stage *stages);

/* Micro-batches a step, and rows that the queue takes in. */
int clc_wiring_micros(const clc_wiring *wiring);
int clc_wiring_queued(const clc_wiring *wiring);

/* Returns how many; room for CLC_WIRING_STATES. */
int clc_wiring_states(const clc_wiring *wiring, clc_wiring_state *states);

void clc_wiring_release(clc_wiring *wiring);

#endif
