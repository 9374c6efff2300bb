/* Attention on CPU devices: a work-item a tile, products of TB queries with TB keys from private memory. */
#include "op/attention.h"

#ifndef TB
#define TB 32 /* a multiple of 16 */
#endif
#define DV (D / VW)
#define KV (TB / VW)
#define MR 4 /* rows of a product's inner tile, and vectors: all where registers allow */
#define VECTORS(n) (VW == 16 && (n) <= 5 ? (n) : (n) % 4 == 0 && VW == 16 ? 4 : (n) % 2 == 0 ? 2 : 1)
#define ND VECTORS(DV)
#define NK VECTORS(KV)

/* to (rows,COLUMNS vectors) = a b [+ to]: element (i,t) of a at a[i * A_ROW + t * A_STEP], t from FIRST of row r to
 * below LAST, of n; row t of b at b + t * b_step. The queries begin `ahead` steps behind the keys, or TB where all see
 * all: what no query sees is left out. Rows are rounded up to MR: arrays have room for them, and nobody looks at what stands there. */
#define PRODUCT(name, SPACE, COLUMNS, NV, A_ROW, A_STEP, ACCUMULATE, FIRST, LAST)                  \
    INLINE void name(const float *a, const SPACE float *b, const int b_step, const int rows,       \
                     const int n, const int ahead, float *to) {                                    \
        ROLLED                                                                                     \
        for (int r = 0; r < rows; r += MR)                                                         \
            ROLLED                                                                                 \
            for (int c = 0; c < COLUMNS; c += NV) {                                                \
                vec acc[MR][NV];                                                                   \
                UNROLL(MR)                                                                         \
                for (int i = 0; i < MR; i++)                                                       \
                    UNROLL(NV)                                                                     \
                    for (int j = 0; j < NV; j++)                                                   \
                        acc[i][j] = ACCUMULATE ? VLOAD(c + j, to + (r + i) * COLUMNS * VW)         \
                                               : (vec)(0.0f);                                      \
                ROLLED                                                                             \
                for (int t = (FIRST); t < (LAST); t++) {                                           \
                    vec column[NV];                                                                \
                    UNROLL(NV)                                                                     \
                    for (int j = 0; j < NV; j++)                                                   \
                        column[j] = VLOAD(c + j, b + (size_t)t * b_step);                          \
                    UNROLL(MR)                                                                     \
                    for (int i = 0; i < MR; i++)                                                   \
                        UNROLL(NV)                                                                 \
                        for (int j = 0; j < NV; j++)                                               \
                            acc[i][j] += a[(r + i) * (A_ROW) + t * (A_STEP)] * column[j];          \
                }                                                                                  \
                UNROLL(MR)                                                                         \
                for (int i = 0; i < MR; i++)                                                       \
                    UNROLL(NV)                                                                     \
                    for (int j = 0; j < NV; j++)                                                   \
                        VSTORE(acc[i][j], c + j, to + (r + i) * COLUMNS * VW);                     \
            }                                                                                      \
    }

PRODUCT(scores_of, private, KV, NK, D, 1, 0, 0, n)                             /* (queries,TB) = (queries,D) (D,TB) */
PRODUCT(add_to_queries, global, DV, ND, TB, 1, 1, 0, min(n, r + MR + ahead)) /* (queries,D) += (queries,keys) (keys,D) */
PRODUCT(add_to_keys, private, DV, ND, 1, TB, 1, max(0, r - ahead), n)        /* (keys,D) += (queries,keys)^T (queries,D) */

INLINE void load_rows(const global float *from, const int step, const int count,
                      const float factor, float *to) {
    for (int r = 0; r < count; r++)
        for (int j = 0; j < DV; j++)
            VSTORE(VLOAD(j, from + (size_t)r * step) * factor, j, to + r * D);
}

INLINE void clear_rows(const int count, float *to) {
    for (int r = 0; r < count; r++)
        for (int j = 0; j < DV; j++)
            VSTORE((vec)(0.0f), j, to + r * D);
}

/* (D,TB), zeros behind `count` keys. */
INLINE void load_keys_transposed(const global float *from, const int step, const int count,
                                 float *to) {
    for (int d = 0; d < D; d++) {
        for (int k = 0; k < count; k++)
            to[d * TB + k] = from[(size_t)k * step + d];
        for (int k = count; k < TB; k++)
            to[d * TB + k] = 0.0f;
    }
}

