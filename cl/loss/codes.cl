/* Losses on scores: each view predicts another view's distribution over K scores.
 *   L = -1/P sum over pairs (v, w), v != w, v < large, of mean_i sum_k q_vik log softmax_k(z_wi / t)
 *   P dL/dz_wik = 1/(images t) sum_v (softmax_k(z_wi / t) - q_vik)
 * q is a constant: for SwAV (arXiv 2006.09882) Sinkhorn's codes of view v's own scores, for DINO (2104.14294)
 * the softmax of the teacher's centred scores.
 *
 * The workspace: q (large,images,K) and, for Sinkhorn, the queue's rows behind (queue,K); then row factors
 * (large,images+queue), column factors (large,K), and shares of the loss. */
#include "group.h"

#ifndef K
#define K 512 /* scores, a multiple of VW */
#endif
#define SMALLEST 1e-30f /* of what is divided by */

#define ROWS          (images + queue)
#define Q(w, view, i) ((w) + ((size_t)(view)*images + (i)) * K)
#define QUEUED(w, i)  ((w) + ((size_t)large * images + (i)) * K)
#define ROW(w, view)  ((w) + ((size_t)large * images + queue) * K + (size_t)(view)*ROWS)
#define COLUMN(w, view)                                                                            \
    ((w) + ((size_t)large * images + queue) * K + (size_t)large * ROWS + (size_t)(view)*K)
#define PART(w)       COLUMN(w, large)
#define SHAPE         const int images, const int large, const int queue

/* log sum exp of a row times `rate`: for all items of a group, each of which needs its own vectors alone. */
float log_sum(const global float *restrict z, const float rate, SHARED float *lanes) {
    vec most = (vec)(-MAXFLOAT), sum = (vec)(0.0f);
    for EACH(j, K / VW) {
        const vec v = VLOAD(j, z);
        most = v > most ? v : most;
    }
    const float top = most_of_lanes(most, lanes) * rate;
    for EACH(j, K / VW)
        sum += exp(VLOAD(j, z) * rate - top);
    return top + log(sum_lanes(sum, lanes));
}

/* exp((score - 1) / epsilon) of a row of the large views or of the queue a group; scores are cosines. All
 * factors start at 1. */
GROUP_KERNEL void sinkhorn_begin(const global float *restrict z,    // (views,images,K)
                                const global float *restrict bank, // (queue,K), or NULL
                                global float *restrict work, SHAPE, const float rate) {
    const int r = (int)get_group_id(0);
    const bool queued = r >= large * images;
    const global float *from = queued ? bank + (size_t)(r - large * images) * K : z + (size_t)r * K;
    for EACH(j, K / VW)
        VSTORE(exp((VLOAD(j, from) - 1.0f) * rate), j, work + (size_t)r * K);
    for (int view = LANE; view < large; view += LS)
        if (queued)
            ROW(work, view)[images + r - large * images] = 1.0f;
        else if (view == r / images)
            ROW(work, view)[r % images] = 1.0f;
}

/* Every prototype gets the same share of the rows: the factor of each column of one view. */
GROUP_KERNEL void sinkhorn_columns(global float *restrict work, SHAPE) {
    SHARED vec parts[LS];
    const int j = min(COLUMN_VECTOR, K / VW - 1), view = (int)get_group_id(1);
    const global float *row = ROW(work, view);
    vec sum = (vec)(0.0f);
    for EACH_TEAM_ROW(i, images)
        sum += row[i] * VLOAD(j, Q(work, view, i));
    for EACH_TEAM_ROW(i, queue)
        sum += row[images + i] * VLOAD(j, QUEUED(work, i));
    sum = sum_teams(sum, parts);
    if (TEAM == 0 && COLUMN_VECTOR == j)
        VSTORE(1.0f / ((float)K * fmax(sum, (vec)(SMALLEST))), j, COLUMN(work, view));
}

