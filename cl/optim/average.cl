/* Running averages, sums and bounds of flat buffers, in vectors of the device's width. Groups handle chunks, whose vectors
 * their items take in turn. */
#include "common.h"

#define MOMENTUM 3 /* in hyper */

/* average = m average + (1 - m) value: the weights of a teacher (mean teacher, arXiv 1703.01780). */
GROUP_KERNEL void average_update(global float *restrict average,     // (vectors,VW)
                                 const global float *restrict value, // (vectors,VW)
                                 const global float *restrict hyper, const int vectors) {
    const int per = CHUNK(vectors, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    const float m = hyper[MOMENTUM];
    for EACH_FROM(i, first, min(first + per, vectors))
        VSTORE(VLOAD(i, value) + m * (VLOAD(i, average) - VLOAD(i, value)), i, average);
}

/* Brings a few values back into a range. */
GROUP_KERNEL void average_clamp(global float *restrict value, // (count)
                                const int count, const float least, const float most) {
    for EACH(i, count)
        value[i] = clamp(value[i], least, most);
}

/* sum += grad, grad = 0; the first time sum = grad, the last time grad = sum. */
GROUP_KERNEL void average_accumulate(global float *restrict sum,  // (vectors,VW)
                                     global float *restrict grad, // (vectors,VW)
                                     const int vectors, const int begins, const int ends) {
    const int per = CHUNK(vectors, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for EACH_FROM(i, first, min(first + per, vectors)) {
        const vec total = begins ? VLOAD(i, grad) : VLOAD(i, sum) + VLOAD(i, grad);
        VSTORE(total, i, sum);
        VSTORE(ends ? total : (vec)(0.0f), i, grad);
    }
}
