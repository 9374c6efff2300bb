/* The networks on the views: a branch is one of them on the views of one size. */
#ifndef CLC_METHOD_BRANCHES_H
#define CLC_METHOD_BRANCHES_H

#include "method/queue.h"
#include "method/views.h"

typedef struct clc_branch {
    clc_graph *graph; /* owned; NULL if there is none */
    clc_net_input input;
    clc_tensor *features, *projection, *output; /* output: projection, prediction or scores */
    int views;
} clc_branch;

typedef struct clc_branches {
    int student_count;
    clc_branch students[CLC_CROP_SIZES];  /* one a crop size, sharing their parameters */
    clc_branch embedders[CLC_CROP_SIZES]; /* the same without gradients, for micro-batches */
    clc_branch bases[CLC_CROP_SIZES];     /* frozen encoders, whose features both of those read */
    clc_branch teacher, queue;            /* queue: scores of its embeddings */
    bool several;                         /* micro-batches: there are embedders */
} clc_branches;

/* What branches are built from. */
typedef struct clc_branches_plan {
    clc_device *device;
    const clc_config *config;
    const clc_method *method;
    const clc_views *views;
} clc_branches_plan;

/* Bases, students and, if there are several micro-batches, embedders. `branches` must be zeroed. */
clc_status clc_branches_add_students(clc_branches *branches, const clc_branches_plan *plan,
                                     clc_params *params, bool several);

/* The teacher, after the networks' parameters have been laid out; lays out its own. */
clc_status clc_branches_add_teacher(clc_branches *branches, const clc_branches_plan *plan,
                                    const clc_params *params, clc_params *teacher);

/* A trained network in the teacher's place, as `trained` says, on the same views. */
clc_status clc_branches_add_trained(clc_branches *branches, const clc_branches_plan *plan,
                                    const clc_config *trained, clc_params *teacher);

/* Scores of the queue's embeddings. */
clc_status clc_branches_add_queue(clc_branches *branches, const clc_branches_plan *plan,
                                  clc_params *params, const clc_queue *queue);

/* What makes the embeddings of crop size number `i`: the embedder if there is one. */
clc_branch *clc_branches_seen(clc_branches *branches, int i);

/* All branches: number i of CLC_BRANCHES; its graph is NULL where there is none. */
enum { CLC_BRANCHES = 3 * CLC_CROP_SIZES + 2 };
clc_branch *clc_branches_at(clc_branches *branches, int i);

/* Plans the memory of all graphs, which share what they don't need at the same time. */
clc_status clc_branches_plan_memory(clc_branches *branches);

/* Gives them what they read, which must have been allocated. */
void clc_branches_bind(clc_branches *branches, const clc_views *views, const clc_queue *queue);

void clc_branches_release(clc_branches *branches);

#endif
