/* A static tape: nodes are added once, memory is planned from their lifetimes, then the forward and
 * backward launches are made. Parameters live outside, so that several graphs share them. */
#ifndef CLC_GRAPH_GRAPH_H
#define CLC_GRAPH_GRAPH_H

#include "device/sequence.h"
#include "graph/param.h"
#include "op/conv2d.h"

/* One buffer of the plan, reused by tensors whose lifetimes don't overlap. */
typedef struct clc_slot {
    size_t bytes;
    int busy_until;              /* time of its last tensor's last use */
    bool result;                 /* of a graph without gradients: stands after its last node */
    const struct clc_slot *lent; /* the lender's slot that it is, or NULL */
    cl_mem mem;
} clc_slot;

typedef struct clc_tensor {
    char name[64];
    int n, h, w, c; /* (N,H,W,C); a matrix is (N,1,1,C) */
    size_t count;
    int producer;      /* node index, -1 for an input */
    int last_consumer; /* node index, -1 if none */
    int kept_until;    /* time up to which the value must live */
    bool wants_grad;   /* an input's gradient is computed only if asked for */
    bool grad_written; /* while backward is built: the next writer adds */
    bool external;     /* an input whose buffer the caller provides in `value` */
    bool exposed,
        exposed_grad; /* the loss reads the value, writes a gradient, although nodes read it too */
    int slot, grad_slot;
    cl_mem value, grad; /* borrowed from the slots */
} clc_tensor;

typedef struct clc_graph clc_graph;
typedef struct clc_node clc_node;

/* What a kind of node does; each is one file in src/op. */
typedef struct clc_op {
    const char *name;
    bool keeps_input;  /* backward reads the input's value */
    bool keeps_output; /* backward reads the output's value */
    /* Bytes of workspace, the larger of both directions. */
    size_t (*workspace)(const clc_graph *graph, const clc_node *node);
    clc_status (*forward)(clc_graph *graph, clc_node *node, clc_sequence *sequence);
    clc_status (*backward)(clc_graph *graph, clc_node *node, clc_sequence *sequence);
} clc_op;

struct clc_node {
    const clc_op *op;
    char layer[64];
    clc_tensor *in, *residual, *out;
    clc_tensor *saved; /* what forward keeps for backward besides values; NULL if nothing */
    int params[4];     /* indices into graph->params */
    int kernel, stride, pad;
    bool relu, bias;
};

struct clc_graph {
    clc_device *device;
    clc_params *params;
    bool training;   /* batch-norm by batch statistics */
    bool gradients;  /* a backward pass follows; else nothing is kept for it. Set before the first
                        tensor */
    int norm_splits; /* equal parts of the samples that batch-norm sees alone; 1 unless set */
    bool frozen;     /* training leaves batch-norm's running statistics as they are */
    bool fixed_norm; /* it normalises by them, too: no sample depends on another */
    clc_conv2d_kind convolution;
    clc_gemm_kind gemm;
    clc_tensor **tensors;
    size_t tensor_count;
    clc_node *nodes;
    size_t node_count;
    clc_slot *slots;
    size_t slot_count;
    size_t workspace_bytes;
    cl_mem workspace;
    clc_graph *lender; /* NULL unless it borrows */
    clc_sequence forward, backward;
    size_t *forward_end, *backward_end; /* launches up to and with node i, for diagnosis */
};

/* A graph on `device` with shared `params`; both outlive it. */
clc_status clc_graph_create(clc_device *device, clc_params *params, bool training,
                            clc_graph **graph);

/* A tensor that the caller fills before forward. */
clc_status clc_graph_input(clc_graph *graph, const char *name, int n, int h, int w, int c,
                           bool wants_grad, clc_tensor **tensor);

/* An input in a buffer of the caller, who sets tensor->value before clc_graph_build. No gradient.
 */
clc_status clc_graph_input_external(clc_graph *graph, const char *name, int n, int h, int w, int c,
                                    clc_tensor **tensor);

/* The loss reads this tensor; with `gradient` it also writes its gradient, to which nodes add
 * theirs. */
void clc_graph_expose(clc_tensor *tensor, bool gradient);

/* For src/op: appends a node with an output of shape (n,h,w,c) and, if saved > 0, `saved` floats.
 */
clc_status clc_graph_node(clc_graph *graph, const clc_node *node, int n, int h, int w, int c,
                          size_t saved, clc_tensor **out);

/* For src/op: adds parameter "<layer>.<suffix>"; *index receives it. */
clc_status clc_graph_param(clc_graph *graph, const char *layer, const char *suffix,
                           clc_param_kind kind, int rank, const int *shape, int *index);

/* For src/op: whether the next gradient written into `tensor` must add to what is there. */
bool clc_graph_grad_accumulates(clc_tensor *tensor);

/* Works out lifetimes, slots and workspace; needs no device memory. Host only. */
clc_status clc_graph_plan(clc_graph *graph);

/* Lets a planned graph use the workspace of another one that has been planned on the same device.
 * With `activations` also that one's activations, for all but its own results: then it has no
 * gradients and goes forward before the lender does. Allocate the lender first. */
void clc_graph_borrow(clc_graph *graph, clc_graph *lender, bool activations);

/* Bytes of its own that clc_graph_allocate will take: activations (values and gradients),
 * workspace. */
size_t clc_graph_activation_bytes(const clc_graph *graph);
size_t clc_graph_workspace_bytes(const clc_graph *graph);

/* The largest single buffer of the plan. */
size_t clc_graph_largest_buffer(const clc_graph *graph);

/* Allocates the plan. */
clc_status clc_graph_allocate(clc_graph *graph);

/* Makes the launches (compiling kernels). After clc_graph_allocate and clc_params_allocate. */
clc_status clc_graph_build(clc_graph *graph);

void clc_graph_free(clc_graph **graph);

#endif
