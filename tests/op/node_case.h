/* A small graph in which every tensor, gradient and the workspace has a guarded, poisoned buffer of
 * its own. */
#ifndef TESTS_OP_NODE_CASE_H
#define TESTS_OP_NODE_CASE_H

#include "harness.h"
#include "op/ops.h"

enum { NODE_CASE_TENSORS = 16 };

typedef struct node_case {
    clc_params params;
    clc_graph *graph;
    test_buffer value[NODE_CASE_TENSORS], grad[NODE_CASE_TENSORS], workspace;
} node_case;

/* An empty graph. */
void node_case_begin(node_case *c, bool training);

/* Plans the graph that was added and makes its launches. Gradients of parameters are NaN. */
void node_case_build(node_case *c);

void node_case_set(const clc_tensor *tensor, const float *values);
void node_case_set_grad(const clc_tensor *tensor, const float *values);
void node_case_set_param(const node_case *c, const char *name, const float *values);

void node_case_forward(const node_case *c);
void node_case_backward(const node_case *c);

/* The same comparison as test_expect; `absolute` is no fraction of the largest value. */
void node_case_expect(const node_case *c, const clc_tensor *tensor, const double *want,
                      double absolute);
void node_case_expect_grad(const node_case *c, const clc_tensor *tensor, const double *want,
                           double absolute);

/* Of a parameter, in the layout outside: (out,in) for linear layers. */
void node_case_expect_param(const node_case *c, const char *name, const double *want,
                            double absolute);

/* Fails if anything was written outside its buffer, or in the padding between parameters. */
void node_case_end(node_case *c);

/* Values of test_random, widened. Freed by the caller. */
double *node_case_widen(const float *values, size_t count);

#endif
