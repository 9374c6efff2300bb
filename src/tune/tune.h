/* Measuring which way of computing is the fastest on a device. */
#ifndef CLC_TUNE_TUNE_H
#define CLC_TUNE_TUNE_H

#include "clcontrast/train.h"
#include "device/sequence.h"

#include <stdio.h>

enum { CLC_TUNE_CANDIDATES = 12 };

/* One problem of a network, and the ways of computing it. */
typedef struct clc_tune_problem clc_tune_problem;
struct clc_tune_problem {
    clc_device *device;
    size_t floats[3]; /* of the operands */
    int written;      /* the operand that is the result */
    char candidates[CLC_TUNE_CANDIDATES][40];
    size_t candidate_count;
    int by_rule; /* the candidate that is used without tuning */
    size_t (*workspace)(const clc_tune_problem *problem, size_t candidate);
    clc_status (*build)(const clc_tune_problem *problem, size_t candidate, clc_sequence *sequence,
                        const cl_mem operands[3], cl_mem workspace);
    /* Element `index` of the result in double, from the operands on the host; *squares receives the
     * sum of the squares of its terms. */
    double (*reference)(const clc_tune_problem *problem, const float *const operands[3],
                        size_t index, double *squares);
    const void *shape; /* of the kind of problem */
};

/* What became of a candidate. */
typedef struct clc_tune_result {
    double seconds; /* the best of some rounds; 0 if it was given up as far too slow */
    bool wrong;     /* its result is not the reference's: never to be chosen */
} clc_tune_result;

/* Checks all candidates against the reference on some elements of the result, and times those that
 * are right in turn. *best receives the fastest, or -1 if none is right. */
clc_status clc_tune_measure(const clc_tune_problem *problem,
                            clc_tune_result results[CLC_TUNE_CANDIDATES], int *best);

/* The problem that a key of device->tuning names; false if it is of another kind. `shape` keeps
 * what the problem points to. */
bool clc_tune_conv2d(clc_device *device, const char *key, void *shape, clc_tune_problem *problem);
bool clc_tune_gemm(clc_device *device, const char *key, void *shape, clc_tune_problem *problem);
enum { CLC_TUNE_SHAPE_BYTES = 512 };

/* Measures every problem of the network that the configuration describes, prints what won by how
 * much and stores it for training on this device. */
clc_status clc_tune(const clc_train_options *options, FILE *file);

#endif
