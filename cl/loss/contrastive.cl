/* The contrastive loss with a margin (Hadsell, Chopra and LeCun, CVPR 2006) over all unordered pairs; those of
 * equal id are positives.
 *   squared: the mean over all pairs of d^2 for positives, max(0, far - d)^2 for negatives
 *   linear:  the mean of max(0, d - near) over the positives where it is not 0, plus that of max(0, far - d)
 *            over the negatives where it is not 0 */
#ifndef METRIC
#define METRIC 0 /* of d: 0 Euclidean, 1 squared Euclidean, 2 cosine: 1 - s */
#endif
#ifndef LINEAR
#define LINEAR 0
#endif
#define DISTANCE (METRIC < 2)
#define STATS 1
#include "loss/pairs.h"
#include "loss/metric.h"

/* How much a pair's distance misses. */
vec violation(const vec d, const ivec same, const float near, const float far) {
    const vec v = same ? d - near : far - d;
    return v < 0.0f ? (vec)(0.0f) : v;
}

/* sums (4): of the positives and their number, of the negatives and theirs; of one row and panel. */
void add_tile(vec *sums, const float *s, const int row, const int n0, const int end,
              const global float *work, const int padded, const float near, const float far) {
    const int id = ID(work)[row];
    UNROLL(NV)
    for (int j = 0; j < NV; j++) {
        const ivec there = are_pairs(row, COLUMN(n0, j), end);
        const ivec same = positives(work, padded, COLUMN(n0, j), id);
        const vec v = violation(metric(VLOAD(j, s)), same, near, far);
        const vec loss = there ? (LINEAR ? v : v * v) : (vec)(0.0f);
        const vec one = v > 0.0f ? (vec)(1.0f) : (vec)(LINEAR ? 0.0f : 1.0f);
        const vec counted = there ? one : (vec)(0.0f);
        sums[0] += same ? loss : (vec)(0.0f);
        sums[1] += same ? counted : (vec)(0.0f);
        sums[2] += same ? (vec)(0.0f) : loss;
        sums[3] += same ? (vec)(0.0f) : counted;
    }
}

/* Each pair is met twice: from either end. */
GROUP_KERNEL void contrastive_forward(global float *restrict work, SHAPE, const float near,
                                      const float far) {
    SHARED float lanes[LANES];
    const place p = find_place((int)get_group_id(0), SHAPE_ARGS);
    vec total[4] = {(vec)(0.0f), (vec)(0.0f), (vec)(0.0f), (vec)(0.0f)};
    float s[MR * NT];
    for (int n0 = FIRST(p, 0); n0 < END(p, 0); n0 += NR)
        EACH_TILE(r, p.rows) {
            vec sums[4] = {(vec)(0.0f), (vec)(0.0f), (vec)(0.0f), (vec)(0.0f)};
            similarity(U(work) + (size_t)(p.row0 + r) * DP, PANEL(work) + (size_t)n0 * DP, 1.0f, s,
                       NT);
            EACH_OF_TILE(i)
                if (r + i < p.rows)
                    add_tile(sums, s + i * NT, p.row0 + r + i, n0, END(p, 0), work, padded, near,
                             far);
            UNROLL(4)
            for (int k = 0; k < 4; k++)
                total[k] += sums[k];
        }
    UNROLL(4)
    for (int k = 0; k < 4; k++) {
        const float sum = sum_lanes(total[k], lanes);
        if (LANE == 0)
            PART(work)[get_group_id(0) * PARTS + k] = sum;
    }
}

float reciprocal(const float count) {
    return count > 0.0f ? 1.0f / count : 0.0f;
}

/* BIAS and OTHER hold the factors of positives and negatives. One group. */
GROUP_KERNEL void contrastive_merge(global float *restrict work, global float *restrict value, // (1)
                                    const int padded, const int groups, const float weight) {
    SHARED float lanes[LANES];
    float sums[4];
    UNROLL(4)
    for (int k = 0; k < 4; k++)
        sums[k] = sum_shares(work, padded, groups, k, lanes);
    const float all = reciprocal(sums[1] + sums[3]);
    const float positive = LINEAR ? reciprocal(sums[1]) : all;
    const float negative = LINEAR ? reciprocal(sums[3]) : all;
    if (LANE == 0) {
        value[0] = weight * (sums[0] * positive + sums[2] * negative);
        FACTOR(work)[OF_LOSS] = 2.0f * weight;
        FACTOR(work)[BIAS] = positive;
        FACTOR(work)[OTHER] = negative;
    }
}

#define RULE      const float near, const float far
#define RULE_ARGS near, far

vec weigh(const vec s, const int row, const int column, const int id, const bool queued,
          const global float *work, const int padded, RULE) {
    const ivec same = positives(work, padded, column, id);
    const vec d = metric(s), v = violation(d, same, near, far);
    const vec slope = LINEAR ? (v > 0.0f ? (vec)(1.0f) : (vec)(0.0f)) : 2.0f * v;
    return weight_of(d, same ? slope * FACTOR(work)[BIAS] : -slope * FACTOR(work)[OTHER]);
}

void correct(DU_SPACE float *du, const global float *u, RULE) {
}

#include "loss/pairs_backward.h"
