/* Launches of batch normalisation; the node is clc_op_batchnorm in op/ops.h. */
#ifndef CLC_OP_BATCHNORM_H
#define CLC_OP_BATCHNORM_H

#include "device/sequence.h"

typedef struct clc_batchnorm_args {
    int rows, channels;
    int splits;  /* equal parts of the rows, each normalised by itself; 1: all rows together */
    bool frozen; /* training leaves the running statistics as they are */
    bool fixed;  /* training normalises by them, too, and leaves them */
    bool relu;
    cl_mem x, y;                           /* (rows,channels) */
    cl_mem residual;                       /* (rows,channels), NULL for none */
    cl_mem weight, bias;                   /* (channels) */
    cl_mem running_mean, running_variance; /* (channels), updated in training */
    cl_mem saved;                          /* (splits,6,channels), from forward to backward */
    cl_mem dy;                             /* (rows,channels) */
    cl_mem dx, dresidual;         /* (rows,channels), written; NULL for none. The same buffer, if
                                     input and residual are the same: then dx is added to */
    bool adds_dx, adds_dresidual; /* backward adds to what is there */
    cl_mem dweight, dbias;        /* (channels), overwritten */
    cl_mem workspace;             /* clc_batchnorm_workspace bytes */
    const char *layer;
} clc_batchnorm_args;

/* Bytes. */
size_t clc_batchnorm_workspace(const clc_device *device, int rows, int channels, int splits);

clc_status clc_batchnorm_build_training(clc_sequence *sequence, clc_device *device,
                                        const clc_batchnorm_args *args);

/* By the running statistics; the workspace takes the place of `saved`. */
clc_status clc_batchnorm_build_inference(clc_sequence *sequence, clc_device *device,
                                         const clc_batchnorm_args *args);
clc_status clc_batchnorm_build_backward(clc_sequence *sequence, clc_device *device,
                                        const clc_batchnorm_args *args);

#endif
