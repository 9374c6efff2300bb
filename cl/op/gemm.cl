/* C (m,n) = op(A) (m,k) op(B) (k,n), row-major, in tiles of MR rows and NV vectors that stay in registers. For CPU
 * devices: GPUs multiply by CLBlast, so one item a group will do.
 *
 * B is packed into panels of NR columns, filled up with zeros, so that only stores have edges. An A that is not
 * transposed is copied by gemm_rows, block by block, into memory of its own, which stays in a core's cache: its rows
 * need no turning, as a tile takes one number of each at a time. A transposed one is packed into panels of MR rows
 * for gemm_panels. */
#include "op/registers.h"

#ifndef MC
#define MC 192 /* rows of a block of A, a multiple of MR */
#endif
#ifndef KC
#define KC 256 /* its columns */
#endif
#define LINE 16          /* floats of a cache line */
#define SIDE (KC + LINE) /* of a row of the block: neighbours in different cache sets */

/* panels (ceil(columns/PANEL),k,PANEL) from x (k,columns), whose rows lie `stride` apart. A group takes some of x's rows, whole: going down a panel,
 * every step would be in another page. */
#define PACK_ROWS 8
#define PACK(name, PANEL)                                                                          \
    TILE_KERNEL void name(const global float *restrict x, global float *restrict panels,           \
                          const int offset, const int columns, const int k, const int stride,      \
                          const int to_offset) {                                                   \
        const int t0 = (int)get_group_id(0) * PACK_ROWS, t1 = min(t0 + PACK_ROWS, k);              \
        for (int j = 0; j < columns; j += PANEL) {                                                 \
            global float *to = panels + to_offset + (size_t)j * k + t0 * PANEL;                    \
            const global float *from = x + offset + (size_t)t0 * stride + j;                       \
            const int count = columns - j;                                                         \
            for (int t = t0; t < t1; t++, to += PANEL, from += stride)                             \
                if (count >= PANEL)                                                                \
                    UNROLL(PANEL)                                                                  \
                    for (int i = 0; i < PANEL; i++)                                                \
                        to[i] = from[i];                                                           \
                else                                                                               \
                    for (int i = 0; i < PANEL; i++)                                                \
                        to[i] = i < count ? from[i] : 0.0f;                                        \
        }                                                                                          \
    }

PACK(gemm_pack_a, MR)
PACK(gemm_pack_b, NR)

/* Likewise from x (columns,k): `stride` is that of its columns. Its lines are read whole. A group packs one panel. */
TILE_KERNEL void gemm_pack_turned(const global float *restrict x, global float *restrict panels, const int offset,
                                  const int columns, const int k, const int stride, const int to_offset) {
    const int j = (int)get_group_id(0) * NR, count = min(NR, columns - j);
    global float *to = panels + to_offset + (size_t)j * k;
    const global float *from = x + offset + (size_t)j * stride;
    int t = 0;
    if (count == NR)
        for (; t + LINE <= k; t += LINE, to += LINE * NR, from += LINE)
            for (int i = 0; i < NR; i++)
                UNROLL(LINE)
                for (int l = 0; l < LINE; l++)
                    to[l * NR + i] = from[(size_t)i * stride + l];
    for (; t < k; t++, to += NR, from++)
        for (int i = 0; i < NR; i++)
            to[i] = i < count ? from[(size_t)i * stride] : 0.0f;
}

MULTIPLY_ADD(multiply_rows, private, SIDE, 1)
MULTIPLY_ADD(multiply_panel, global, 1, MR)

/* What is added to a tile when it is stored: bias (n) and residual (m,n), from the tile's first column and element on,
 * where they are wanted, and below which it is cut off. */
typedef struct tail {
    const global float *bias, *residual;
    int has_bias, has_residual;
    float floor_value;
} tail;