INLINE float sum_of_vec(const vec v) {
    float lanes[VW];
    VSTORE(v, 0, lanes);
    UNROLL(4)
    for (int span = VW / 2; span > 0; span /= 2)
        UNROLL(8)
        for (int l = 0; l < span; l++)
            lanes[l] += lanes[l + span];
    return lanes[0];
}

INLINE float most_of_vec(const vec v) {
    float lanes[VW];
    VSTORE(v, 0, lanes);
    UNROLL(4)
    for (int span = VW / 2; span > 0; span /= 2)
        UNROLL(8)
        for (int l = 0; l < span; l++)
            lanes[l] = fmax(lanes[l], lanes[l + span]);
    return lanes[0];
}

/* How far queries from q0 on begin behind keys from k0 on; TB where all see all. */
#define AHEAD(q0, k0) (causal ? min((q0) - (k0), TB) : TB)

/* Of the keys from k0 on, query q sees so many. */
INLINE int seen_keys(const int q, const int k0, const int length, const int causal) {
    return clamp(LAST_KEY(q, 1, length) - k0, 0, TB);
}

INLINE void mask_row(float *row, const int seen) {
    for (int k = seen; k < TB; k++)
        row[k] = -INFINITY;
}

/* Takes a row of scores into the running softmax of its query: `row` becomes exp(score - most), and what `sum` and
 * `acc` (D) hold is brought down to the new greatest score. */
INLINE void running_softmax(float *row, float *most, float *sum, float *acc) {
    vec greatest = VLOAD(0, row), total = (vec)(0.0f);
    for (int j = 1; j < KV; j++)
        greatest = fmax(greatest, VLOAD(j, row));
    const float top = fmax(*most, most_of_vec(greatest)), down = exp(*most - top);
    for (int j = 0; j < KV; j++) {
        const vec p = exp(VLOAD(j, row) - top);
        VSTORE(p, j, row);
        total += p;
    }
    *sum = *sum * down + sum_of_vec(total);
    *most = top;
    for (int j = 0; j < DV; j++)
        VSTORE(VLOAD(j, acc) * down, j, acc);
}

/* Groups: (blocks of TB queries, n heads). */
TILE_KERNEL void attention_forward(const global float *restrict qkv,   // (n,T,3 C)
                                   const global int *restrict lengths, // (n)
                                   global float *restrict y,           // (n,T,C)
                                   global float *restrict saved,       // (n,heads,T)
                                   const int steps, const int heads, const int causal,
                                   const int front, const int has_lengths, const int keep) {
    const int i = (int)get_group_id(1) / heads, h = (int)get_group_id(1) % heads;
    const int q0 = (int)get_group_id(0) * TB, rows = min(TB, steps - q0);
    const int length = LENGTH(lengths, i, steps, has_lengths);
    const int valid = clamp(length - q0, 0, rows), last = LAST_KEY(q0, valid, length);
    float q[TB * D], kt[D * TB], s[TB * TB], acc[TB * D], most[TB], sum[TB];
    load_rows(STEP(qkv, 0, i, h, q0, steps), ROW, valid, SCALE, q);
    clear_rows(rows, acc);
    for (int r = 0; r < valid; r++) {
        most[r] = -INFINITY;
        sum[r] = 0.0f;
    }
    for (int k0 = 0; k0 < (valid ? last : 0); k0 += TB) {
        const int count = min(TB, last - k0);
        load_keys_transposed(STEP(qkv, 1, i, h, k0, steps), ROW, count, kt);
        scores_of(q, kt, TB, valid, D, TB, s);
        for (int r = 0; r < valid; r++) {
            mask_row(s + r * TB, seen_keys(q0 + r, k0, length, causal));
            running_softmax(s + r * TB, &most[r], &sum[r], acc + r * D);
        }
        add_to_queries(s, STEP(qkv, 2, i, h, k0, steps), ROW, valid, count,
                       AHEAD(q0, k0), acc);
    }
    for (int r = 0; r < rows; r++) {
        /* Not times 0: behind the valid rows acc may hold what is no number. */
        const float factor = r < valid ? 1.0f / sum[r] : 0.0f;
        for (int j = 0; j < DV; j++)
            VSTORE(r < valid ? VLOAD(j, acc + r * D) * factor : (vec)(0.0f), j,
                   OUT_STEP(y, i, h, q0 + r, steps));
        if (keep)
            saved[(size_t)get_group_id(1) * steps + q0 + r] =
                r < valid ? most[r] + log(sum[r]) : 0.0f;
    }
}

