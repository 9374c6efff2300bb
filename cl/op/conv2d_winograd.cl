/* 3x3 convolution with stride 1 and padding 1 by Winograd's F(4x4,3x3) (Lavin and Gray, arXiv 1509.09308):
 * Y = A^T [ (G w G^T) . (B^T x B) ] A on tiles of 4x4 outputs, with a quarter of the multiplications. One
 * work-item takes T tiles: it transforms them into private memory, multiplies 36 small matrices, and transforms
 * back. Tiles may hang over the image's edge. */
#include "common.h"

#ifndef H
#define H 8
#define W 8
#define C 16 /* channels read */
#define K 16 /* channels written */
#define NV 1 /* vectors of VW written channels a register tile */
#define T 12 /* tiles an item; a multiple of TB */
#define TB 6 /* tiles a register tile */
#define CT 4 /* channels a register tile of the backward pass over weights; divides C */
#define KG 1 /* the backward pass over weights splits K into so many parts */
#endif
#define NR (NV * VW)
#define TY ((H + 3) / 4)
#define TX ((W + 3) / 4)
#define KP (K / KG)
/* Planes are a vector apart from a power of two, so that they don't share cache sets. */
#define V_PLANE (T * C / VW + 1)
#define M_PLANE (T * NV + 1)
#define Y_PLANE (T * KP / VW + 1)

/* o = B^T d for a column d0..d5. */
#define INPUT_TRANSFORM(o, d0, d1, d2, d3, d4, d5)                                                 \
    {                                                                                              \
        const vec p_ = d4 - 4.0f * d2, q_ = d3 - 4.0f * d1, r_ = d4 - d2, s_ = 2.0f * (d3 - d1);   \
        o[0] = 4.0f * d0 - 5.0f * d2 + d4;                                                         \
        o[1] = p_ + q_;                                                                            \
        o[2] = p_ - q_;                                                                            \
        o[3] = r_ + s_;                                                                            \
        o[4] = r_ - s_;                                                                            \
        o[5] = 4.0f * d1 - 5.0f * d3 + d5;                                                         \
    }
/* o = A^T m for a column m0..m5. */
#define OUTPUT_TRANSFORM(o, m0, m1, m2, m3, m4, m5)                                                \
    {                                                                                              \
        const vec p_ = m1 + m2, q_ = m1 - m2, r_ = m3 + m4, s_ = m3 - m4;                          \
        o[0] = m0 + p_ + r_;                                                                       \
        o[1] = q_ + 2.0f * s_;                                                                     \
        o[2] = p_ + 4.0f * r_;                                                                     \
        o[3] = q_ + 8.0f * s_ + m5;                                                                \
    }
/* o = A d for a column d0..d3: the adjoint of OUTPUT_TRANSFORM. */
#define OUTPUT_ADJOINT(o, d0, d1, d2, d3)                                                          \
    {                                                                                              \
        const vec p_ = d0 + d2, q_ = d1 + d3, r_ = d0 + 4.0f * d2, s_ = 2.0f * d1 + 8.0f * d3;     \
        o[0] = d0;                                                                                 \
        o[1] = p_ + q_;                                                                            \
        o[2] = p_ - q_;                                                                            \
        o[3] = r_ + s_;                                                                            \
        o[4] = r_ - s_;                                                                            \
        o[5] = d3;                                                                                 \
    }
/* o = G w for a column w0..w2. */
#define FILTER_TRANSFORM(o, w0, w1, w2)                                                            \
    {                                                                                              \
        const vec p_ = (w0 + w2) * (-1.0f / 6), q_ = w1 * (1.0f / 6);                              \
        const vec r_ = w0 * (1.0f / 24) + w2 * (1.0f / 6), s_ = w1 * (1.0f / 12);                  \
        o[0] = w0 * 0.25f;                                                                         \
        o[1] = p_ - q_;                                                                            \
        o[2] = p_ + q_;                                                                            \
        o[3] = r_ + s_;                                                                            \
        o[4] = r_ - s_;                                                                            \
        o[5] = w2;                                                                                 \
    }
