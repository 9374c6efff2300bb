/* One case of batch normalisation: its data on the host, its buffers, its reference. */
#ifndef TESTS_OP_BATCHNORM_CASE_H
#define TESTS_OP_BATCHNORM_CASE_H

#include "harness.h"
#include "op/batchnorm.h"
#include "reference_batchnorm.h"

typedef struct batchnorm_case {
    int rows, channels;
    bool relu, residual;
    double mean; /* of x, whose deviation is about 1 */
    int splits;  /* 0 counts as 1 */
} batchnorm_case;

/* Host copies, in float for the device and in double for the reference. */
typedef struct batchnorm_data {
    size_t count, channels;
    float *x, *residual, *dy, *weight, *bias, *mean, *variance;
    reference_batchnorm reference;
} batchnorm_data;

enum {
    X,
    RESIDUAL,
    DY,
    WEIGHT,
    BIAS,
    MEAN,
    VARIANCE,
    Y,
    DX,
    DRESIDUAL,
    DWEIGHT,
    DBIAS,
    SAVED,
    WORKSPACE,
    BUFFERS
};

typedef struct batchnorm_buffers {
    test_buffer all[BUFFERS];
    clc_batchnorm_args args;
} batchnorm_buffers;

/* Freed with free_data. */
batchnorm_data make_data(const batchnorm_case *c);
void free_data(batchnorm_data *d);

/* Makes the reference's dy, without gradient where |before| < margin: rounding decides on which
 * side of the ReLU that lies. */
void avoid_kinks(const batchnorm_case *c, batchnorm_data *d, double margin);

/* Inputs hold `d`, outputs NaN. Releasing checks the canaries of all. */
void make_buffers(const batchnorm_case *c, const batchnorm_data *d, batchnorm_buffers *b);
void release_buffers(batchnorm_buffers *b);

/* Compares with an absolute tolerance: some results are 0 but for cancelled large terms. */
void expect_within(const test_buffer *buffer, const double *want, double absolute);

double *widen(const float *values, size_t count);

#endif
