/* Attention on GPUs: a group a tile of TB queries, or of TB keys, whose products its items share in local memory. */
#include "op/attention.h"

#ifndef TB
#define TB 16
#endif
#define PAD_D (D + 1) /* items that take neighbouring rows find them in different banks */

/* Up to `count` of TB steps, zeros behind them. */
INLINE void load_tile(const global float *from, const int step, const int count,
                      const float factor, local float (*to)[PAD_D]) {
    for EACH(e, TB * D)
        to[e / D][e % D] = e / D < count ? from[(size_t)(e / D) * step + e % D] * factor : 0.0f;
}

INLINE void clear_tile(local float (*to)[PAD_D]) {
    for EACH(e, TB * D)
        to[e / D][e % D] = 0.0f;
}

INLINE float product_of(const local float *a, const local float *b) {
    float sum = 0.0f;
    for (int d = 0; d < D; d++)
        sum += a[d] * b[d];
    return sum;
}

/* Groups: (blocks of TB queries, n heads). */
GROUP_KERNEL void attention_forward(const global float *restrict qkv,   // (n,T,3 C)
                                    const global int *restrict lengths, // (n)
                                    global float *restrict y,           // (n,T,C)
                                    global float *restrict saved,       // (n,heads,T)
                                    const int steps, const int heads, const int causal,
                                    const int front, const int has_lengths, const int keep) {
    local float q[TB][PAD_D], k[TB][PAD_D], v[TB][PAD_D], acc[TB][PAD_D], s[TB][TB + 1];
    local float most[TB], sum[TB], down[TB];
    const int i = (int)get_group_id(1) / heads, h = (int)get_group_id(1) % heads;
    const int q0 = (int)get_group_id(0) * TB, rows = min(TB, steps - q0);
    const int length = LENGTH(lengths, i, steps, has_lengths);
    const int valid = clamp(length - q0, 0, rows), last = LAST_KEY(q0, valid, length);
    load_tile(STEP(qkv, 0, i, h, q0, steps), ROW, valid, SCALE, q);
    clear_tile(acc);
    for EACH(r, TB) {
        most[r] = -INFINITY;
        sum[r] = 0.0f;
    }
    for (int k0 = 0; k0 < (valid ? last : 0); k0 += TB) {
        const int count = min(TB, last - k0);
        barrier(CLK_LOCAL_MEM_FENCE);
        load_tile(STEP(qkv, 1, i, h, k0, steps), ROW, count, 1.0f, k);
        load_tile(STEP(qkv, 2, i, h, k0, steps), ROW, count, 1.0f, v);
        barrier(CLK_LOCAL_MEM_FENCE);
        for EACH(e, TB * TB)
            s[e / TB][e % TB] = SEES(q0 + e / TB, k0 + e % TB, length)
                                    ? product_of(q[e / TB], k[e % TB])
                                    : -INFINITY;
        barrier(CLK_LOCAL_MEM_FENCE);
        for EACH(r, TB) {
            float top = most[r], total = 0.0f;
            for (int c = 0; c < TB; c++)
                top = fmax(top, s[r][c]);
            for (int c = 0; c < TB; c++) {
                s[r][c] = exp(s[r][c] - top);
                total += s[r][c];
            }
            down[r] = exp(most[r] - top);
            sum[r] = sum[r] * down[r] + total;
            most[r] = top;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for EACH(e, TB * D) {
            float a = acc[e / D][e % D] * down[e / D];
            for (int c = 0; c < TB; c++)
                a += s[e / D][c] * v[c][e % D];
            acc[e / D][e % D] = a;
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for EACH(e, rows * D)
        OUT_STEP(y, i, h, q0 + e / D, steps)[e % D] =
            e / D < valid ? acc[e / D][e % D] / sum[e / D] : 0.0f;
    for EACH(r, keep ? rows : 0)
        saved[(size_t)get_group_id(1) * steps + q0 + r] =
            r < valid ? most[r] + log(sum[r]) : 0.0f;
}

/* A tile of queries with their gradients and norms, and delta, the sum of y dy over the head. */
INLINE void load_queries(const global float *qkv, const global float *y, const global float *saved,
                         const global float *dy, const int i, const int h, const int q0,
                         const int valid, const int steps, const int heads, local float (*q)[PAD_D],
                         local float (*d)[PAD_D], local float *norm, local float *delta) {
    load_tile(STEP(qkv, 0, i, h, q0, steps), ROW, valid, SCALE, q);
    load_tile(OUT_STEP(dy, i, h, q0, steps), C, valid, 1.0f, d);
    barrier(CLK_LOCAL_MEM_FENCE);
    for EACH(r, TB) {
        float sum = 0.0f;
        for (int e = 0; r < valid && e < D; e++)
            sum += OUT_STEP(y, i, h, q0 + r, steps)[e] * d[r][e];
        delta[r] = sum;
        norm[r] = r < valid ? saved[((size_t)i * heads + h) * steps + q0 + r] : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

/* p = exp(S - norm), ds = p (dP - delta). */
INLINE void score_gradients(local float (*q)[PAD_D], local float (*d)[PAD_D],
                            const local float *norm, const local float *delta,
                            local float (*k)[PAD_D], local float (*v)[PAD_D], const int q0,
                            const int k0, const int valid, const int length, const int causal,
                            local float (*p)[TB + 1], local float (*ds)[TB + 1]) {
    for EACH(e, TB * TB) {
        const int r = e / TB, c = e % TB;
        const bool sees = r < valid && SEES(q0 + r, k0 + c, length);
        const float w = sees ? exp(product_of(q[r], k[c]) - norm[r]) : 0.0f;
        p[r][c] = w;
        ds[r][c] = w * (product_of(d[r], v[c]) - delta[r]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

INLINE void store_tile(local float (*rows)[PAD_D], const int valid, const int count,
                       const float factor, const int accumulate, const int step,
                       global float *to) {
    for EACH(e, count * D) {
        const float g = e / D < valid ? rows[e / D][e % D] * factor : 0.0f;
        global float *at = to + (size_t)(e / D) * step + e % D;
        *at = accumulate ? g + *at : g;
    }
}

/* dq = dS k / sqrt(D). Groups: (blocks of TB queries, n heads). Or += with `accumulate`. */
GROUP_KERNEL void attention_backward_queries(const global float *restrict qkv,   // (n,T,3 C)
                                             const global int *restrict lengths, // (n)
                                             const global float *restrict y,     // (n,T,C)
                                             const global float *restrict saved, // (n,heads,T)
                                             const global float *restrict dy,    // (n,T,C)
                                             global float *restrict dqkv,        // (n,T,3 C)
                                             const int steps, const int heads, const int causal,
                                             const int front, const int has_lengths,
                                             const int accumulate) {
    local float q[TB][PAD_D], d[TB][PAD_D], k[TB][PAD_D], v[TB][PAD_D], dq[TB][PAD_D];
    local float p[TB][TB + 1], ds[TB][TB + 1], norm[TB], delta[TB];
    const int i = (int)get_group_id(1) / heads, h = (int)get_group_id(1) % heads;
    const int q0 = (int)get_group_id(0) * TB, rows = min(TB, steps - q0);
    const int length = LENGTH(lengths, i, steps, has_lengths);
    const int valid = clamp(length - q0, 0, rows), last = LAST_KEY(q0, valid, length);
    load_queries(qkv, y, saved, dy, i, h, q0, valid, steps, heads, q, d, norm, delta);
    clear_tile(dq);
    for (int k0 = 0; k0 < (valid ? last : 0); k0 += TB) {
        const int count = min(TB, last - k0);
        barrier(CLK_LOCAL_MEM_FENCE);
        load_tile(STEP(qkv, 1, i, h, k0, steps), ROW, count, 1.0f, k);
        load_tile(STEP(qkv, 2, i, h, k0, steps), ROW, count, 1.0f, v);
        barrier(CLK_LOCAL_MEM_FENCE);
        score_gradients(q, d, norm, delta, k, v, q0, k0, valid, length, causal, p, ds);
        for EACH(e, TB * D) {
            float a = dq[e / D][e % D];
            for (int c = 0; c < TB; c++)
                a += ds[e / D][c] * k[c][e % D];
            dq[e / D][e % D] = a;
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    store_tile(dq, valid, rows, SCALE, accumulate, ROW, STEP(dqkv, 0, i, h, q0, steps));
}

/* dv = P^T dy; dk = dS^T q / sqrt(D). Groups: (blocks of TB keys, n heads). Or += with `accumulate`. */
GROUP_KERNEL void attention_backward_keys(const global float *restrict qkv,   // (n,T,3 C)
                                          const global int *restrict lengths, // (n)
                                          const global float *restrict y,     // (n,T,C)
                                          const global float *restrict saved, // (n,heads,T)
                                          const global float *restrict dy,    // (n,T,C)
                                          global float *restrict dqkv,        // (n,T,3 C)
                                          const int steps, const int heads, const int causal,
                                          const int front, const int has_lengths,
                                          const int accumulate) {
    local float q[TB][PAD_D], d[TB][PAD_D], k[TB][PAD_D], v[TB][PAD_D];
    local float dk[TB][PAD_D], dv[TB][PAD_D], p[TB][TB + 1], ds[TB][TB + 1], norm[TB], delta[TB];
    const int i = (int)get_group_id(1) / heads, h = (int)get_group_id(1) % heads;
    const int k0 = (int)get_group_id(0) * TB, rows = min(TB, steps - k0);
    const int length = LENGTH(lengths, i, steps, has_lengths);
    const int keys = clamp(length - k0, 0, rows);
    load_tile(STEP(qkv, 1, i, h, k0, steps), ROW, keys, 1.0f, k);
    load_tile(STEP(qkv, 2, i, h, k0, steps), ROW, keys, 1.0f, v);
    clear_tile(dk);
    clear_tile(dv);
    for (int q0 = causal ? k0 : 0; q0 < (keys ? length : 0); q0 += TB) {
        const int valid = min(TB, length - q0);
        barrier(CLK_LOCAL_MEM_FENCE);
        load_queries(qkv, y, saved, dy, i, h, q0, valid, steps, heads, q, d, norm, delta);
        score_gradients(q, d, norm, delta, k, v, q0, k0, valid, length, causal, p, ds);
        for EACH(e, TB * D) {
            float a = dk[e / D][e % D], b = dv[e / D][e % D];
            for (int r = 0; r < TB; r++) {
                a += ds[r][e / D] * q[r][e % D];
                b += p[r][e / D] * d[r][e % D];
            }
            dk[e / D][e % D] = a;
            dv[e / D][e % D] = b;
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    store_tile(dk, keys, rows, 1.0f, accumulate, ROW, STEP(dqkv, 1, i, h, k0, steps));
    store_tile(dv, keys, rows, 1.0f, accumulate, ROW, STEP(dqkv, 2, i, h, k0, steps));
}