/* o = G^T s for a column s0..s5: the adjoint of FILTER_TRANSFORM. */
#define FILTER_ADJOINT(o, s0, s1, s2, s3, s4, s5)                                                  \
    {                                                                                              \
        const vec p_ = s1 + s2, q_ = s2 - s1, r_ = s3 + s4, u_ = s3 - s4;                          \
        o[0] = 0.25f * s0 - p_ * (1.0f / 6) + r_ * (1.0f / 24);                                    \
        o[1] = q_ * (1.0f / 6) + u_ * (1.0f / 12);                                                 \
        o[2] = (r_ - p_) * (1.0f / 6) + s5;                                                        \
    }

/* u (K/NR,36,C,NR) from nine vectors of one c. */
void store_filter(global float *restrict u, const vec *w, const int k, const int c) {
    vec t[3][6];
    for (int x = 0; x < 3; x++)
        FILTER_TRANSFORM(t[x], w[x], w[3 + x], w[6 + x]);
    for (int y = 0; y < 6; y++) {
        vec o[6];
        FILTER_TRANSFORM(o, t[0][y], t[1][y], t[2][y]);
        for (int x = 0; x < 6; x++)
            VSTORE(o[x], k % NV, u + (((size_t)(k / NV) * 36 + y * 6 + x) * C + c) * NR);
    }
}

/* Filters of the forward pass, w (3,3,C,K). Groups: vectors of K. */
TILE_KERNEL void winograd_filter(const global float *restrict w, global float *restrict u) {
    const int k = get_group_id(0);
    for (int c = 0; c < C; c++) {
        vec taps[9];
        for (int i = 0; i < 9; i++)
            taps[i] = VLOAD(k, w + ((size_t)i * C + c) * K);
        store_filter(u, taps, k, c);
    }
}

/* Filters of the backward pass over data: w is (3,3,K,C) in this kernel's terms, turned round. */
TILE_KERNEL void winograd_filter_turned(const global float *restrict w, global float *restrict u) {
    const int k = get_group_id(0);
    for (int c = 0; c < C; c++) {
        vec taps[9];
        for (int i = 0; i < 9; i++) {
            float lane[VW];
            for (int l = 0; l < VW; l++)
                lane[l] = w[((size_t)(8 - i) * K + k * VW + l) * C + c];
            taps[i] = VLOAD(0, lane);
        }
        store_filter(u, taps, k, c);
    }
}

/* V[.., tile t] = B^T x B of the 6x6 pixels around tile `tile`; zero behind the last tile. */
void transform_input(const global float *restrict x, vec *restrict v, const int t, const int tile,
                     const int tiles) {
    const int y0 = tile / TX % TY * 4 - 1, x0 = tile % TX * 4 - 1;
    const global float *image = x + (size_t)(tile / (TY * TX)) * H * W * C;
    for (int j = 0; j < C / VW; j++) {
        vec rows[6][6];
        for (int column = 0; column < 6; column++) {
            vec d[6];
            for (int r = 0; r < 6; r++) {
                const int yy = y0 + r, xx = x0 + column;
                d[r] = tile < tiles && yy >= 0 && yy < H && xx >= 0 && xx < W
                           ? VLOAD(j, image + (yy * W + xx) * C)
                           : (vec)(0.0f);
            }
            INPUT_TRANSFORM(rows[column], d[0], d[1], d[2], d[3], d[4], d[5]);
        }
        for (int r = 0; r < 6; r++) {
            vec o[6];
            INPUT_TRANSFORM(o, rows[0][r], rows[1][r], rows[2][r], rows[3][r], rows[4][r],
                            rows[5][r]);
            for (int column = 0; column < 6; column++)
                v[(r * 6 + column) * V_PLANE + t * (C / VW) + j] = o[column];
        }
    }
}

