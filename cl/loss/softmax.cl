/* Losses that pick a positive among all columns: NT-Xent (SimCLR, arXiv 2002.05709), InfoNCE (1807.03748),
 * SupCon (2004.11362), N-pair (Sohn 2016) and CLIP (2103.00020) differ in what the columns are and which rows
 * are anchors (pairs.h).
 *
 * With l_i = log sum_j exp(s_ij) over anchor i's columns, P_i the number of its positives among them and A that
 * of the anchors that have any:
 *   L = 1/A sum_i (l_i - 1/P_i sum_{p} s_ip) + penalty/(2A) sum_i |u_i|^2
 *   A dL/ds_ij = exp(s_ij - l_i) + exp(s_ij - l_j) - (1/P_i + 1/P_j if j is a positive of i)
 * where the terms of i and of j stand only if that one is an anchor. Inside, s is in units of log2(e).
 * Large sets on CPU devices: loss/symmetric.cl. */
#define UNIT 1.44269504f
#ifndef ONLY_POSITIVES
#define ONLY_POSITIVES 0 /* 1: all negatives come from the queue */
#endif
#include "loss/pairs.h"

#define LOGSUM(w)  STAT(w, 0)
#define SHARE(w)   STAT(w, 1) /* 1 / P */
#define NEVER      3e38f      /* exp(s - NEVER) = 0: the log-sum of what is no anchor */
#define LN2        0.693147181f

/* Puts a row's lanes together: log2 of the sum. */
float merge_lanes(const SHARED float *tops, const SHARED float *sums) {
    const float m = most_of(tops);
    float sum[VW], all = 0.0f;
    vec t = (vec)(0.0f);
    for (int j = 0; j < LS; j++)
        t += VLOAD(j, sums) * power2(VLOAD(j, tops) - m);
    VSTORE(t, 0, sum);
    for (int l = 0; l < VW; l++)
        all += sum[l];
    return m + log2(all);
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
        const ivec same = positives(work, padded, COLUMN(n0, j), id) & (v > LOWEST);
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

GROUP_KERNEL void softmax_forward(global float *restrict work, SHAPE, const float penalty,
                                  const float unused) {
    SHARED float top[BI * ROW_LANES], sum[BI * ROW_LANES], positive[BI * ROW_LANES];
    SHARED float number[BI * ROW_LANES], lanes[LANES];
    const place p = find_place((int)get_group_id(0), SHAPE_ARGS);
    const float scale = FACTOR(work)[OF_SIMILARITY] * UNIT;
    row_state state[BI];
    float s[MR * NT], loss = 0.0f, count = 0.0f;
    EACH_ROW(r, BI) {
        state[r].top = (vec)(LOWEST);
        state[r].sum = state[r].positive = state[r].count = (vec)(0.0f);
    }
    for (int k = 0; k < 2 && p.segment < anchors; k++)
        for (int n0 = FIRST(p, k); n0 < END(p, k); n0 += NR)
            EACH_TILE(r, p.rows) {
                similarity(U(work) + (size_t)(p.row0 + r) * DP, PANEL(work) + (size_t)n0 * DP,
                           scale, s, NT);
                EACH_OF_TILE(i)
                    add_tile(&state[r + i], s + i * NT, p.row0 + r + i, n0, END(p, k), k == 1, work,
                             padded);
            }
    EACH_ROW(r, p.rows) {
        PUT(state[r].top, r, top);
        PUT(state[r].sum, r, sum);
        PUT(state[r].positive, r, positive);
        PUT(state[r].count, r, number);
    }
    BARRIER();
    for EACH(r, p.rows) {
        const float positives = sum_of(OF_ROW(number, r));
        const float l = merge_lanes(OF_ROW(top, r), OF_ROW(sum, r));
        /* A row of NaN has no positives but must show. */
        const bool anchor = p.segment < anchors && (positives > 0.0f || l != l);
        LOGSUM(work)[p.row0 + r] = anchor ? l : NEVER;
        SHARE(work)[p.row0 + r] = anchor ? 1.0f / positives : 0.0f;
        loss += anchor ? LN2 * (l - sum_of(OF_ROW(positive, r)) / positives) : 0.0f;
        count += anchor ? 1.0f : 0.0f;
    }
    for (int r = 0; r < p.rows && penalty > 0.0f; r++) {
        const global float *u = U(work) + (size_t)(p.row0 + r) * DP;
        for EACH(d, D)
            loss += 0.5f * penalty * u[d] * u[d];
    }
    const float losses = sum_items(loss, lanes), counted = sum_items(count, lanes);
    if (LANE == 0) {
        PART(work)[get_group_id(0) * PARTS] = losses;
        PART(work)[get_group_id(0) * PARTS + 1] = counted;
    }
}

#define RULE      const float penalty, const float unused
#define RULE_ARGS penalty, unused

vec weigh(const vec s, const int row, const int column, const int id, const bool queued,
          const global float *work, const int padded, RULE) {
    const ivec same = positives(work, padded, column, id);
    const vec v = ONLY_POSITIVES && !queued ? (same ? s : (vec)(MASKED)) : s;
    const vec w = power2(v - LOGSUM(work)[row]);
    if (queued)
        return w;
    const vec share = SHARE(work)[row] + VLOAD(0, SHARE(work) + column);
    return w + power2(v - VLOAD(0, LOGSUM(work) + column)) - (same ? share : (vec)(0.0f));
}

void correct(DU_SPACE float *du, const global float *u, RULE) {
    for EACH(k, penalty > 0.0f ? D : 0)
        du[k] += penalty * u[k];
}

#include "loss/pairs_backward.h"