/* Every row has sum 1 / rows: the factor of one row of one view a group. */
GROUP_KERNEL void sinkhorn_rows(global float *restrict work, SHAPE) {
    const int i = (int)get_group_id(0), view = (int)get_group_id(1);
    const global float *q = i < images ? Q(work, view, i) : QUEUED(work, i - images);
    SHARED float lanes[LANES];
    vec sum = (vec)(0.0f);
    for EACH(j, K / VW)
        sum += VLOAD(j, q) * VLOAD(j, COLUMN(work, view));
    const float all = sum_lanes(sum, lanes);
    if (LANE == 0)
        ROW(work, view)[i] = 1.0f / ((float)ROWS * fmax(all, SMALLEST));
}

/* The codes of one row of one view a group, with sum 1. */
GROUP_KERNEL void sinkhorn_finish(global float *restrict work, SHAPE) {
    const int i = (int)get_group_id(0), view = (int)get_group_id(1);
    const float factor = ROW(work, view)[i] * (float)ROWS;
    for EACH(j, K / VW)
        VSTORE(VLOAD(j, Q(work, view, i)) * VLOAD(j, COLUMN(work, view)) * factor, j,
               Q(work, view, i));
}

/* The teacher's distribution of one row a group: softmax((target - center) * rate). */
GROUP_KERNEL void teacher_codes(const global float *restrict target, // (large,images,K)
                               const global float *restrict center, // (K)
                               global float *restrict work, const float rate) {
    SHARED float lanes[LANES];
    const size_t row = (size_t)get_group_id(0) * K;
    for EACH(j, K / VW)
        VSTORE(VLOAD(j, target + row) - VLOAD(j, center), j, work + row);
    const float l = log_sum(work + row, rate, lanes);
    for EACH(j, K / VW)
        VSTORE(exp(VLOAD(j, work + row) * rate - l), j, work + row);
}

/* One row of one view a group. */
GROUP_KERNEL void codes_loss(const global float *restrict z, // (views,images,K)
                            global float *restrict dz,      // (views,images,K)
                            global float *restrict work, SHAPE, const float rate,
                            const float factor) {
    SHARED float lanes[LANES];
    const int i = (int)get_group_id(0), view = (int)get_group_id(1);
    const size_t row = ((size_t)view * images + i) * K;
    const float l = log_sum(z + row, rate, lanes), codes = (float)(large - (view < large ? 1 : 0));
    vec loss = (vec)(0.0f);
    for EACH(j, K / VW) {
        const vec x = VLOAD(j, z + row) * rate - l;
        vec q = (vec)(0.0f);
        for (int v = 0; v < large; v++)
            q += v == view ? (vec)(0.0f) : VLOAD(j, Q(work, v, i));
        /* A q of 0 counts nothing, however small the probability. */
        loss -= q > 0.0f ? q * x : (q == q ? x - x : q);
        VSTORE((codes * exp(x) - q) * rate * factor, j, dz + row);
    }
    const float all = sum_lanes(loss, lanes);
    if (LANE == 0)
        PART(work)[view * images + i] = all;
}

/* One group. */
GROUP_KERNEL void codes_merge(global float *restrict work, global float *restrict value, // (1)
                              SHAPE, const int rows, const float factor) {
    SHARED float lanes[LANES];
    float sum = 0.0f;
    for EACH(r, rows)
        sum += PART(work)[r];
    const float all = sum_items(sum, lanes);
    if (LANE == 0)
        value[0] = all * factor;
}

/* DINO's centre follows the mean of the teacher's scores. */
GROUP_KERNEL void center_update(const global float *restrict target, // (rows,K)
                                global float *restrict center,       // (K)
                                const int rows, const float momentum, const float share) {
    SHARED vec parts[LS];
    const int j = min(COLUMN_VECTOR, K / VW - 1);
    vec sum = (vec)(0.0f);
    for EACH_TEAM_ROW(r, rows)
        sum += VLOAD(j, target + (size_t)r * K);
    sum = sum_teams(sum, parts);
    if (TEAM == 0 && COLUMN_VECTOR == j)
        VSTORE(VLOAD(j, center) * momentum + sum * share, j, center);
}
