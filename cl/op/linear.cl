/* What a linear layer does besides its matrix products: bias and ReLU, and their backward pass. A group
 * handles a chunk of rows, its items the columns. */
#include "common.h"

#ifndef K
#define K 16
#endif
#define KV (K / VW)

/* y = max(y + bias, floor): floor is 0 for ReLU, -infinity for none; NaN passes. */
GROUP_KERNEL void linear_bias(global float *restrict y,          // (rows,K)
                              const global float *restrict bias, // (K)
                              const int rows, const int has_bias, const float floor_value) {
    const int per = CHUNK(rows, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, rows); r++)
        for EACH(j, KV) {
            const vec v = VLOAD(j, y + (size_t)r * K) + (has_bias ? VLOAD(j, bias) : (vec)(0.0f));
            VSTORE(v < floor_value ? (vec)(floor_value) : v, j, y + (size_t)r * K);
        }
}

/* d = dy where y was not cut off; its tail (groups,K) receives each chunk's column sums. */
GROUP_KERNEL void linear_bias_backward(const global float *restrict y,  // (rows,K)
                                       const global float *restrict dy, // (rows,K)
                                       global float *restrict d, // (rows,K), then at part_offset
                                       const int part_offset,    // (groups,K)
                                       const int rows, const float floor_value) {
    const int g = (int)get_group_id(0), per = CHUNK(rows, (int)get_num_groups(0));
    for EACH(j, KV) {
        vec sum = (vec)(0.0f);
        for (int r = g * per; r < min(g * per + per, rows); r++) {
            const vec v = VLOAD(j, y + (size_t)r * K) <= floor_value
                              ? (vec)(0.0f)
                              : VLOAD(j, dy + (size_t)r * K);
            VSTORE(v, j, d + (size_t)r * K);
            sum += v;
        }
        VSTORE(sum, j, d + part_offset + (size_t)g * K);
    }
}

/* dbias = sum of the chunks, in order. One item for VW columns. */
GROUP_KERNEL void linear_bias_merge(const global float *restrict d, // as above
                                    const int part_offset,
                                    global float *restrict dbias, // (K)
                                    const int groups) {
    const int j = (int)get_global_id(0);
    if (j >= KV)
        return;
    vec sum = (vec)(0.0f);
    for (int g = 0; g < groups; g++)
        sum += VLOAD(j, d + part_offset + (size_t)g * K);
    VSTORE(sum, j, dbias);
}
