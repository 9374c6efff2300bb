/* A static tape: nodes are added once, memory is planned from their lifetimes, then the forward and
 * backward launches are made. Parameters live outside, so that several graphs share them. */
#ifndef CLC_GRAPH_GRAPH_H
#define CLC_GRAPH_GRAPH_H

#include "device/gemm.h"
#include "device/sequence.h"
#include "graph/param.h"
#include "graph/tensor.h"

/* One buffer of the plan, reused by tensors whose lifetimes don't overlap. */
typedef struct clc_slot {
    size_t bytes;
    int busy_until;              /* time of its last tensor's last use */
    bool result;                 /* of a graph without gradients: stands after its last node */
    const struct clc_slot *lent; /* the lender's slot that it is, or NULL */
    cl_mem mem;
} clc_slot;

typedef struct clc_graph clc_graph;
typedef struct clc_node clc_node;

enum { CLC_NODE_INPUTS = 4, CLC_NODE_PARAMS = 8 };

/* What a node needs of the tape. */
typedef struct clc_needs {
    clc_shape out;
    clc_shape saved; /* what forward keeps for backward besides values; rank 0: nothing */
    bool keeps_in[CLC_NODE_INPUTS], keeps_out; /* values that backward reads */
} clc_needs;

/* A kind of node. The builders of op/ops.h append them. */
typedef struct clc_op {
    const char *name;
    size_t attr_bytes; /* of a node's attr */

    /* Works out the needs from inputs and attr; refuses inputs that the op can't take. */
    clc_status (*plan)(const clc_graph *graph, const clc_node *node, clc_needs *needs);

    /* Bytes of workspace, the larger of both directions; NULL: it needs none. */
    size_t (*workspace)(const clc_graph *graph, const clc_node *node);

    clc_status (*forward)(clc_graph *graph, const clc_node *node, clc_sequence *sequence);

    /* Writes the gradients of the parameters and of each input that wants one, of the last input
     * first; adds to that of in[i] where node->adds[i]. */
    clc_status (*backward)(clc_graph *graph, const clc_node *node, clc_sequence *sequence);
} clc_op;

struct clc_node {
    const clc_op *op;
    char layer[64];
    clc_tensor *in[CLC_NODE_INPUTS];
    int in_count;
    clc_tensor *out;
    clc_tensor *saved;           /* NULL if the op saves nothing */
    int params[CLC_NODE_PARAMS]; /* indices into graph->params */
    int param_count;
    const void *attr; /* the op's own settings, owned by the graph; NULL for none */
    clc_needs needs;
    bool training, gradients;   /* as the graph's were, but not of a frozen part */
    bool adds[CLC_NODE_INPUTS]; /* planned: something else has written in[i]'s gradient before */
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
    bool freezes;    /* nodes are being added that clc_graph_freeze is about */
    cl_mem dropout_state;    /* uint[4]: low and high half of the seed, step, micro-batch; borrowed;
                                NULL: there is no dropout */
    unsigned dropout_stream; /* graphs with different ones draw different numbers, below 2^16 */
    int convolution;         /* CLC_CONFIG_CONVOLUTION_..: how convolutions are computed */
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
clc_status clc_graph_input(clc_graph *graph, const char *name, clc_shape shape, bool wants_grad,
                           clc_tensor **tensor);

/* An input in a buffer of the caller, who sets tensor->value before clc_graph_build. No gradient.
 */
clc_status clc_graph_input_external(clc_graph *graph, const char *name, clc_shape shape,
                                    clc_tensor **tensor);

/* Nodes added from now on, until clc_graph_thaw, are those of inference: batch-norm goes by its
 * running statistics, and no backward pass runs through them. Only the first ones of a graph can be
 * frozen. */
void clc_graph_freeze(clc_graph *graph);
void clc_graph_thaw(clc_graph *graph);

/* Whether a node added now is trained. */
static inline bool clc_graph_trains(const clc_graph *graph) {
    return graph->training && !graph->freezes;
}

/* The loss reads this tensor; with `gradient` it also writes its gradient, to which nodes add
 * theirs. */
void clc_graph_expose(clc_tensor *tensor, bool gradient);

/* For an op's builder: adds parameter "<layer>.<suffix>", the node's next. */
clc_status clc_graph_param(clc_graph *graph, const char *layer, clc_node *node, const char *suffix,
                           clc_param_kind kind, int rank, const int *shape);

/* For an op's builder: appends the node, whose op, inputs, parameters and attr (copied) are set;
 * *out receives its output. */
clc_status clc_graph_node(clc_graph *graph, const char *layer, const clc_node *node,
                          clc_tensor **out);

/* The node's parameter number i. */
static inline const clc_param *clc_node_param(const clc_graph *graph, const clc_node *node, int i) {
    return &graph->params->items[node->params[i]];
}

/* Works out lifetimes, slots, workspace and which gradients are added to; needs no device memory.
 * Host only. */
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
