/* What a linear layer does besides its matrix products: bias and ReLU, and their backward pass. A group
 * handles a chunk of rows, its items the columns. */
#include "common.h"

#ifndef K
#define K 16
#endif
#define KV (K / VW)

/* y = max(y + bias + residual, floor): floor is 0 for ReLU, -infinity for none; NaN passes. */
GROUP_KERNEL void linear_bias(global float *restrict y,              // (rows,K)
                              const global float *restrict bias,     // (K)
                              const global float *restrict residual, // (rows,K)
                              const int rows, const int has_bias, const int has_residual,
                              const float floor_value) {
    const int per = CHUNK(rows, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, rows); r++)
        for EACH(j, KV) {
            vec v = VLOAD(j, y + (size_t)r * K);
            if (has_bias)
                v += VLOAD(j, bias);
            if (has_residual)
                v += VLOAD(j, residual + (size_t)r * K);
            VSTORE(v < floor_value ? (vec)(floor_value) : v, j, y + (size_t)r * K);
        }
}

/* d = dy where y was not cut off, with `relu`; parts receives each group's sums of d, with `sums`. */
GROUP_KERNEL void linear_bias_backward(const global float *y,  // (rows,K)
                                       const global float *dy, // (rows,K)
                                       global float *d,        // (rows,K)
                                       global float *parts,    // (groups,K)
                                       const int rows, const int relu, const int sums) {
    const int g = (int)get_group_id(0), per = CHUNK(rows, (int)get_num_groups(0));
    global float *part = parts + (size_t)g * K;
    for EACH(j, sums ? KV : 0)
        VSTORE((vec)(0.0f), j, part);
    for (int r = g * per; r < min(g * per + per, rows); r++)
        for EACH(j, KV) {
            vec v = VLOAD(j, dy + (size_t)r * K);
            if (relu) {
                v = VLOAD(j, y + (size_t)r * K) <= 0.0f ? (vec)(0.0f) : v;
                VSTORE(v, j, d + (size_t)r * K);
            }
            if (sums)
                VSTORE(VLOAD(j, part) + v, j, part);
        }
}

/* dbias = sum of the groups' parts, in order. One item for VW columns. */
GROUP_KERNEL void linear_bias_merge(const global float *restrict parts, // (groups,K)
                                    global float *restrict dbias,       // (K)
                                    const int groups) {
    const int j = (int)get_global_id(0);
    if (j >= KV)
        return;
    vec sum = (vec)(0.0f);
    for (int g = 0; g < groups; g++)
        sum += VLOAD(j, parts + (size_t)g * K);
    VSTORE(sum, j, dbias);
}
