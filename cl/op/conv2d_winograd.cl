/* 3x3 convolution with padding 1 by Winograd's algorithm (winograd.h): with stride 1 a quarter of the multiplications,
 * with stride 2 a little more than half. One work-item takes T tiles of 4x4 outputs: it transforms them into private
 * memory, multiplies LINE x LINE small matrices, and transforms back. Tiles may hang over the image's edge, and the
 * last vector of channels over theirs. */
#include "common.h"

#ifndef H
#define H 8
#define W 8
#define C 16 /* channels read */
#define K 16 /* channels written */
#define NV 1 /* vectors of VW written channels a register tile */
#define T 12 /* tiles an item; a multiple of TB */
#define TB 6 /* tiles a register tile */
#define CT 4 /* channels a register tile of the backward pass over weights; divides CP */
#define KG 1 /* the backward pass over weights splits the vectors of K into so many parts */
#endif
#include "op/winograd.h"
#define NR (NV * VW)
#include "op/winograd_filter.h"

#define POINTS (LINE * LINE)
#define CP (VECTORS(C) * VW)
#define BLOCKS (VECTORS(K) / NV) /* of NR filters */
#define KP (VECTORS(K) * VW / KG)
/* Planes are a vector apart from a power of two, so that they don't share cache sets. */
#define V_PLANE (T * CP / VW + 1)
#define M_PLANE (T * NV + 1)
#define Y_PLANE (T * KP / VW + 1)

/* v (POINTS,V_PLANE): vectors of tile t. */
void transform_input(const global float *restrict x, vec *restrict v, const int t, const int tile,
                     const int tiles) {
    for (int j = 0; j < CP / VW; j++) {
        vec o[POINTS];
        winograd_input(x, o, j, tile, tiles);
        UNROLL_LINES(POINTS)
        for (int xi = 0; xi < POINTS; xi++)
            v[xi * V_PLANE + t * (CP / VW) + j] = o[xi];
    }
}

/* y = x * w, or y += with `accumulate`. Groups: T tiles each. */
TILE_KERNEL void winograd_forward(const global float *restrict x, // (n,READ_H,READ_W,C)
                                  const global float *restrict u, // (BLOCKS,36,C,NR)
                                  global float *restrict y,       // (n,WRITE_H,WRITE_W,K)
                                  const int n, const int accumulate) {
    vec v[POINTS * V_PLANE], m[POINTS * M_PLANE];
    const int tiles = n * TY * TX, first = (int)get_group_id(0) * T;
    for (int t = 0; t < T; t++)
        transform_input(x, v, t, first + t, tiles);
    for (int kb = 0; kb < BLOCKS; kb++) {
        for (int xi = 0; xi < POINTS; xi++)
            for (int t = 0; t < T; t += TB) {
                const float *a = (const float *)(v + xi * V_PLANE) + t * CP;
                const global float *b = u + ((size_t)kb * 36 + FILTER_OF(xi)) * C * NR;
                vec acc[TB][NV];
                UNROLL(TB)
                for (int i = 0; i < TB; i++)
                    UNROLL(NV)
                    for (int j = 0; j < NV; j++)
                        acc[i][j] = (vec)(0.0f);
                for (int c = 0; c < C; c++, b += NR) {
                    vec filter[NV];
                    UNROLL(NV)
                    for (int j = 0; j < NV; j++)
                        filter[j] = VLOAD(j, b);
                    UNROLL(TB)
                    for (int i = 0; i < TB; i++)
                        UNROLL(NV)
                        for (int j = 0; j < NV; j++)
                            acc[i][j] += a[i * CP + c] * filter[j];
                }
                UNROLL(TB)
                for (int i = 0; i < TB; i++)
                    UNROLL(NV)
                    for (int j = 0; j < NV; j++)
                        m[xi * M_PLANE + (t + i) * NV + j] = acc[i][j];
            }
        for (int t = 0; t < min(T, tiles - first); t++)
            UNROLL(NV)
            for (int j = 0; j < NV; j++)
                winograd_output(m + t * NV + j, M_PLANE, y, kb * NV + j, first + t, accumulate);
    }
}

