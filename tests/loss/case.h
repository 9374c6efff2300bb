/* Runs a loss on random or given inputs and holds it to its reference. */
#ifndef TESTS_LOSS_CASE_H
#define TESTS_LOSS_CASE_H

#include "harness.h"
#include "loss/reference.h"

/* Options as configurations have them unless they say otherwise. */
#define LOSS_UNIT .normalize = true, .weight = 1

/* A loss with inputs: reference and device see the same numbers, which floats can hold. */
typedef struct loss_case {
    reference_loss reference;
    bool learned; /* scale and bias are parameters */
    bool target_gradient;
    float value, *dz, *dtarget, *dscale,
        *center; /* what the device gave; dscale (2): of log scale and bias */
} loss_case;

/* Random inputs for `shape`; labels in [0, classes). */
loss_case loss_case_make(const char *name, const clc_loss_shape *shape,
                         const clc_config_loss *options, int classes, uint64_t seed);

/* Runs it with poisoned outputs and workspace; checks canaries. May be run again after inputs
 * changed. */
void loss_case_run(loss_case *c);

/* Whether it is to be run: see test_affordable. The expectations below hold for what is not. */
bool loss_case_affordable(const loss_case *c);

/* Whether value and gradient are the reference's; gradients are compared at `samples` places,
 * relative to the largest of them. */
void loss_case_expect(loss_case *c, int samples, double tolerance);

/* Whether the value is the reference's and everything is finite: where there is no derivative. */
void loss_case_expect_finite(loss_case *c, double tolerance);

void loss_case_free(loss_case *c);

#endif
