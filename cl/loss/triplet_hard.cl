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
        const ivec there = are_pairs(row, COLUMN(n0, j), end);
        const ivec same = positives(work, padded, COLUMN(n0, j), id);
        const ivec at = columns_from(COLUMN(n0, j));
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

/* The best of a row's lanes; `sign` 1 looks for the largest, -1 for the smallest. *at is -1 if there is none. */
float pick(const SHARED float *values, const SHARED int *ats, const float sign, int *at) {
    float best = 0.0f;
    *at = -1;
    for (int l = 0; l < LANES; l++)
        if (ats[l] >= 0 && (*at < 0 || !(sign * values[l] <= sign * best))) {
            best = values[l];
            *at = ats[l];
        }
    return best;
}

GROUP_KERNEL void triplet_hard_forward(global float *restrict work, SHAPE, const float margin,
                                       const float unused) {
    SHARED float far[BI * ROW_LANES], near[BI * ROW_LANES], lanes[LANES];
    SHARED int far_at[BI * ROW_LANES], near_at[BI * ROW_LANES];
    const place p = find_place((int)get_group_id(0), SHAPE_ARGS);
    choice best[BI];
    float s[MR * NT], loss = 0.0f, count = 0.0f;
    EACH_ROW(r, BI) {
        best[r].far = (vec)(-MAXFLOAT);
        best[r].near = (vec)(MAXFLOAT);
        best[r].far_at = best[r].near_at = (ivec)(-1);
    }
    for (int n0 = FIRST(p, 0); n0 < END(p, 0); n0 += NR)
        EACH_TILE(r, p.rows) {
            similarity(U(work) + (size_t)(p.row0 + r) * DP, PANEL(work) + (size_t)n0 * DP, 1.0f, s,
                       NT);
            EACH_OF_TILE(i)
                add_tile(&best[r + i], s + i * NT, p.row0 + r + i, n0, END(p, 0), work, padded);
        }
    EACH_ROW(r, p.rows) {
        PUT(best[r].far, r, far);
        PUT(best[r].near, r, near);
        IVSTORE(best[r].far_at, LANE, OF_ROW(far_at, r));
        IVSTORE(best[r].near_at, LANE, OF_ROW(near_at, r));
    }
    BARRIER();
    for EACH(r, p.rows) {
        int positive, negative;
        const float furthest = pick(OF_ROW(far, r), OF_ROW(far_at, r), 1.0f, &positive);
        const float nearest = pick(OF_ROW(near, r), OF_ROW(near_at, r), -1.0f, &negative);
        const float x = furthest - nearest + margin;
        const bool anchor = positive >= 0 && negative >= 0;
        const float e = exp(-fabs(x));
        const float soft = (x > 0.0f ? x : 0.0f) + log1p(e), hard = x < 0.0f ? 0.0f : x;
        const float steep = (x > 0.0f ? 1.0f : e) / (1.0f + e);
        FAR(work)[p.row0 + r] = positive;
        NEAR(work)[p.row0 + r] = negative;
        SLOPE(work)[p.row0 + r] = !anchor ? 0.0f : SOFT ? steep : x > 0.0f ? 1.0f : 0.0f;
        loss += !anchor ? 0.0f : SOFT && x == x ? soft : hard;
        count += anchor ? 1.0f : 0.0f;
    }
    const float losses = sum_items(loss, lanes), counted = sum_items(count, lanes);
    if (LANE == 0) {
        PART(work)[get_group_id(0) * PARTS] = losses;
        PART(work)[get_group_id(0) * PARTS + 1] = counted;
    }
}

#define RULE      const float margin, const float unused
#define RULE_ARGS margin, unused

/* dL/dd = a_i ([j is i's furthest] - [j is i's nearest]) + the same with i and j exchanged. */
vec weigh(const vec s, const int row, const int column, const int id, const bool queued,
          const global float *work, const int padded, RULE) {
    const ivec at = columns_from(column);
    const vec mine = (vec)(SLOPE(work)[row]), theirs = VLOAD(0, SLOPE(work) + column);
    vec g = (at == (ivec)(FAR(work)[row])) ? mine : (vec)(0.0f);
    g -= (at == (ivec)(NEAR(work)[row])) ? mine : (vec)(0.0f);
    g += (IVLOAD(0, FAR(work) + column) == (ivec)(row)) ? theirs : (vec)(0.0f);
    g -= (IVLOAD(0, NEAR(work) + column) == (ivec)(row)) ? theirs : (vec)(0.0f);
    return g == 0.0f ? (vec)(0.0f) : weight_of(metric(s), g);
}

void correct(DU_SPACE float *du, const global float *u, RULE) {
}

#include "loss/pairs_backward.h"
