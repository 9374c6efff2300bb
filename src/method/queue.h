/* A FIFO queue of embeddings on the device. */
#ifndef CLC_METHOD_QUEUE_H
#define CLC_METHOD_QUEUE_H

#include "device/gemm.h"

typedef struct clc_queue {
    int size, dim; /* 0: there is none */
    cl_mem data;   /* (size,dim) of unit length */
} clc_queue;

/* Fills the queue with random vectors of length 1, as MoCo does. */
clc_status clc_queue_initialise(const clc_queue *queue, clc_device *device, uint64_t seed);

/* Appends: z (rows,dim), scaled to length 1, go to where step_state [1] says. */
clc_status clc_queue_push_build(clc_sequence *sequence, clc_device *device, const clc_queue *queue,
                                cl_mem z, cl_mem step_state, int rows);

/* Bytes of workspace for the nearest of `rows` embeddings. */
size_t clc_queue_nearest_workspace(const clc_device *device, const clc_queue *queue, int rows);

/* Appends: nearest (rows,dim) receives the queue's vectors that are nearest to z (rows,dim) by
 * cosine. `gemm_space` and `scores` (rows,size) are workspace. */
clc_status clc_queue_nearest_build(clc_sequence *sequence, clc_device *device,
                                   const clc_queue *queue, cl_mem z, cl_mem nearest,
                                   cl_mem gemm_space, cl_mem scores, int rows);

#endif
