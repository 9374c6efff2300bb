/* A trace of training: what is built for one. */
#ifndef TESTS_GOLDEN_TRACE_H
#define TESTS_GOLDEN_TRACE_H

#include "golden/golden.h"

#include "loss/loss.h"
#include "model/heads.h"
#include "optim/optim.h"

enum { MOST_SEGMENTS = 128, MOST_STEPS = 64 };

typedef struct trace {
    const clc_safetensors *file;
    clc_params params;
    clc_graph *image, *text;       /* clip: towers; simcse: `text` alone, both views in it */
    clc_graph *front;              /* simcse: what is in front of its dropout */
    clc_tensor *x, *ids, *lengths; /* inputs */
    clc_tensor *embedded, *kept;   /* on both sides of the dropout */
    clc_tensor *z[2];              /* embeddings */
    cl_mem all, dall;              /* (2*images,dim): both views' */
    clc_loss_shape shape;
    clc_config_loss options;
    clc_config_optimizer optim;
    clc_optim_segment segments[MOST_SEGMENTS];
    size_t segment_count;
    clc_optim_tables tables;
    cl_mem loss, loss_workspace, hyper, result, norms, workspace;
    clc_sequence before, loss_sequence, after, optim_sequence; /* before, after: copies of z */
} trace;

/* Metadata, "" where there is none, and dimension d of a tensor. */
const char *trace_text(const trace *t, const char *key);
int trace_dimension(const trace *t, const char *name, int d);

/* The networks with their parameters. */
void trace_build_networks(trace *t);

#endif
