/* The softmax losses of loss/softmax.cl over all other vectors of one set (NT-Xent, SupCon), each pair met once, for
 * CPU devices: s_ij = s_ji, so a tile of rows and columns serves both, and so do its exponentials. Vectors have unit
 * length: s <= S = 1/t, and exp(s - S) is no denormal number for t from 0.025 on. With E_i the sum of exp(s_ij - S) over j:
 *   l_i = S + log E_i,  A dL/ds_ij = exp(s_ij - S) (1/E_i + 1/E_j) - (1/P_i + 1/P_j if j is a positive of i)
 *
 * Rows lie in an odd number of blocks of `per`, a multiple of BI. In round r block r + g meets block r - g, for each group g
 * from 0 on, both modulo the number of blocks. So every two blocks, and each with itself, meet in one round, and no block
 * is in two pairs of it: a group adds to both blocks' rows in global memory, in the same order in every run. Padding only
 * fills the last rows up to BI. */
#define UNIT       1.44269504f /* similarities are in units of log2(e) */
#define STATS      3
#define DU_PRIVATE 0
#ifndef BI
#define PANELS 6
#define BI     (PANELS * NR)
#endif
#include "loss/pairs.h"
#if CPU_KERNELS && (BI != BJ || BI % MR)
#error "rows and columns that meet are squares of whole tiles"
#endif

#define SUM(w)      STAT(w, 0) /* E; after symmetric_finish 1 / E, 0 of what is no anchor */
#define SHARE(w)    STAT(w, 1) /* P; then 1 / P */
#define POSITIVE(w) STAT(w, 2) /* sum of the positives' similarities */
#define LN2         0.693147181f

/* The rows and columns of two blocks that meet, or of one with itself; the columns are not above the rows. */
typedef struct meeting {
    int row0, row_end, column0, column_end;
} meeting;

meeting meet(const int round, const int blocks, SHAPE) {
    const int g = (int)get_group_id(0), one = (round + g) % blocks, other = (round + blocks - g) % blocks;
    const int row0 = min(one, other) * per, column0 = max(one, other) * per;
    const meeting m = {row0, min(row0 + per, padded), column0, min(column0 + per, padded)};
    return m;
}

/* The first column that the rows from row0 on meet. A block with itself: those before have been met. */
int first_column(const meeting *m, const int row0) {
    return m->row0 == m->column0 ? row0 : m->column0;
}

/* Tiles there hold both (i,j) and (j,i). Padding is among the rows of no others. */
#define ON_DIAGONAL(row0, n0) ((n0) < (row0) + BI)

/* Of a row's or some columns' pairs: sum of exp(s - S), sum and number of the positives. */
typedef struct pair_sums {
    vec sum, positive, count;
} pair_sums;

void add_row(pair_sums *mine, pair_sums *theirs, float *s, const int row, const int n0, const int end,
             const float most, const global float *work, const int padded) {
    const int id = ID(work)[row];
    mask(s, row, n0, end, MASKED);
    UNROLL(NV)
    for (int j = 0; j < NV; j++) {
        const vec v = VLOAD(j, s), e = power2(v - most);
        const ivec same = positives(work, padded, COLUMN(n0, j), id) & (v > LOWEST);
        const vec positive = same ? v : (vec)(0.0f), one = same ? (vec)(1.0f) : (vec)(0.0f);
        mine->sum += e;
        mine->positive += positive;
        mine->count += one;
        theirs[j].sum += e;
        theirs[j].positive += positive;
        theirs[j].count += one;
    }
}

void add_to_columns(global float *stat, const vec v) {
    VSTORE(VLOAD(0, stat) + v, 0, stat);
}

float sum_of_vector(const vec v) {
    float lanes[LANES];
    VSTORE(v, 0, lanes);
    return sum_of(lanes);
}

GROUP_KERNEL void symmetric_forward(global float *restrict work, SHAPE, const int round,
                                    const int blocks) {
    const float most = FACTOR(work)[OF_SIMILARITY] * UNIT;
    const pair_sums nothing = {(vec)(0.0f), (vec)(0.0f), (vec)(0.0f)};
    float s[MR * NT];
    const meeting m = meet(round, blocks, SHAPE_ARGS);
    for (int row0 = m.row0; row0 < m.row_end; row0 += BI) {
        pair_sums mine[BI], theirs[NV];
        for (int r = 0; r < BI; r++)
            mine[r] = nothing;
        for (int n0 = first_column(&m, row0); n0 < m.column_end; n0 += NR) {
            for (int j = 0; j < NV; j++)
                theirs[j] = nothing;
            for (int r = 0; r < BI; r += MR) {
                similarity(U(work) + (size_t)(row0 + r) * DP, PANEL(work) + (size_t)n0 * DP, most, s,
                           NT);
                for (int i = 0; i < MR; i++)
                    add_row(mine + r + i, theirs, s + i * NT, row0 + r + i, n0, rows, most, work,
                            padded);
            }
            for (int j = 0; j < NV && !ON_DIAGONAL(row0, n0); j++) {
                add_to_columns(SUM(work) + COLUMN(n0, j), theirs[j].sum);
                add_to_columns(POSITIVE(work) + COLUMN(n0, j), theirs[j].positive);
                add_to_columns(SHARE(work) + COLUMN(n0, j), theirs[j].count);
            }
        }
        for (int r = 0; r < BI; r++) {
            SUM(work)[row0 + r] += sum_of_vector(mine[r].sum);
            POSITIVE(work)[row0 + r] += sum_of_vector(mine[r].positive);
            SHARE(work)[row0 + r] += sum_of_vector(mine[r].count);
        }
    }
}

