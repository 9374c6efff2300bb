/* The logistic loss, or noise-contrastive estimation (Gutmann and Hyvarinen 2010), in the batch form of SigLIP
 * (arXiv 2303.15343): with x_ij = s_ij / t + bias and y_ij = 1 for positives, else -1,
 *   L = 1/A sum over anchors i and their columns j of log(1 + exp(-y_ij x_ij)),
 *   A dL/dx_ij = -y_ij / (1 + exp(y_ij x_ij)) */
#define STATS 1
#include "loss/pairs.h"

#define LOG2E 1.44269504f

/* -y x */
vec logit(const vec s, const ivec same, const float bias) {
    const vec x = s + bias;
    return same ? -x : x;
}

/* The sum of one row's losses in a panel, each lane on its own. */
vec row_loss(const float *s, const int row, const int n0, const int end, const float bias,
             const global float *work, const int padded) {
    const int id = ID(work)[row];
    vec sum = (vec)(0.0f);
    UNROLL(NV)
    for (int j = 0; j < NV; j++) {
        const ivec same = positives(work, padded, COLUMN(n0, j), id);
        const vec t = logit(VLOAD(j, s), same, bias);
        const vec l = (t > 0.0f ? t : (vec)(0.0f)) + log1p(power2(-LOG2E * fabs(t)));
        const vec value = t == t ? l : t;
        sum += are_pairs(row, COLUMN(n0, j), end) ? value : (vec)(0.0f);
    }
    return sum;
}

GROUP_KERNEL void logistic_forward(global float *restrict work, SHAPE, const float a,
                                   const float b) {
    SHARED float lanes[LANES];
    const place p = find_place((int)get_group_id(0), SHAPE_ARGS);
    const float rate = FACTOR(work)[OF_SIMILARITY], bias = FACTOR(work)[BIAS];
    vec total = (vec)(0.0f);
    float s[MR * NT];
    for (int k = 0; k < 2 && p.segment < anchors; k++)
        for (int n0 = FIRST(p, k); n0 < END(p, k); n0 += NR)
            EACH_TILE(r, p.rows) {
                vec sum = (vec)(0.0f);
                similarity(U(work) + (size_t)(p.row0 + r) * DP, PANEL(work) + (size_t)n0 * DP, rate,
                           s, NT);
                EACH_OF_TILE(i)
                    if (r + i < p.rows)
                        sum += row_loss(s + i * NT, p.row0 + r + i, n0, END(p, k), bias, work,
                                        padded);
                total += sum;
            }
    const float loss = sum_lanes(total, lanes);
    if (LANE == 0) {
        PART(work)[get_group_id(0) * PARTS] = loss;
        PART(work)[get_group_id(0) * PARTS + 1] = p.segment < anchors ? (float)p.rows : 0.0f;
    }
}

#define RULE      const float a, const float b
#define RULE_ARGS a, b

vec weigh(const vec s, const int row, const int column, const int id, const bool queued,
          const global float *work, const int padded, RULE) {
    const ivec same = positives(work, padded, column, id);
    const vec t = logit(s, same, FACTOR(work)[BIAS]), e = power2(-LOG2E * fabs(t));
    const vec sigmoid = (t > 0.0f ? (vec)(1.0f) : e) / (1.0f + e);
    return same ? -sigmoid : sigmoid;
}

void correct(DU_SPACE float *du, const global float *u, RULE) {
}

#include "loss/pairs_backward.h"
