/* Methods: wiring of branches, heads and loss; no arithmetic. Adding one is a file and a row of the table in
 * method.c. */
#ifndef CLC_METHOD_METHOD_H
#define CLC_METHOD_METHOD_H

#include "core/config.h"
#include "graph/graph.h"

/* What a method wires: one tape from images to embeddings, and a loss on those. */
typedef struct clc_wiring {
    clc_device *device;
    const clc_config *config;
    clc_params *params;
    int batch, size, channels; /* images a step, side of a view */
    clc_graph *graph;          /* owned */
    clc_tensor *images;        /* (views*batch,size,size,channels): row v * batch + i */
    clc_tensor *features;      /* (views*batch,1,1,F) */
    clc_tensor *embeddings;    /* (views*batch,1,1,D): what the loss sees */
    size_t loss_workspace_bytes;
    cl_mem loss_workspace, loss; /* loss: float (1) */
    clc_sequence loss_sequence;
} clc_wiring;

typedef struct clc_method {
    const char *name;
    int views; /* of each image */
    /* Builds the tape and says what the loss needs; no device memory. */
    clc_status (*wire)(clc_wiring *wiring);
    /* After allocation: makes the launches from embeddings to their gradient. */
    clc_status (*build_loss)(clc_wiring *wiring);
} clc_method;

/* The method of that name, or NULL. */
const clc_method *clc_method_find(const char *name);

/* The encoder (and projector, if enabled) that the configuration describes, as "encoder" and "projector".
 * *embeddings may be NULL to build the encoder only. */
clc_status clc_branch_build(clc_graph *graph, const clc_config *config, clc_tensor *images,
                            clc_tensor **features, clc_tensor **embeddings);

void clc_wiring_release(clc_wiring *wiring);

extern const clc_method clc_method_simclr;

#endif
