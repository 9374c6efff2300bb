/* The triplet loss with hard mining (Hermans, Beyer and Leibe, arXiv 1703.07737): the mean over the anchors of
 * max(0, x) or log(1 + exp(x)), x = d(anchor, its furthest positive) - d(anchor, its nearest negative) +
 * margin. Anchors that lack either don't count. */
#ifndef METRIC
#define METRIC 0 /* of d: 0 Euclidean, 1 squared Euclidean, 2 cosine: 1 - s */
#endif
#ifndef SOFT
#define SOFT 0
#endif
#define DISTANCE (METRIC < 2)
#define STATS 3
#include "loss/pairs.h"
#include "loss/metric.h"

#define FAR(w)    ((global int *)STAT(w, 0)) /* the furthest positive, or -1 */
#define NEAR(w)   ((global int *)STAT(w, 1)) /* the nearest negative */
#define SLOPE(w)  STAT(w, 2)                 /* dL_i/dx */

/* The best of each lane so far, and its column. */
typedef struct choice {
    vec far, near;
    ivec far_at, near_at;
} choice;

void add_tile(choice *best, const float *s, const int row, const int n0, const int end,
              const global float *work, const int padded) {
    const int id = ID(work)[row];
    UNROLL(NV)
    for (int j = 0; j < NV; j++) {
        const ivec there = are_pairs(row, n0 + j * VW, end);
        const ivec same = positives(work, padded, n0, j, id);
        const ivec at = (ivec)(n0 + j * VW) + IVLOAD(0, lane_numbers);
        const vec d = metric(VLOAD(j, s));
        /* NaN wins, so that it shows. */
        const ivec farther = there & same & ((d > best->far) | (d != d));
        const ivec nearer = there & (same == 0) & ((d < best->near) | (d != d));
        best->far = farther ? d : best->far;
        best->far_at = farther ? at : best->far_at;
        best->near = nearer ? d : best->near;
        best->near_at = nearer ? at : best->near_at;
    }
}

/* The best of all lanes; `sign` 1 looks for the largest, -1 for the smallest. *at is -1 if there is none. */
float pick(const vec values, const ivec ats, const float sign, int *at) {
    float v[VW], best = 0.0f;
    int a[VW];
    VSTORE(values, 0, v);
    IVSTORE(ats, 0, a);
    *at = -1;
    for (int l = 0; l < VW; l++)
        if (a[l] >= 0 && (*at < 0 || !(sign * v[l] <= sign * best))) {
            best = v[l];
            *at = a[l];
        }
    return best;
}

TILE_KERNEL void triplet_hard_forward(global float *restrict work, SHAPE, const float margin,
                                      const float unused) {
    const place p = find_place((int)get_group_id(0), SHAPE_ARGS);
    choice best[BI];
    float s[MR * NR], loss = 0.0f, count = 0.0f;
    for (int r = 0; r < BI; r++) {
        best[r].far = (vec)(-MAXFLOAT);
        best[r].near = (vec)(MAXFLOAT);
        best[r].far_at = best[r].near_at = (ivec)(-1);
    }
    for (int n0 = p.first[0]; n0 < p.end[0]; n0 += NR)
        for (int r = 0; r < p.rows; r += MR) {
            similarity(U(work) + (size_t)(p.row0 + r) * DP, PANEL(work) + (size_t)n0 * D, 1.0f, s,
                       NR);
            for (int i = 0; i < MR; i++)
                add_tile(&best[r + i], s + i * NR, p.row0 + r + i, n0, p.end[0], work, padded);
        }
    for (int r = 0; r < p.rows; r++) {
        int far = -1, near = -1;
        const float furthest = pick(best[r].far, best[r].far_at, 1.0f, &far);
        const float x = furthest - pick(best[r].near, best[r].near_at, -1.0f, &near) + margin;
        const bool anchor = far >= 0 && near >= 0;
        const float e = exp(-fabs(x));
        const float soft = (x > 0.0f ? x : 0.0f) + log1p(e), hard = x < 0.0f ? 0.0f : x;
        const float steep = (x > 0.0f ? 1.0f : e) / (1.0f + e);
        FAR(work)[p.row0 + r] = far;
        NEAR(work)[p.row0 + r] = near;
        SLOPE(work)[p.row0 + r] = !anchor ? 0.0f : SOFT ? steep : x > 0.0f ? 1.0f : 0.0f;
        loss += !anchor ? 0.0f : SOFT && x == x ? soft : hard;
        count += anchor ? 1.0f : 0.0f;
    }
    PART(work)[get_group_id(0) * PARTS] = loss;
    PART(work)[get_group_id(0) * PARTS + 1] = count;
}

#define RULE      const float margin, const float unused
#define RULE_ARGS margin, unused

/* dL/dd = a_i ([j is i's furthest] - [j is i's nearest]) + the same with i and j exchanged. */
vec weigh(const vec s, const int row, const int column, const int id, const bool queued,
          const global float *work, const int padded, RULE) {
    const ivec at = (ivec)(column) + IVLOAD(0, lane_numbers);
    const vec mine = (vec)(SLOPE(work)[row]), theirs = VLOAD(0, SLOPE(work) + column);
    vec g = (at == (ivec)(FAR(work)[row])) ? mine : (vec)(0.0f);
    g -= (at == (ivec)(NEAR(work)[row])) ? mine : (vec)(0.0f);
    g += (IVLOAD(0, FAR(work) + column) == (ivec)(row)) ? theirs : (vec)(0.0f);
    g -= (IVLOAD(0, NEAR(work) + column) == (ivec)(row)) ? theirs : (vec)(0.0f);
    return g == 0.0f ? (vec)(0.0f) : weight_of(metric(s), g);
}

void correct(float *du, const global float *u, RULE) {
}

#include "loss/pairs_backward.h"
