/* Losses on the columns of the embeddings, that is on the dimensions over a batch: Barlow Twins (arXiv 2103.03230)
 * and VICReg (2105.04906). Matrix products are made by GEMM between these kernels.
 *
 * The workspace, from `base` floats on: x (2,rows,D): both views' columns, centred and for Barlow Twins divided
 * by their deviation; deviation (2,D); then matrices (D,D), one for Barlow Twins, one a view for VICReg; then
 * shares of the loss. */
#include "group.h"

#ifndef D
#define D 128 /* dimensions, a multiple of VW */
#endif

#define X(w, view)         ((w) + base + (size_t)(view)*rows * D)
#define DEVIATION(w, view) ((w) + base + (size_t)2 * rows * D + (view)*D)
#define MATRIX(w, view)    ((w) + base + (size_t)2 * (rows + 1) * D + (size_t)(view)*D * D)

/* x and deviation of the columns of one view. `divisor` is rows for the biased variance, rows - 1 for the
 * unbiased. */
GROUP_KERNEL void columns_center(const global float *restrict z, // (2,rows,D)
                                global float *restrict work, const int base, const int rows,
                                const float divisor, const float epsilon, const int divide) {
    SHARED vec parts[LS];
    const int j = min(COLUMN_VECTOR, D / VW - 1), view = (int)get_group_id(1);
    const bool there = COLUMN_VECTOR == j;
    const global float *from = z + (size_t)view * rows * D;
    global float *to = X(work, view);
    vec sum = (vec)(0.0f), squares = (vec)(0.0f);
    for EACH_TEAM_ROW(r, rows)
        sum += VLOAD(j, from + (size_t)r * D);
    const vec mean = sum_teams(sum, parts) / (float)rows;
    for EACH_TEAM_ROW(r, rows) {
        const vec d = VLOAD(j, from + (size_t)r * D) - mean;
        squares += d * d;
    }
    const vec deviation = sqrt(sum_teams(squares, parts) / divisor + epsilon);
    const vec factor = divide ? 1.0f / deviation : (vec)(1.0f);
    for EACH_TEAM_ROW(r, rows)
        if (there)
            VSTORE((VLOAD(j, from + (size_t)r * D) - mean) * factor, j, to + (size_t)r * D);
    if (there && TEAM == 0)
        VSTORE(deviation, j, DEVIATION(work, view));
}

/* A row of C = x1^T x2 / rows a group: its share of sum (1 - C_ii)^2 + lambda sum C_ij^2, and in place of the
 * product dL/dC / rows. */
GROUP_KERNEL void barlow_weigh(global float *restrict work, const int base, const int rows, const int shares,
                              const float lambda) {
    SHARED float lanes[LANES];
    const int i = (int)get_group_id(0);
    global float *c = MATRIX(work, 0) + (size_t)i * D;
    float loss = 0.0f;
    for EACH(j, D) {
        const float value = c[j] / (float)rows;
        const float miss = i == j ? value - 1.0f : value, weight = i == j ? 1.0f : lambda;
        loss += weight * miss * miss;
        c[j] = 2.0f * weight * miss / (float)rows;
    }
    const float all = sum_items(loss, lanes);
    if (LANE == 0)
        work[shares + i] = all;
}

/* From dx in dz to dz, through the standardisation: (dx - mean(dx) - x mean(dx x)) / deviation. One view. */
GROUP_KERNEL void barlow_backward(const global float *restrict work,
                                 global float *restrict dz, // (2,rows,D)
                                 const int base, const int rows, const float weight) {
    SHARED vec parts[LS];
    const int j = min(COLUMN_VECTOR, D / VW - 1), view = (int)get_group_id(1);
    const bool there = COLUMN_VECTOR == j;
    const global float *x = X(work, view);
    global float *d = dz + (size_t)view * rows * D;
    vec sum = (vec)(0.0f), product = (vec)(0.0f);
    /* Others write the last column while an item without one would read it. */
    for EACH_TEAM_ROW(r, there ? rows : 0) {
        sum += VLOAD(j, d + (size_t)r * D);
        product += VLOAD(j, d + (size_t)r * D) * VLOAD(j, x + (size_t)r * D);
    }
    const vec scale = weight / VLOAD(j, DEVIATION(work, view));
    sum = sum_teams(sum, parts) / (float)rows;
    product = sum_teams(product, parts) / (float)rows;
    for EACH_TEAM_ROW(r, rows)
        if (there)
            VSTORE((VLOAD(j, d + (size_t)r * D) - sum - VLOAD(j, x + (size_t)r * D) * product) *
                       scale,
                   j, d + (size_t)r * D);
}

/* A row of one view's covariance C = x^T x / divisor a group: its share of covariance / D sum_{i != j} C_ij^2,
 * and in place of the product the matrix that x is multiplied by for the gradient. */
GROUP_KERNEL void vicreg_weigh(global float *restrict work, const int base, const int rows, const int shares,
                              const float divisor, const float covariance) {
    SHARED float lanes[LANES];
    const int i = (int)get_group_id(0), view = (int)get_group_id(1);
    global float *c = MATRIX(work, view) + (size_t)i * D;
    float loss = 0.0f;
    for EACH(j, D) {
        const float value = i == j ? 0.0f : c[j] / divisor;
        loss += value * value;
        c[j] = 4.0f * covariance / D * value / divisor;
    }
    const float all = sum_items(loss, lanes);
    if (LANE == 0)
        work[shares + view * D + i] = all * covariance / D;
}

/* The terms of variance and invariance of the columns: their loss, and dz from the covariance's. */
GROUP_KERNEL void vicreg_finish(global float *restrict work,
                               const global float *restrict z, // (2,rows,D)
                               global float *restrict dz,      // (2,rows,D)
                               const int base, const int rows, const int shares,
                               const float divisor, const float invariance, const float variance,
                               const float weight) {
    SHARED float lanes[LANES];
    const int j = min(COLUMN_VECTOR, D / VW - 1);
    const bool there = COLUMN_VECTOR == j;
    const size_t view = (size_t)rows * D;
    const float pull = 2.0f * invariance / ((float)rows * D), push = 0.5f * variance / D;
    vec loss = (vec)(0.0f), slope[2];
    for (int v = 0; v < 2; v++) {
        const vec s = VLOAD(j, DEVIATION(work, v)), miss = 1.0f - s;
        if (TEAM == 0)
            loss += push * (miss < 0.0f ? (vec)(0.0f) : miss);
        slope[v] = miss > 0.0f ? push / (s * divisor) : (vec)(0.0f);
    }
    for EACH_TEAM_ROW(r, rows) {
        const size_t row = (size_t)r * D;
        const vec d = VLOAD(j, z + row) - VLOAD(j, z + view + row);
        loss += 0.5f * pull * d * d;
        for (int v = 0; v < 2; v++) {
            global float *to = dz + v * view + row;
            const vec x = VLOAD(j, X(work, v) + row);
            if (there)
                VSTORE(weight * (VLOAD(j, to) + (v ? -pull : pull) * d - slope[v] * x), j, to);
        }
    }
    const float all = sum_lanes(there ? loss : (vec)(0.0f), lanes);
    if (LANE == 0)
        work[shares + (int)get_group_id(0)] = all;
}

/* L: all shares. One group. */
GROUP_KERNEL void columns_merge(const global float *restrict work, global float *restrict value, // (1)
                                const int shares, const int count, const float weight) {
    SHARED float lanes[LANES];
    float sum = 0.0f;
    for EACH(i, count)
        sum += work[shares + i];
    const float all = sum_items(sum, lanes);
    if (LANE == 0)
        value[0] = all * weight;
}
