/* The triplet loss (FaceNet, arXiv 1503.03832) over all triplets of an anchor, a positive p and a negative n:
 *   mining all:       the mean of d_p - d_n + margin where that is positive
 *   mining semihard:  the same, only of triplets with d_p < d_n
 *   soft:             the mean over all triplets of log(1 + exp(d_p - d_n))
 * d being the distances to the anchor.
 *
 * Neither the N x N distances nor the triplets are stored. The anchors' positives are: their distances, sorted,
 * for a block of anchors at a time. A negative's triplets are then a range of that list, found by binary
 * search: time N^2 log N, not N^3. (The soft loss goes through the lists.) For each block:
 *   triplet_lists     lists of the block's anchors; how many triplets each positive is in; the loss's share
 *   triplet_gradient  what the block's anchors give to every row (rows: all, columns: the block)
 *   triplet_gradient  what they get themselves                   (rows: the block, columns: all)
 * Gradients gather in du, in the workspace. */
#ifndef METRIC
#define METRIC 0 /* of d: 0 Euclidean, 1 squared Euclidean, 2 cosine: 1 - s */
#endif
#ifndef SOFT
#define SOFT 0
#endif
#ifndef SEMIHARD
#define SEMIHARD 0
#endif
#define DISTANCE (METRIC < 2)
#define STATS 1
#include "loss/pairs.h"
#include "loss/metric.h"

#include "loss/triplet_lists.h"

/* tile (MR,NR): distances or similarities of the group's anchors. Each item reads what it wrote. */
void make_tile(const global float *work, const int padded, const int row0, const int n0,
               SHARED float *tile) {
    float s[MR * NT];
    similarity(U(work) + (size_t)row0 * DP, PANEL(work) + (size_t)n0 * DP, 1.0f, s, NT);
    EACH_OF_TILE(i)
        UNROLL(NV)
        for (int j = 0; j < NV; j++)
            VSTORE(VLOAD(j, s + i * NT), MINE(j), tile + i * NR);
}

/* A group: MR anchors of the block that begins at `base`. */
GROUP_KERNEL void triplet_lists(global float *restrict work, const int rows, const int padded,
                                LISTS, const float margin) {
    SHARED float tile[MR * NR], lanes[LANES];
    SHARED int n[MR], found[LS];
#if SOFT
    SHARED float part[LS * (LS + 1)];
#endif
    const int slot = (int)get_group_id(0) * MR, row0 = base + slot;
    const int anchors = min(MR, min(rows, base + block) - row0);
    float loss = 0.0f;
    ulong triplets = 0;
    for EACH(i, MR)
        n[i] = 0;
    for (int n0 = 0; n0 < rows; n0 += NR) {
        make_tile(work, padded, row0, n0, tile);
        for (int i = 0; i < anchors; i++)
            gather(tile + i * NR, row0 + i, n0, rows, work, padded, LIST(work, slot + i), n + i,
                   found);
    }
    GLOBAL_BARRIER();
    for (int i = 0; i < anchors; i++) {
        sort(LIST(work, slot + i), n[i]);
        for EACH(k, n[i])
            COUNT(work, slot + i)[k] = 0.0f; /* which is 0 of an int, too */
    }
    for EACH(i, anchors)
        LENGTH(work)[slot + i] = n[i];
    GLOBAL_BARRIER();
    for (int n0 = 0; n0 < rows; n0 += NR) {
        make_tile(work, padded, row0, n0, tile);
        for (int i = 0; i < anchors; i++)
#if SOFT
            loss += add_negatives(tile + i * NR, row0 + i, n0, rows, work, padded,
                                  LIST(work, slot + i), COUNT(work, slot + i), n[i], part,
                                  &triplets);
#else
            loss += count_negatives(tile + i * NR, row0 + i, n0, rows, work, padded,
                                    LIST(work, slot + i), DIFFERENCE(work, slot + i), n[i], margin,
                                    &triplets);
#endif
    }
    GLOBAL_BARRIER();
    for (int i = 0; i < (SOFT ? 0 : anchors); i++)
        loss += finish_counts(LIST(work, slot + i), COUNT(work, slot + i), n[i], found);
    const int share = base / block * ((block + MR - 1) / MR) + (int)get_group_id(0);
    const float losses = sum_items(loss, lanes), number = sum_items((float)triplets, lanes);
    if (LANE == 0) {
        PART(work)[share * PARTS] = losses;
        PART(work)[share * PARTS + 1] = number;
    }
}

