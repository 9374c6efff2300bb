/* Layer normalisation (Ba et al., arXiv 1607.06450): y = (x - mean) / sqrt(variance + eps) * weight + bias, over the
 * channels of each row. A group handles consecutive rows, its items the channels. */
#include "group.h"

#ifndef C
#define C 16
#endif
#define CV (C / VW)

#define MY_ROWS(r, rows)                                                                           \
    const int per = CHUNK(rows, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;       \
    for (int r = first; r < min(first + per, rows); r++)

/* Two passes over a row: nothing is lost where its mean is large. `saved` receives mean and 1 / deviation. */
GROUP_KERNEL void layernorm_forward(const global float *restrict x,      // (rows,C)
                                    const global float *restrict weight, // (C)
                                    const global float *restrict bias,   // (C)
                                    global float *restrict y,            // (rows,C)
                                    global float *restrict saved,        // (rows,2)
                                    const int rows, const int keep, const float eps) {
    SHARED float lanes[LANES];
    MY_ROWS(r, rows) {
        const global float *row = x + (size_t)r * C;
        vec sum = (vec)(0.0f), squares = (vec)(0.0f);
        for EACH(j, CV)
            sum += VLOAD(j, row);
        const float mean = sum_lanes(sum, lanes) * (1.0f / C);
        for EACH(j, CV) {
            const vec d = VLOAD(j, row) - mean;
            squares += d * d;
        }
        const float scale = 1.0f / sqrt(sum_lanes(squares, lanes) * (1.0f / C) + eps);
        for EACH(j, CV)
            VSTORE((VLOAD(j, row) - mean) * scale * VLOAD(j, weight) + VLOAD(j, bias), j,
                   y + (size_t)r * C);
        if (LANE == 0 && keep) {
            saved[2 * r] = mean;
            saved[2 * r + 1] = scale;
        }
    }
}

/* With g = dy * weight and n = (x - mean) * scale: dx = scale (g - mean(g) - n mean(g n)), += with `accumulate`.
 * parts (2,groups,C) receives each group's sums of dy * n and of dy. */
GROUP_KERNEL void layernorm_backward(const global float *restrict x,      // (rows,C)
                                     const global float *restrict weight, // (C)
                                     const global float *restrict saved,  // (rows,2)
                                     const global float *restrict dy,     // (rows,C)
                                     global float *restrict dx,           // (rows,C)
                                     global float *restrict parts, const int rows,
                                     const int wanted, const int accumulate) {
    SHARED float lanes[LANES];
    global float *dweight = parts + (size_t)get_group_id(0) * C;
    global float *dbias = dweight + (size_t)get_num_groups(0) * C;
    for EACH(j, CV) {
        VSTORE((vec)(0.0f), j, dweight);
        VSTORE((vec)(0.0f), j, dbias);
    }
    MY_ROWS(r, rows) {
        const size_t at = (size_t)r * C;
        const float mean = saved[2 * r], scale = saved[2 * r + 1];
        vec sum_g = (vec)(0.0f), sum_gn = (vec)(0.0f);
        for EACH(j, CV) {
            const vec n = (VLOAD(j, x + at) - mean) * scale, d = VLOAD(j, dy + at);
            const vec g = d * VLOAD(j, weight);
            VSTORE(VLOAD(j, dweight) + d * n, j, dweight);
            VSTORE(VLOAD(j, dbias) + d, j, dbias);
            sum_g += g;
            sum_gn += g * n;
        }
        const float mean_g = sum_lanes(sum_g, lanes) * (1.0f / C);
        const float mean_gn = sum_lanes(sum_gn, lanes) * (1.0f / C);
        for EACH(j, wanted ? CV : 0) {
            const vec n = (VLOAD(j, x + at) - mean) * scale;
            const vec v = (VLOAD(j, dy + at) * VLOAD(j, weight) - mean_g - n * mean_gn) * scale;
            VSTORE(accumulate ? v + VLOAD(j, dx + at) : v, j, dx + at);
        }
    }
}

/* The sums of the groups' parts, in order. One item for VW channels. */
GROUP_KERNEL void layernorm_merge(const global float *restrict parts, // (2,groups,C)
                                  global float *restrict dweight,     // (C)
                                  global float *restrict dbias,       // (C)
                                  const int groups) {
    const int j = (int)get_global_id(0);
    if (j >= CV)
        return;
    vec w = (vec)(0.0f), b = (vec)(0.0f);
    for (int g = 0; g < groups; g++) {
        w += VLOAD(j, parts + (size_t)g * C);
        b += VLOAD(j, parts + (size_t)(groups + g) * C);
    }
    VSTORE(w, j, dweight);
    VSTORE(b, j, dbias);
}
