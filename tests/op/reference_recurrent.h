/* One layer of a recurrent network in plain C and double precision, step by step. */
#ifndef TESTS_OP_REFERENCE_RECURRENT_H
#define TESTS_OP_REFERENCE_RECURRENT_H

#include <stdbool.h>

/* Parameters of a direction, as PyTorch's: rows are the gates r, z, n or i, f, g, o. */
typedef struct reference_recurrent_params {
    double *weight_ih;         /* (gates,hidden,inputs) */
    double *weight_hh;         /* (gates,hidden,hidden) */
    double *bias_ih, *bias_hh; /* (gates,hidden) */
} reference_recurrent_params;

typedef struct reference_recurrent {
    bool lstm;
    int n, steps, inputs, hidden, directions;
    const int *lengths; /* (n) or NULL */
    const double *x;    /* (n,steps,inputs) */
    reference_recurrent_params params[2];
    double *y;                           /* (n,steps,directions,hidden), written */
    const double *dy;                    /* NULL: no backward */
    double *dx;                          /* added to */
    reference_recurrent_params grads[2]; /* added to */
} reference_recurrent;

void reference_recurrent_run(const reference_recurrent *r);

#endif