/* The tile goes to `c`, of rows of n, as far as it lies in the matrix; += with `add`. */
INLINE void store_tile(vec acc[MR][NV], global float *c, const int rows, const int columns, const int n,
                       const int add, const tail *end) {
    if (rows >= MR && columns >= NR) {
        UNROLL(MR)
        for (int i = 0; i < MR; i++)
            UNROLL(NV)
            for (int j = 0; j < NV; j++) {
                vec v = acc[i][j];
                if (add)
                    v += VLOAD(j, c + (size_t)i * n);
                if (end->has_bias)
                    v += VLOAD(j, end->bias);
                if (end->has_residual)
                    v += VLOAD(j, end->residual + (size_t)i * n);
                VSTORE(v < end->floor_value ? (vec)(end->floor_value) : v, j, c + (size_t)i * n);
            }
        return;
    }
    float all[MR][NR];
    UNROLL(MR)
    for (int i = 0; i < MR; i++)
        UNROLL(NV)
        for (int j = 0; j < NV; j++)
            VSTORE(acc[i][j], j, all[i]);
    for (int i = 0; i < min(MR, rows); i++)
        for (int j = 0; j < min(NR, columns); j++) {
            const size_t at = (size_t)i * n + j;
            float v = add ? all[i][j] + c[at] : all[i][j];
            if (end->has_bias)
                v += end->bias[j];
            if (end->has_residual)
                v += end->residual[at];
            c[at] = v < end->floor_value ? end->floor_value : v;
        }
}

/* to (rows,SIDE) = `kn` columns of A's rows, zeros in rows that don't exist. */
INLINE void copy_block(float *to, const global float *a, const int rows, const int k, const int kn) {
    for (int i = 0; i < CHUNK(rows, MR) * MR; i++, to += SIDE, a += k) {
        int t = 0;
        if (i < rows)
            for (; t + VW <= kn; t += VW)
                VSTORE(VLOAD(0, a + t), 0, to + t);
        for (; t < kn; t++)
            to[t] = i < rows ? a[t] : 0.0f;
    }
}

/* Groups: (chunks of `columns`, chunks of `rows`), which are multiples of NR and MR; rows are at most MC. */
TILE_KERNEL void gemm_rows(const global float *restrict a,        // (m,k)
                           const global float *restrict b,        // (ceil(n/NR),k,NR)
                           global float *restrict c,              // (m,n)
                           const global float *restrict bias,     // (n)
                           const global float *restrict residual, // (m,n)
                           const int a_offset, const int c_offset, const int m, const int n, const int k,
                           const int rows, const int columns, const int accumulate, const int has_bias,
                           const int has_residual, const float floor_value) {
    const int m0 = (int)get_group_id(1) * rows, m1 = min(m0 + rows, m);
    const int n0 = (int)get_group_id(0) * columns, n1 = min(n0 + columns, n);
    float block[MC * SIDE] __attribute__((aligned(64)));
    a += a_offset + (size_t)m0 * k;
    c += c_offset;
    for (int k0 = 0; k0 < k; k0 += KC) {
        const int kn = min(KC, k - k0), last = k0 + KC >= k, add = accumulate || k0 > 0;
        copy_block(block, a + k0, m1 - m0, k, kn);
        for (int j = n0; j < n1; j += NR) {
            const global float *restrict y = b + (size_t)j * k + (size_t)k0 * NR;
            for (int i = m0; i < m1; i += MR) {
                const size_t at = (size_t)i * n + j;
                const tail end = {bias + j, residual + at, last && has_bias, last && has_residual,
                                  last ? floor_value : -INFINITY};
                vec acc[MR][NV];
                clear_tile(acc);
                multiply_rows(acc, block + (i - m0) * SIDE, y, kn);
                store_tile(acc, c + at, m - i, n - j, n, add, &end);
            }
        }
    }
}

/* Groups: (panels of B, chunks of panels of A). */
TILE_KERNEL void gemm_panels(const global float *restrict a, // (ceil(m/MR),k,MR), then at b_offset
                             global float *restrict c,       // (ceil(n/NR),k,NR); c is (m,n)
                             const int b_offset, const int offset, const int m, const int n, const int k,
                             const int accumulate) {
    const int j = (int)get_group_id(0) * NR, panels = CHUNK(m, MR);
    const int per = CHUNK(panels, (int)get_num_groups(1)), first = (int)get_group_id(1) * per;
    const global float *restrict y = a + b_offset + (size_t)j * k;
    const tail none = {c, c, 0, 0, -INFINITY};
    for (int p = first; p < min(first + per, panels); p++) {
        vec acc[MR][NV];
        clear_tile(acc);
        multiply_panel(acc, a + (size_t)p * k * MR, y, k);
        store_tile(acc, c + offset + (size_t)p * MR * n + j, m - p * MR, n - j, n, accumulate, &none);
    }
}
