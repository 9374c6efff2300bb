/* A fully connected layer in plain C and double precision. */
#ifndef TESTS_OP_REFERENCE_LINEAR_H
#define TESTS_OP_REFERENCE_LINEAR_H

#include <stdbool.h>

typedef struct reference_linear {
    int n, inputs, outputs;
    bool relu;
    const double *x;         /* (n,inputs) */
    const double *weight;    /* (outputs,inputs), as PyTorch's */
    const double *bias;      /* (outputs), NULL for none */
    const double *dy;        /* (n,outputs) */
    double *before, *y;      /* (n,outputs), in front of and behind the ReLU */
    double *dx;              /* (n,inputs), added to */
    double *dweight, *dbias; /* written */
} reference_linear;

void reference_linear_forward(const reference_linear *l);

/* After forward. */
void reference_linear_backward(const reference_linear *l);

#endif
