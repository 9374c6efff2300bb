/* Running averages and sums of flat buffers, in vectors of 16 floats. */
#include "common.h"

#define MOMENTUM 3 /* in hyper */

/* average = m average + (1 - m) value: the weights of a teacher (mean teacher, arXiv 1703.01780). */
TILE_KERNEL void average_update(global float *restrict average,     // (vectors,16)
                                const global float *restrict value, // (vectors,16)
                                const global float *restrict hyper, const int vectors) {
    const int per = CHUNK(vectors, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    const float m = hyper[MOMENTUM];
    for (int i = first; i < min(first + per, vectors); i++)
        vstore16(vload16(i, value) + m * (vload16(i, average) - vload16(i, value)), i, average);
}

/* sum += grad, grad = 0; the first time sum = grad, the last time grad = sum. */
TILE_KERNEL void average_accumulate(global float *restrict sum,  // (vectors,16)
                                    global float *restrict grad, // (vectors,16)
                                    const int vectors, const int begins, const int ends) {
    const int per = CHUNK(vectors, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int i = first; i < min(first + per, vectors); i++) {
        const float16 total = begins ? vload16(i, grad) : vload16(i, sum) + vload16(i, grad);
        vstore16(total, i, sum);
        vstore16(ends ? total : (float16)(0.0f), i, grad);
    }
}
