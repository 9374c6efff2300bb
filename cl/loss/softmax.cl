/* Losses that pick a positive among all columns: NT-Xent (SimCLR, arXiv 2002.05709), InfoNCE (1807.03748),
 * SupCon (2004.11362), N-pair (Sohn 2016) and CLIP (2103.00020) differ in what the columns are and which rows
 * are anchors (pairs.h).
 *
 * With l_i = log sum_j exp(s_ij) over anchor i's columns, P_i the number of its positives among them and A that
 * of the anchors that have any:
 *   L = 1/A sum_i (l_i - 1/P_i sum_{p} s_ip) + penalty/(2A) sum_i |u_i|^2
 *   A dL/ds_ij = exp(s_ij - l_i) + exp(s_ij - l_j) - (1/P_i + 1/P_j if j is a positive of i)
 * where the terms of i and of j stand only if that one is an anchor. Inside, s is in units of log2(e). */
#define UNIT 1.44269504f
#ifndef ONLY_POSITIVES
#define ONLY_POSITIVES 0 /* 1: all negatives come from the queue */
#endif
#include "loss/pairs.h"

#define LOGSUM(w)  STAT(w, 0)
#define SHARE(w)   STAT(w, 1) /* 1 / P */
#define NEVER      3e38f      /* exp(s - NEVER) = 0: the log-sum of what is no anchor */
#define LN2        0.693147181f

/* Puts the lanes of a row together: log2 of the sum. */
float merge_lanes(const vec top, const vec sum) {
    float tops[VW], m = LOWEST;
    VSTORE(top, 0, tops);
    for (int l = 0; l < VW; l++)
        m = tops[l] > m ? tops[l] : m;
    return m + log2(sum_lanes(sum * power2(top - m)));
}

/* Running maximum and sum of a row, each lane on its own (Milakov and Gimelshein, arXiv 1805.02867), and sum
 * and number of the positives. */
typedef struct row_state {
    vec top, sum, positive, count;
} row_state;

void add_tile(row_state *state, float *s, const int row, const int n0, const int end,
              const bool queued, const global float *work, const int padded) {
    const int id = ID(work)[row];
    vec m = state->top;
    mask(s, row, n0, end, MASKED);
    UNROLL(NV)
    for (int j = 0; j < NV; j++) {
        vec v = VLOAD(j, s);
        const ivec same = positives(work, padded, n0, j, id) & (v > LOWEST);
        state->positive += same ? v : (vec)(0.0f);
        state->count += same ? (vec)(1.0f) : (vec)(0.0f);
        if (ONLY_POSITIVES && !queued) {
            v = same ? v : (v != v ? v : (vec)(MASKED));
            VSTORE(v, j, s);
        }
        m = v > m ? v : m;
    }
    vec t = state->sum * power2(state->top - m);
    UNROLL(NV)
    for (int j = 0; j < NV; j++)
        t += power2(VLOAD(j, s) - m);
    state->sum = t;
    state->top = m;
}

TILE_KERNEL void softmax_forward(global float *restrict work, SHAPE, const float penalty,
                                 const float unused) {
    const place p = find_place((int)get_group_id(0), SHAPE_ARGS);
    const float scale = FACTOR(work)[OF_SIMILARITY] * UNIT;
    row_state state[BI];
    float s[MR * NR], loss = 0.0f, count = 0.0f;
    for (int r = 0; r < BI; r++) {
        state[r].top = (vec)(LOWEST);
        state[r].sum = state[r].positive = state[r].count = (vec)(0.0f);
    }
    for (int k = 0; k < 2 && p.segment < anchors; k++)
        for (int n0 = p.first[k]; n0 < p.end[k]; n0 += NR)
            for (int r = 0; r < p.rows; r += MR) {
                similarity(U(work) + (size_t)(p.row0 + r) * DP, PANEL(work) + (size_t)n0 * D, scale,
                           s, NR);
                for (int i = 0; i < MR; i++)
                    add_tile(&state[r + i], s + i * NR, p.row0 + r + i, n0, p.end[k], k == 1, work,
                             padded);
            }
    for (int r = 0; r < p.rows; r++) {
        const float positives = sum_lanes(state[r].count);
        const float l = merge_lanes(state[r].top, state[r].sum);
        /* A row of NaN has no positives but must show. */
        const bool anchor = p.segment < anchors && (positives > 0.0f || l != l);
        LOGSUM(work)[p.row0 + r] = anchor ? l : NEVER;
        SHARE(work)[p.row0 + r] = anchor ? 1.0f / positives : 0.0f;
        loss += anchor ? LN2 * (l - sum_lanes(state[r].positive) / positives) : 0.0f;
        count += anchor ? 1.0f : 0.0f;
        float squares = 0.0f;
        for (int d = 0; d < D && penalty > 0.0f; d++)
            squares += U(work)[(size_t)(p.row0 + r) * DP + d] * U(work)[(size_t)(p.row0 + r) * DP + d];
        loss += 0.5f * penalty * squares;
    }
    PART(work)[get_group_id(0) * PARTS] = loss;
    PART(work)[get_group_id(0) * PARTS + 1] = count;
}

#define RULE      const float penalty, const float unused
#define RULE_ARGS penalty, unused

vec weigh(const vec s, const int row, const int column, const int id, const bool queued,
          const global float *work, const int padded, RULE) {
    const ivec same = positives(work, padded, column, 0, id);
    const vec v = ONLY_POSITIVES && !queued ? (same ? s : (vec)(MASKED)) : s;
    const vec w = power2(v - LOGSUM(work)[row]);
    if (queued)
        return w;
    const vec share = SHARE(work)[row] + VLOAD(0, SHARE(work) + column);
    return w + power2(v - VLOAD(0, LOGSUM(work) + column)) - (same ? share : (vec)(0.0f));
}

void correct(float *du, const global float *u, RULE) {
    for (int k = 0; k < D && penalty > 0.0f; k++)
        du[k] += penalty * u[k];
}

#include "loss/pairs_backward.h"
