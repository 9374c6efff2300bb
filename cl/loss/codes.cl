/* Losses on scores: each view predicts another view's distribution over K scores.
 *   L = -1/P sum over pairs (v, w), v != w, v < large, of mean_i sum_k q_vik log softmax_k(z_wi / t)
 *   P dL/dz_wik = 1/(images t) sum_v (softmax_k(z_wi / t) - q_vik)
 * q is a constant: for SwAV (arXiv 2006.09882) Sinkhorn's codes of view v's own scores, for DINO (2104.14294)
 * the softmax of the teacher's centred scores.
 *
 * The workspace: q (large,images,K) and, for Sinkhorn, the queue's rows behind (queue,K); then row factors
 * (large,images+queue), column factors (large,K), and shares of the loss. */
#include "common.h"

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

float sum_lanes(const vec v) {
    float lanes[VW], sum = 0.0f;
    VSTORE(v, 0, lanes);
    for (int l = 0; l < VW; l++)
        sum += lanes[l];
    return sum;
}

float most_of_lanes(const vec v) {
    float lanes[VW];
    VSTORE(v, 0, lanes);
    float most = lanes[0];
    for (int l = 1; l < VW; l++)
        most = lanes[l] > most ? lanes[l] : most;
    return most;
}

/* log sum exp of a row times `rate`. */
float log_sum(const global float *restrict z, const float rate) {
    vec most = VLOAD(0, z), sum = (vec)(0.0f);
    for (int j = 1; j < K / VW; j++) {
        const vec v = VLOAD(j, z);
        most = v > most ? v : most;
    }
    const float top = most_of_lanes(most) * rate;
    for (int j = 0; j < K / VW; j++)
        sum += exp(VLOAD(j, z) * rate - top);
    return top + log(sum_lanes(sum));
}

/* exp((score - 1) / epsilon) of a row of the large views or of the queue a group; scores are cosines. All
 * factors start at 1. */
TILE_KERNEL void sinkhorn_begin(const global float *restrict z,    // (views,images,K)
                                const global float *restrict bank, // (queue,K), or NULL
                                global float *restrict work, SHAPE, const float rate) {
    const int r = (int)get_group_id(0);
    const bool queued = r >= large * images;
    const global float *from = queued ? bank + (size_t)(r - large * images) * K : z + (size_t)r * K;
    for (int j = 0; j < K / VW; j++)
        VSTORE(exp((VLOAD(j, from) - 1.0f) * rate), j, work + (size_t)r * K);
    for (int view = 0; view < large; view++)
        if (queued)
            ROW(work, view)[images + r - large * images] = 1.0f;
        else if (view == r / images)
            ROW(work, view)[r % images] = 1.0f;
}

/* Every prototype gets the same share of the rows: the factor of VW columns of one view a group. */
TILE_KERNEL void sinkhorn_columns(global float *restrict work, SHAPE) {
    const int j = (int)get_group_id(0), view = (int)get_group_id(1);
    const global float *row = ROW(work, view);
    vec sum = (vec)(0.0f);
    for (int i = 0; i < images; i++)
        sum += row[i] * VLOAD(j, Q(work, view, i));
    for (int i = 0; i < queue; i++)
        sum += row[images + i] * VLOAD(j, QUEUED(work, i));
    VSTORE(1.0f / ((float)K * fmax(sum, (vec)(SMALLEST))), j, COLUMN(work, view));
}

/* Every row has sum 1 / rows: the factor of one row of one view a group. */
TILE_KERNEL void sinkhorn_rows(global float *restrict work, SHAPE) {
    const int i = (int)get_group_id(0), view = (int)get_group_id(1);
    const global float *q = i < images ? Q(work, view, i) : QUEUED(work, i - images);
    vec sum = (vec)(0.0f);
    for (int j = 0; j < K / VW; j++)
        sum += VLOAD(j, q) * VLOAD(j, COLUMN(work, view));
    ROW(work, view)[i] = 1.0f / ((float)ROWS * fmax(sum_lanes(sum), SMALLEST));
}

/* The codes of one row of one view a group, with sum 1. */
TILE_KERNEL void sinkhorn_finish(global float *restrict work, SHAPE) {
    const int i = (int)get_group_id(0), view = (int)get_group_id(1);
    const float factor = ROW(work, view)[i] * (float)ROWS;
    for (int j = 0; j < K / VW; j++)
        VSTORE(VLOAD(j, Q(work, view, i)) * VLOAD(j, COLUMN(work, view)) * factor, j,
               Q(work, view, i));
}

/* The teacher's distribution of one row a group: softmax((target - center) * rate). */
TILE_KERNEL void teacher_codes(const global float *restrict target, // (large,images,K)
                               const global float *restrict center, // (K)
                               global float *restrict work, const float rate) {
    const size_t row = (size_t)get_group_id(0) * K;
    for (int j = 0; j < K / VW; j++)
        VSTORE(VLOAD(j, target + row) - VLOAD(j, center), j, work + row);
    const float l = log_sum(work + row, rate);
    for (int j = 0; j < K / VW; j++)
        VSTORE(exp(VLOAD(j, work + row) * rate - l), j, work + row);
}

/* One row of one view a group. */
TILE_KERNEL void codes_loss(const global float *restrict z, // (views,images,K)
                            global float *restrict dz,      // (views,images,K)
                            global float *restrict work, SHAPE, const float rate,
                            const float factor) {
    const int i = (int)get_group_id(0), view = (int)get_group_id(1);
    const size_t row = ((size_t)view * images + i) * K;
    const float l = log_sum(z + row, rate), codes = (float)(large - (view < large ? 1 : 0));
    vec loss = (vec)(0.0f);
    for (int j = 0; j < K / VW; j++) {
        const vec x = VLOAD(j, z + row) * rate - l;
        vec q = (vec)(0.0f);
        for (int v = 0; v < large; v++)
            q += v == view ? (vec)(0.0f) : VLOAD(j, Q(work, v, i));
        /* A q of 0 counts nothing, however small the probability. */
        loss -= q > 0.0f ? q * x : (q == q ? x - x : q);
        VSTORE((codes * exp(x) - q) * rate * factor, j, dz + row);
    }
    PART(work)[view * images + i] = sum_lanes(loss);
}

TILE_KERNEL void codes_merge(global float *restrict work, global float *restrict value, // (1)
                             SHAPE, const int rows, const float factor) {
    float sum = 0.0f;
    for (int r = 0; r < rows; r++)
        sum += PART(work)[r];
    value[0] = sum * factor;
}

/* DINO's centre follows the mean of the teacher's scores; VW scores a group. */
TILE_KERNEL void center_update(const global float *restrict target, // (rows,K)
                               global float *restrict center,       // (K)
                               const int rows, const float momentum, const float share) {
    const int j = (int)get_group_id(0);
    vec sum = (vec)(0.0f);
    for (int r = 0; r < rows; r++)
        sum += VLOAD(j, target + (size_t)r * K);
    VSTORE(VLOAD(j, center) * momentum + sum * share, j, center);
}