/* out (POINTS,Y_PLANE): vectors of tile t, of KP channels from k0 on. */
void transform_gradient(const global float *restrict dy, vec *restrict out, const int t,
                        const int tile, const int tiles, const int k0) {
    for (int j = 0; j < KP / VW; j++) {
        vec o[POINTS];
        winograd_gradient(dy, o, k0 / VW + j, tile, tiles);
        UNROLL_LINES(POINTS)
        for (int xi = 0; xi < POINTS; xi++)
            out[xi * Y_PLANE + t * (KP / VW) + j] = o[xi];
    }
}

/* s (groups,BLOCKS,36,CP,NR): sums over `per` tiles of the products V^T Y. Groups: (groups,KG). */
TILE_KERNEL void winograd_backward_weights(const global float *restrict x,  // (n,H,W,C)
                                           const global float *restrict dy, // (n,OH,OW,K)
                                           global float *restrict s, const int n, const int per) {
    vec v[POINTS * V_PLANE], d[POINTS * Y_PLANE];
    const int g = (int)get_group_id(0), kg = (int)get_group_id(1), tiles = n * TY * TX;
    const int first = g * per, last = min(tiles, first + per);
    global float *sums = s + ((size_t)g * BLOCKS * NR + kg * KP) * 36 * CP;
    for (int i = 0; i < 36 * CP * KP / VW; i++)
        VSTORE((vec)(0.0f), i, sums);
    for (int t0 = first; t0 < last; t0 += T) {
        for (int t = 0; t < T; t++) {
            transform_input(x, v, t, t0 + t, last);
            transform_gradient(dy, d, t, t0 + t, last, kg * KP);
        }
        for (int xi = 0; xi < POINTS; xi++)
            for (int kb = 0; kb < KP / NR; kb++)
                for (int c = 0; c < CP; c += CT) {
                    const float *a = (const float *)(v + xi * V_PLANE) + c;
                    const vec *b = d + xi * Y_PLANE + kb * NV;
                    global float *to = sums + (((size_t)kb * 36 + FILTER_OF(xi)) * CP + c) * NR;
                    vec acc[CT][NV];
                    UNROLL(CT)
                    for (int i = 0; i < CT; i++)
                        UNROLL(NV)
                        for (int j = 0; j < NV; j++)
                            acc[i][j] = VLOAD(i * NV + j, to);
                    for (int t = 0; t < T; t++, a += CP, b += KP / VW)
                        UNROLL(CT)
                        for (int i = 0; i < CT; i++)
                            UNROLL(NV)
                            for (int j = 0; j < NV; j++)
                                acc[i][j] += a[i] * b[j];
                    UNROLL(CT)
                    for (int i = 0; i < CT; i++)
                        UNROLL(NV)
                        for (int j = 0; j < NV; j++)
                            VSTORE(acc[i][j], i * NV + j, to);
                }
    }
}

/* dw (3,3,C,K) = G^T (sum of the groups, in order) G. Groups: (vectors of K, chunks of C). */
TILE_KERNEL void winograd_reduce(const global float *restrict s, global float *restrict dw,
                                 const int groups) {
    const int k = (int)get_group_id(0), per = CHUNK(C, (int)get_num_groups(1));
    const int first = (int)get_group_id(1) * per;
    for (int c = first; c < min(first + per, C); c++) {
        vec sum[36];
        for (int xi = 0; xi < 36; xi++) {
            sum[xi] = (vec)(0.0f);
            for (int g = 0; g < groups; g++)
                sum[xi] += VLOAD(k % NV, s + (size_t)g * 36 * CP * BLOCKS * NR +
                                             (((size_t)(k / NV) * 36 + xi) * CP + c) * NR);
        }
        winograd_filter_gradient(sum, 1, dw, c, k);
    }
}
