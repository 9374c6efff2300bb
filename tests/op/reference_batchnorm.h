/* Batch normalisation in plain C and double precision: the specification that the kernels are held
 * to. */
#ifndef TESTS_OP_REFERENCE_BATCHNORM_H
#define TESTS_OP_REFERENCE_BATCHNORM_H

#include <stdbool.h>

typedef struct reference_batchnorm {
    int rows, channels;
    bool relu;
    const double *x, *residual, *dy;         /* (rows,channels); residual NULL for none */
    const double *weight, *bias;             /* (channels) */
    double *running_mean, *running_variance; /* (channels), updated by training */
    double *before, *y;                      /* (rows,channels), in front of and behind the ReLU */
    double *dx, *dresidual;                  /* (rows,channels) */
    double *dweight, *dbias;                 /* (channels) */
} reference_batchnorm;

/* By the statistics of the rows; running averages with momentum 0.1 and unbiased variance. */
void reference_batchnorm_training(const reference_batchnorm *b);

/* By the running statistics. */
void reference_batchnorm_inference(const reference_batchnorm *b);

/* After training: reads before, x, dy and weight. */
void reference_batchnorm_backward(const reference_batchnorm *b);

#endif
