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

TILE_KERNEL void logistic_forward(global float *restrict work, SHAPE, const float a,
                                  const float b) {
    const place p = find_place((int)get_group_id(0), SHAPE_ARGS);
    const float rate = FACTOR(work)[OF_SIMILARITY], bias = FACTOR(work)[BIAS];
    float s[MR * NR], loss = 0.0f;
    for (int k = 0; k < 2 && p.segment < anchors; k++)
        for (int n0 = p.first[k]; n0 < p.end[k]; n0 += NR)
            for (int r = 0; r < p.rows; r += MR) {
                vec sum = (vec)(0.0f);
                similarity(U(work) + (size_t)(p.row0 + r) * DP, PANEL(work) + (size_t)n0 * D, rate,
                           s, NR);
                for (int i = 0; i < min(MR, p.rows - r); i++) {
                    const int row = p.row0 + r + i, id = ID(work)[row];
                    UNROLL(NV)
                    for (int j = 0; j < NV; j++) {
                        const ivec same = positives(work, padded, n0, j, id);
                        const vec t = logit(VLOAD(j, s + i * NR), same, bias);
                        const vec l = (t > 0.0f ? t : (vec)(0.0f)) + log1p(power2(-LOG2E * fabs(t)));
                        const vec value = t == t ? l : t;
                        sum += are_pairs(row, n0 + j * VW, p.end[k]) ? value : (vec)(0.0f);
                    }
                }
                loss += sum_lanes(sum);
            }
    PART(work)[get_group_id(0) * PARTS] = loss;
    PART(work)[get_group_id(0) * PARTS + 1] = p.segment < anchors ? (float)p.rows : 0.0f;
}

#define RULE      const float a, const float b
#define RULE_ARGS a, b

vec weigh(const vec s, const int row, const int column, const int id, const bool queued,
          const global float *work, const int padded, RULE) {
    const ivec same = positives(work, padded, column, 0, id);
    const vec t = logit(s, same, FACTOR(work)[BIAS]), e = power2(-LOG2E * fabs(t));
    const vec sigmoid = (t > 0.0f ? (vec)(1.0f) : e) / (1.0f + e);
    return same ? -sigmoid : sigmoid;
}

void correct(float *du, const global float *u, RULE) {
}

#include "loss/pairs_backward.h"