/* The loss of a block's rows, their statistics as the backward pass takes them, and an empty gradient. */
GROUP_KERNEL void symmetric_finish(global float *restrict work,
                                   global float *restrict dz, // (rows,D)
                                   SHAPE) {
    const float most = FACTOR(work)[OF_SIMILARITY] * UNIT;
    const int row0 = (int)get_group_id(0) * per, end = min(row0 + per, rows);
    float loss = 0.0f, count = 0.0f;
    for (int row = row0; row < end; row++) {
        const float sum = SUM(work)[row], positives = SHARE(work)[row];
        /* A row of NaN has no positives but must show. */
        const bool anchor = positives > 0.0f || sum != sum;
        SUM(work)[row] = anchor ? 1.0f / sum : 0.0f;
        SHARE(work)[row] = anchor ? 1.0f / positives : 0.0f;
        loss += anchor ? LN2 * (most + log2(sum) - POSITIVE(work)[row] / positives) : 0.0f;
        count += anchor ? 1.0f : 0.0f;
        for (int k = 0; k < D; k++)
            dz[(size_t)row * D + k] = 0.0f;
    }
    PART(work)[get_group_id(0) * PARTS] = loss;
    PART(work)[get_group_id(0) * PARTS + 1] = count;
}

/* Similarities of one row and panel become weights. */
void weigh_row(float *s, const int row, const int n0, const int end, const float most,
               const global float *work, const int padded) {
    const int id = ID(work)[row];
    UNROLL(NV)
    for (int j = 0; j < NV; j++) {
        const int column = COLUMN(n0, j);
        const ivec same = positives(work, padded, column, id);
        const vec sum = SUM(work)[row] + VLOAD(0, SUM(work) + column);
        const vec share = SHARE(work)[row] + VLOAD(0, SHARE(work) + column);
        VSTORE(power2(VLOAD(j, s) - most) * sum - (same ? share : (vec)(0.0f)), j, s);
    }
    mask(s, row, n0, end, 0.0f);
}

GROUP_KERNEL void symmetric_backward(global float *restrict work,
                                     global float *restrict dz, // (rows,D): its sums over pairs
                                     SHAPE, const int round, const int blocks) {
    SHARED float w[BI * BJ] __attribute__((aligned(64)));
    const float most = FACTOR(work)[OF_SIMILARITY] * UNIT;
    const meeting m = meet(round, blocks, SHAPE_ARGS);
    for (int row0 = m.row0; row0 < m.row_end; row0 += BI)
        for (int n0 = first_column(&m, row0); n0 < m.column_end; n0 += BJ) {
            const global float *row_u = U(work) + (size_t)row0 * DP, *u = U(work) + (size_t)n0 * DP;
            global float *row_du = dz + (size_t)row0 * D, *du = dz + (size_t)n0 * D;
            for (int n = 0; n < BJ; n += NR)
                for (int r = 0; r < BI; r += MR) {
                    TILE(s, w, r, n);
                    similarity(row_u + r * DP, PANEL(work) + (size_t)(n0 + n) * DP, most, s,
                               TILE_STRIDE);
                    for (int i = 0; i < MR; i++)
                        weigh_row(s + i * TILE_STRIDE, row0 + r + i, n0 + n, rows, most, work, padded);
                }
            for (int r = 0; r < BI; r += MR)
                accumulate(w + WEIGHT(r, 0), u, row_du + r * D, D, rows - (row0 + r), BJ);
            for (int c = 0; c < BJ && !ON_DIAGONAL(row0, n0); c += MR)
                accumulate_columns(w + WEIGHT(0, c), row_u, du + c * D, D, rows - (n0 + c), BI);
        }
}

/* dz through the normalisation. */
GROUP_KERNEL void symmetric_gradient(const global float *restrict work,
                                     global float *restrict dz, // (rows,D)
                                     SHAPE) {
    SHARED float lanes[LANES];
    const float factor = FACTOR(work)[OF_LOSS] * FACTOR(work)[OF_SIMILARITY];
    const int row0 = (int)get_group_id(0) * per, end = min(row0 + per, rows);
    for (int row = row0; row < end; row++) {
        global float *du = dz + (size_t)row * D;
        denormalize(du, U(work) + (size_t)row * DP, INVERSE(work)[row], factor, du, lanes);
    }
}
