/* A first-in-first-out queue of unit-length embeddings (MoCo, arXiv 1911.05722), and the nearest of its vectors
 * (NNCLR, 2104.14548). */
#include "group.h"

#ifndef D
#define D 128 /* dimensions */
#endif
#define SHORTEST 1e-12f /* of a vector, as torch.nn.functional.normalize */
#define POSITION 1      /* in step_state: where the next embedding goes */

/* Embeddings, scaled to length 1, take the oldest ones' places. Groups handle chunks of rows, their
 * items the dimensions. */
GROUP_KERNEL void queue_push(const global float *restrict z,         // (rows,D)
                             global float *restrict queue,           // (size,D)
                             const global uint *restrict step_state, // [POSITION]
                             const int rows, const int size) {
    SHARED float lanes[LANES];
    const int per = CHUNK(rows, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, rows); r++) {
        const global float *from = z + (size_t)r * D;
        global float *to = queue + (size_t)((step_state[POSITION] + (uint)r) % (uint)size) * D;
        float squares = 0.0f;
        for EACH(k, D)
            squares += from[k] * from[k];
        const float factor = 1.0f / fmax(sqrt(sum_items(squares, lanes)), SHORTEST);
        for EACH(k, D)
            to[k] = from[k] * factor;
    }
}

/* For each row the queue's vector of the largest score; the lowest number wins a tie. */
GROUP_KERNEL void queue_nearest(const global float *restrict scores, // (rows,size)
                                const global float *restrict queue,  // (size,D)
                                global float *restrict nearest,      // (rows,D)
                                const int rows, const int size) {
    SHARED float lanes[LANES];
    const int per = CHUNK(rows, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, rows); r++) {
        const global float *s = scores + (size_t)r * size;
        float largest = -INFINITY;
        int at = size;
        for EACH(i, size)
            if (s[i] > largest) {
                largest = s[i];
                at = i;
            }
        /* The items' largest, and the lowest number that has it; numbers are exact in float. */
        const float most = most_of_items(largest, lanes);
        const int lowest = (int)-most_of_items(largest == most ? -(float)at : -(float)size, lanes);
        const int best = lowest < size ? lowest : 0;
        for EACH(k, D)
            nearest[(size_t)r * D + k] = queue[(size_t)best * D + k];
    }
}

/* Labels of the batch's images: one group. */
GROUP_KERNEL void labels_gather(const global int *restrict all,     // (count)
                                const global int *restrict indices, // (images)
                                global int *restrict labels,        // (images)
                                const int images) {
    for EACH(i, images)
        labels[i] = all[indices[i]];
}