/* to = rows * factor, += with `accumulate`; rows from `valid` on count as 0. */
INLINE void store_rows(const float *rows, const int valid, const int count, const float factor,
                       const int accumulate, const int step, global float *to) {
    for (int r = 0; r < count; r++)
        for (int j = 0; j < DV; j++) {
            const vec v = r < valid ? VLOAD(j, rows + r * D) * factor : (vec)(0.0f);
            global float *at = to + (size_t)r * step;
            VSTORE(accumulate ? v + VLOAD(j, at) : v, j, at);
        }
}

/* P = exp(S - norm) and dS = P (dP - delta), in place of S and dP; delta is the sum of y dy over the head. */
INLINE void score_gradients(float *p, float *ds, const float *dy, const global float *y,
                            const float norm, const int seen) {
    vec product = (vec)(0.0f);
    for (int j = 0; j < DV; j++)
        product += VLOAD(j, dy) * VLOAD(j, y);
    const float delta = sum_of_vec(product);
    mask_row(p, seen);
    for (int j = 0; j < KV; j++) {
        const vec v = exp(VLOAD(j, p) - norm);
        VSTORE(v, j, p);
        VSTORE(v * (VLOAD(j, ds) - delta), j, ds);
    }
}

/* dv = P^T dy; dq = dS k / sqrt(D); dk = dS^T q / sqrt(D). Groups: (1, n heads). dqkv, or += with `accumulate`. */
TILE_KERNEL void attention_backward(const global float *restrict qkv,   // (n,T,3 C)
                                    const global int *restrict lengths, // (n)
                                    const global float *restrict y,     // (n,T,C)
                                    const global float *restrict saved, // (n,heads,T)
                                    const global float *restrict dy,    // (n,T,C)
                                    global float *restrict dqkv,        // (n,T,3 C)
                                    const int steps, const int heads, const int causal,
                                    const int front, const int has_lengths,
                                    const int accumulate) {
    const int i = (int)get_group_id(1) / heads, h = (int)get_group_id(1) % heads;
    const int length = LENGTH(lengths, i, steps, has_lengths);
    const global float *norms = saved + (size_t)get_group_id(1) * steps;
    float q[TB * D], d[TB * D], dq[TB * D], kt[D * TB], vt[D * TB], dk[TB * D], dv[TB * D];
    float p[TB * TB], ds[TB * TB];
    for (int k0 = 0; k0 < steps; k0 += TB) {
        const int keys = clamp(length - k0, 0, TB), all_keys = min(TB, steps - k0);
        load_keys_transposed(STEP(qkv, 1, i, h, k0, steps), ROW, keys, kt);
        load_keys_transposed(STEP(qkv, 2, i, h, k0, steps), ROW, keys, vt);
        clear_rows(TB, dk);
        clear_rows(TB, dv);
        for (int q0 = causal ? k0 : 0; q0 < steps; q0 += TB) {
            const int rows = min(TB, steps - q0), valid = keys ? clamp(length - q0, 0, rows) : 0;
            clear_rows(TB, dq);
            if (valid) {
                load_rows(STEP(qkv, 0, i, h, q0, steps), ROW, valid, SCALE, q);
                load_rows(OUT_STEP(dy, i, h, q0, steps), C, valid, 1.0f, d);
                scores_of(q, kt, TB, valid, D, TB, p);
                scores_of(d, vt, TB, valid, D, TB, ds);
                for (int r = 0; r < valid; r++)
                    score_gradients(p + r * TB, ds + r * TB, d + r * D,
                                    OUT_STEP(y, i, h, q0 + r, steps), norms[q0 + r],
                                    seen_keys(q0 + r, k0, length, causal));
                add_to_keys(p, d, D, keys, valid, AHEAD(q0, k0), dv);
                add_to_keys(ds, q, D, keys, valid, AHEAD(q0, k0), dk);
                add_to_queries(ds, STEP(qkv, 1, i, h, k0, steps), ROW, valid, keys,
                               AHEAD(q0, k0), dq);
            }
            store_rows(dq, valid, rows, SCALE, accumulate || k0 > 0, ROW,
                       STEP(dqkv, 0, i, h, q0, steps));
        }
        store_rows(dk, keys, all_keys, 1.0f, accumulate, ROW, STEP(dqkv, 1, i, h, k0, steps));
        store_rows(dv, keys, all_keys, 1.0f, accumulate, ROW, STEP(dqkv, 2, i, h, k0, steps));
    }
}