/* Weights of one row and panel; the anchor is the column, or the row if `own`. */
void weigh_row(float *s, const int row, const int n0, const int end, const bool own,
               const global float *work, const int padded, LISTS, const float margin, vec *total) {
    UNROLL(NV)
    for (int j = 0; j < NV; j++) {
        const vec distance = metric(VLOAD(j, s));
        float d[VW], g[VW];
        VSTORE(distance, 0, d);
        for (int l = 0; l < VW; l++) {
            const int column = COLUMN(n0, j) + l, anchor = (own ? row : column) - base;
            g[l] = column < end && column != row
                       ? slope_of(LIST(work, anchor), COUNT(work, anchor), LENGTH(work)[anchor],
                                  d[l], ID(work)[column] == ID(work)[row], margin)
                       : 0.0f;
        }
        const vec slope = VLOAD(0, g);
        const vec w = slope == 0.0f ? (vec)(0.0f) : weight_of(distance, slope);
        VSTORE(w, j, s);
        *total += w;
    }
}

/* du of rows [first, last), `per` a group, from columns [base, base + block) or, if `own`, from all. */
GROUP_KERNEL void triplet_gradient(global float *restrict work, const int rows, const int padded,
                                   LISTS, const float margin, const int first, const int last,
                                   const int per, const int own) {
    SHARED float w[BI * BJ] __attribute__((aligned(64))), totals[BI * ROW_LANES];
    const int row0 = first + (int)get_group_id(0) * per, mine = min(per, last - row0);
    const int start = own ? 0 : base, end = own ? rows : min(base + block, rows);
    const bool begins = !own && base == 0;
    vec total[BI];
    DU_BLOCK(du, DU(work) + (size_t)row0 * DP);
    if (CPU_KERNELS || begins)
        clear(du, DP, mine);
    EACH_ROW(r, BI)
        total[r] = (vec)(0.0f);
    for (int n0 = start; n0 < end; n0 += BJ) {
        const int columns = min(BJ, end - n0);
        BARRIER();
        for (int n = 0; n < columns; n += NR)
            EACH_TILE(r, mine) {
                TILE(s, w, r, n);
                similarity(U(work) + (size_t)(row0 + r) * DP, PANEL(work) + (size_t)(n0 + n) * DP,
                           1.0f, s, TILE_STRIDE);
                EACH_OF_TILE(i)
                    if (r + i < mine)
                        weigh_row(s + i * TILE_STRIDE, row0 + r + i, n0 + n, end, own, work, padded,
                                  LISTS_ARGS, margin, &total[r + i]);
                share_tile(s, w, n);
            }
        BARRIER();
        EACH_TILE(r, mine)
            accumulate(w + WEIGHT(r, 0), U(work) + (size_t)n0 * DP, du + r * DP, DP, mine, columns);
    }
    EACH_ROW(r, mine)
        PUT(total[r], r, totals);
    BARRIER();
    for (int r = 0; r < mine; r++) {
        const float sum = DISTANCE ? sum_of(OF_ROW(totals, r)) : 0.0f;
        for EACH(k, DP) {
            const size_t at = (size_t)(row0 + r) * DP + k;
            const float before = CPU_KERNELS && !begins ? DU(work)[at] : 0.0f;
            DU(work)[at] = before + du[r * DP + k] - sum * U(work)[at];
        }
    }
}

/* dz of `per` rows a group. */
GROUP_KERNEL void triplet_finish(const global float *restrict work, global float *restrict dz,
                                 const int rows, const int padded, const int groups, const int per) {
    SHARED float lanes[LANES];
    const int row0 = (int)get_group_id(0) * per;
    for (int r = row0; r < min(row0 + per, rows); r++) {
#if CPU_KERNELS
        float du[DP];
        for (int k = 0; k < DP; k++)
            du[k] = DU(work)[(size_t)r * DP + k];
#else
        const global float *du = DU(work) + (size_t)r * DP;
#endif
        denormalize(du, U(work) + (size_t)r * DP, INVERSE(work)[r], FACTOR(work)[OF_LOSS],
                    dz + (size_t)r * D, lanes);
    }
}