/* Writes, or adds, the 4x4 pixels of a tile and NV vectors of channels from m (36,M_PLANE). */
void transform_output(const vec *restrict m, global float *restrict y, const int t, const int tile,
                      const int kb, const int accumulate) {
    const int y0 = tile / TX % TY * 4, x0 = tile % TX * 4;
    global float *image = y + (size_t)(tile / (TY * TX)) * H * W * K;
    for (int j = 0; j < NV; j++) {
        vec rows[6][4];
        const vec *from = m + t * NV + j;
        for (int c = 0; c < 6; c++)
            OUTPUT_TRANSFORM(rows[c], from[c * M_PLANE], from[(6 + c) * M_PLANE],
                             from[(12 + c) * M_PLANE], from[(18 + c) * M_PLANE],
                             from[(24 + c) * M_PLANE], from[(30 + c) * M_PLANE]);
        for (int r = 0; r < min(4, H - y0); r++) {
            vec o[4];
            OUTPUT_TRANSFORM(o, rows[0][r], rows[1][r], rows[2][r], rows[3][r], rows[4][r],
                             rows[5][r]);
            for (int c = 0; c < min(4, W - x0); c++) {
                global float *to = image + ((y0 + r) * W + x0 + c) * K + kb * NR;
                VSTORE(accumulate ? o[c] + VLOAD(j, to) : o[c], j, to);
            }
        }
    }
}

/* y = x * w, or y += with `accumulate`. Groups: T tiles each. */
TILE_KERNEL void winograd_forward(const global float *restrict x, // (n,H,W,C)
                                  const global float *restrict u, // (K/NR,36,C,NR)
                                  global float *restrict y,       // (n,H,W,K)
                                  const int n, const int accumulate) {
    vec v[36 * V_PLANE], m[36 * M_PLANE];
    const int tiles = n * TY * TX, first = get_group_id(0) * T;
    for (int t = 0; t < T; t++)
        transform_input(x, v, t, first + t, tiles);
    for (int kb = 0; kb < K / NR; kb++) {
        for (int xi = 0; xi < 36; xi++)
            for (int t = 0; t < T; t += TB) {
                const float *a = (const float *)(v + xi * V_PLANE) + t * C;
                const global float *b = u + ((size_t)kb * 36 + xi) * C * NR;
                vec acc[TB][NV];
                UNROLL(TB)
                for (int i = 0; i < TB; i++)
                    for (int j = 0; j < NV; j++)
                        acc[i][j] = (vec)(0.0f);
                for (int c = 0; c < C; c++, b += NR) {
                    vec filter[NV];
                    for (int j = 0; j < NV; j++)
                        filter[j] = VLOAD(j, b);
                    UNROLL(TB)
                    for (int i = 0; i < TB; i++)
                        for (int j = 0; j < NV; j++)
                            acc[i][j] += a[i * C + c] * filter[j];
                }
                UNROLL(TB)
                for (int i = 0; i < TB; i++)
                    for (int j = 0; j < NV; j++)
                        m[xi * M_PLANE + (t + i) * NV + j] = acc[i][j];
            }
        for (int t = 0; t < min(T, tiles - first); t++)
            transform_output(m, y, t, first + t, kb, accumulate);
    }
}

/* Y[.., tile t] = A dy A^T of KP channels from channel k0 on. */
void transform_gradient(const global float *restrict dy, vec *restrict out, const int t,
                        const int tile, const int tiles, const int k0) {
    const int y0 = tile / TX % TY * 4, x0 = tile % TX * 4;
    const global float *image = dy + (size_t)(tile / (TY * TX)) * H * W * K + k0;
    for (int j = 0; j < KP / VW; j++) {
        vec rows[4][6];
        for (int c = 0; c < 4; c++) {
            vec d[4];
            for (int r = 0; r < 4; r++)
                d[r] = tile < tiles && y0 + r < H && x0 + c < W
                           ? VLOAD(j, image + ((y0 + r) * W + x0 + c) * K)
                           : (vec)(0.0f);
            OUTPUT_ADJOINT(rows[c], d[0], d[1], d[2], d[3]);
        }
        for (int r = 0; r < 6; r++) {
            vec o[6];
            OUTPUT_ADJOINT(o, rows[0][r], rows[1][r], rows[2][r], rows[3][r]);
            for (int c = 0; c < 6; c++)
                out[(r * 6 + c) * Y_PLANE + t * (KP / VW) + j] = o[c];
        }
    }
}

