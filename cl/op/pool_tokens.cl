/* Pooling of a sequence's valid steps to one row. A group handles consecutive sequences, its items the channels. */
#include "common.h"

#ifndef C
#define C 16
#define LAST 16 /* channels in front of this one take the last valid step, the others the first one */
#endif
#define CV (C / VW)

/* Valid steps of sequence i, from 1 to `steps`. */
INLINE int valid(const global int *lengths, const int i, const int steps, const int has_lengths) {
    return has_lengths ? clamp(lengths[i], 1, steps) : steps;
}

/* y = mean over the valid steps. */
GROUP_KERNEL void pool_tokens_mean(const global float *restrict x,     // (n,steps,C)
                                   const global int *restrict lengths, // (n)
                                   global float *restrict y,           // (n,C)
                                   const int n, const int steps, const int has_lengths) {
    const int per = CHUNK(n, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int i = first; i < min(first + per, n); i++) {
        const int count = valid(lengths, i, steps, has_lengths);
        for EACH(j, CV) {
            vec sum = (vec)(0.0f);
            for (int t = 0; t < count; t++)
                sum += VLOAD(j, x + ((size_t)i * steps + t) * C);
            VSTORE(sum / (float)count, j, y + (size_t)i * C);
        }
    }
}

/* dx, or dx += with `accumulate`: the gradient shared out, nothing beyond the valid steps. */
GROUP_KERNEL void pool_tokens_mean_backward(const global float *restrict dy,    // (n,C)
                                            const global int *restrict lengths, // (n)
                                            global float *restrict dx,          // (n,steps,C)
                                            const int n, const int steps, const int has_lengths,
                                            const int accumulate) {
    const int per = CHUNK(n, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int i = first; i < min(first + per, n); i++) {
        const int count = valid(lengths, i, steps, has_lengths);
        for (int t = 0; t < steps; t++)
            for EACH(j, CV) {
                const vec d = t < count ? VLOAD(j, dy + (size_t)i * C) / (float)count : (vec)(0.0f);
                global float *to = dx + ((size_t)i * steps + t) * C;
                VSTORE(accumulate ? d + VLOAD(j, to) : d, j, to);
            }
    }
}

/* The step that vector j is taken from. */
#define STEP(j, count) ((j)*VW < LAST ? (count)-1 : 0)

GROUP_KERNEL void pool_tokens_pick(const global float *restrict x,     // (n,steps,C)
                                   const global int *restrict lengths, // (n)
                                   global float *restrict y,           // (n,C)
                                   const int n, const int steps, const int has_lengths) {
    const int per = CHUNK(n, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int i = first; i < min(first + per, n); i++) {
        const int count = valid(lengths, i, steps, has_lengths);
        for EACH(j, CV)
            VSTORE(VLOAD(j, x + ((size_t)i * steps + STEP(j, count)) * C), j, y + (size_t)i * C);
    }
}

/* dx, or dx += with `accumulate`. */
GROUP_KERNEL void pool_tokens_pick_backward(const global float *restrict dy,    // (n,C)
                                            const global int *restrict lengths, // (n)
                                            global float *restrict dx,          // (n,steps,C)
                                            const int n, const int steps, const int has_lengths,
                                            const int accumulate) {
    const int per = CHUNK(n, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int i = first; i < min(first + per, n); i++) {
        const int count = valid(lengths, i, steps, has_lengths);
        for (int t = 0; t < steps; t++)
            for EACH(j, CV) {
                const vec d = t == STEP(j, count) ? VLOAD(j, dy + (size_t)i * C) : (vec)(0.0f);
                global float *to = dx + ((size_t)i * steps + t) * C;
                VSTORE(accumulate ? d + VLOAD(j, to) : d, j, to);
            }
    }
}