/* s (groups,K/NR,36,C,NR): sums over `per` tiles of the 36 products V^T Y. Groups: (groups,KG). */
TILE_KERNEL void winograd_backward_weights(const global float *restrict x,  // (n,H,W,C)
                                           const global float *restrict dy, // (n,H,W,K)
                                           global float *restrict s, const int n, const int per) {
    vec v[36 * V_PLANE], d[36 * Y_PLANE];
    const int g = get_group_id(0), kg = get_group_id(1), tiles = n * TY * TX;
    const int first = g * per, last = min(tiles, first + per);
    global float *sums = s + ((size_t)g * K + kg * KP) * 36 * C;
    for (int i = 0; i < 36 * C * KP / VW; i++)
        VSTORE((vec)(0.0f), i, sums);
    for (int t0 = first; t0 < last; t0 += T) {
        for (int t = 0; t < T; t++) {
            transform_input(x, v, t, t0 + t, last);
            transform_gradient(dy, d, t, t0 + t, last, kg * KP);
        }
        for (int xi = 0; xi < 36; xi++)
            for (int kb = 0; kb < KP / NR; kb++)
                for (int c = 0; c < C; c += CT) {
                    const float *a = (const float *)(v + xi * V_PLANE) + c;
                    const vec *b = d + xi * Y_PLANE + kb * NV;
                    global float *to = sums + (((size_t)kb * 36 + xi) * C + c) * NR;
                    vec acc[CT][NV];
                    UNROLL(CT)
                    for (int i = 0; i < CT; i++)
                        for (int j = 0; j < NV; j++)
                            acc[i][j] = VLOAD(i * NV + j, to);
                    for (int t = 0; t < T; t++, a += C, b += KP / VW)
                        UNROLL(CT)
                        for (int i = 0; i < CT; i++)
                            for (int j = 0; j < NV; j++)
                                acc[i][j] += a[i] * b[j];
                    UNROLL(CT)
                    for (int i = 0; i < CT; i++)
                        for (int j = 0; j < NV; j++)
                            VSTORE(acc[i][j], i * NV + j, to);
                }
    }
}

/* dw (3,3,C,K) = G^T (sum of the groups, in order) G. Groups: (vectors of K, chunks of C). */
TILE_KERNEL void winograd_reduce(const global float *restrict s, global float *restrict dw,
                                 const int groups) {
    const int k = get_group_id(0), per = CHUNK(C, (int)get_num_groups(1));
    const int first = (int)get_group_id(1) * per;
    for (int c = first; c < min(first + per, C); c++) {
        vec sum[36], t[6][3];
        for (int xi = 0; xi < 36; xi++) {
            sum[xi] = (vec)(0.0f);
            for (int g = 0; g < groups; g++)
                sum[xi] += VLOAD(k % NV, s + (size_t)g * 36 * C * K +
                                             (((size_t)(k / NV) * 36 + xi) * C + c) * NR);
        }
        for (int x = 0; x < 6; x++)
            FILTER_ADJOINT(t[x], sum[x], sum[6 + x], sum[12 + x], sum[18 + x], sum[24 + x],
                           sum[30 + x]);
        for (int y = 0; y < 3; y++) {
            vec o[3];
            FILTER_ADJOINT(o, t[0][y], t[1][y], t[2][y], t[3][y], t[4][y], t[5][y]);
            for (int x = 0; x < 3; x++)
                VSTORE(o[x], k, dw + ((size_t)(y * 3 + x) * C + c) * K);
        }
    }
}
