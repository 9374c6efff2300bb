/* 3x3 convolution with stride 1 and padding 1 by Winograd's F(4x4,3x3) in stages, for many channels on few pixels:
 * all tiles are transformed once into global memory, and an item multiplies a block of channels with all of a
 * block's tiles, so that the transformed filters are read once. No item keeps more than a block's products. */
#include "common.h"

#ifndef H
#define H 8
#define W 8
#define C 16  /* channels read */
#define K 16  /* channels written */
#define NV 1  /* vectors of VW written channels a register tile */
#define T 12  /* tiles an item of the product, a multiple of TB; tiles at a time of the one for weights */
#define TB 6  /* tiles a register tile */
#define CT 4  /* channels a register tile of the backward pass over weights; divides CB */
#define CP 16 /* channels of a panel of transformed tiles: the width that is read together */
#define C_ROW 16 /* floats from one tile of such a panel to the next */
#define CB 16 /* channels read a block of the backward pass over weights */
#define KB 16 /* channels written a block of the backward pass over weights; a multiple of NV * VW */
/* WEIGHTS chooses the backward pass over weights, else forward and backward over data. */
#endif
#include "op/winograd.h"
#define NR (NV * VW)
#ifndef WEIGHTS
#include "op/winograd_filter.h"
#endif

/* Planes of private memory are a vector apart from a power of two: they don't share cache sets. */
#define M_PLANE (T * NV + 1)
#define S_PLANE (CB * KB / VW + 1)
#define PASSES (CB / CT * (KB / NR)) /* register tiles of a block of weights */

/* v (36,C/CP,padded,C_ROW) = B^T x B of all tiles; `padded` is their number rounded up, the rest is zero. */
TILE_KERNEL void winograd_stage_input(const global float *restrict x, global float *restrict v, const int n,
                                      const int padded) {
    const int per = CHUNK(padded, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int tile = first; tile < min(first + per, padded); tile++)
        for (int j = 0; j < C / VW; j++) {
            const int panel = j * VW / CP;
            vec o[36];
            winograd_input(x, o, j, tile, n * TY * TX);
            UNROLL(36)
            for (int xi = 0; xi < 36; xi++)
                VSTORE(o[xi], j % (CP / VW), v + (((size_t)xi * (C / CP) + panel) * padded + tile) * C_ROW);
        }
}

#ifdef WEIGHTS
/* d (36,K/NR,padded,NR) at `offset` floats = A dy A^T of all tiles. */
TILE_KERNEL void winograd_stage_gradient(const global float *restrict dy, global float *restrict d,
                                         const int n, const int padded, const int offset) {
    const int per = CHUNK(padded, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int tile = first; tile < min(first + per, padded); tile++)
        for (int j = 0; j < K / VW; j++) {
            vec o[36];
            winograd_gradient(dy, o, j, tile, n * TY * TX);
            UNROLL(36)
            for (int xi = 0; xi < 36; xi++)
                VSTORE(o[xi], j % NV,
                       d + offset + (((size_t)xi * (K / NR) + j / NV) * padded + tile) * NR);
        }
}

/* Panels of tiles t0.. of plane xi: of v from channel c on, of d from channel k on. */
#define V_PANEL(xi, c, t0) (((size_t)(xi) * (C / CP) + (c) / CP) * padded + (t0)) * C_ROW
#define D_PANEL(xi, k, t0) (((size_t)(xi) * (K / NR) + (k) / NR) * padded + (t0)) * NR

/* Asks for every PASSES-th line, from number `pass` on, of the T tiles that follow tile t0 of plane xi. */
INLINE void fetch_ahead(const global float *restrict v, const global float *restrict d, const int padded,
                        const int xi, const int t0, const int c0, const int k0, const int pass) {
    for (int l = pass; l < CB / CP * T; l += PASSES)
        PREFETCH(v + V_PANEL(xi, c0 + l / T * CP, t0 + l % T));
    for (int l = pass; l < KB / VW * T; l += PASSES)
        PREFETCH(d + D_PANEL(xi, k0 + l / (T * NV) * NR, t0) + l % (T * NV) * VW);
}

/* dw (splits,3,3,C,K) at dw_offset from v, and from d at d_offset of the same buffer: each split sums a part of
 * the tiles. Groups: (C/CB, K/KB, splits). */
TILE_KERNEL void winograd_stage_weights(const global float *restrict v, global float *restrict dw,
                                        const int padded, const int d_offset, const int dw_offset) {
    vec s[36 * S_PLANE];
    const int c0 = (int)get_group_id(0) * CB, k0 = (int)get_group_id(1) * KB, split = (int)get_group_id(2);
    const int per = CHUNK(padded, (int)get_num_groups(2)), first = split * per;
    const int last = min(first + per, padded);
    const global float *restrict d = v + d_offset;
    for (int i = 0; i < 36 * S_PLANE; i++)
        s[i] = (vec)(0.0f);
    for (int xi = 0; xi < 36; xi++)
        for (int t0 = first; t0 < last; t0 += T)
            for (int pass = 0; pass < PASSES; pass++) {
                const int c = pass / (KB / NR) * CT, k = pass % (KB / NR) * NR;
                const int ends = t0 + T >= last;
                const global float *a = v + V_PANEL(xi, c0 + c, t0) + c % CP;
                const global float *b = d + D_PANEL(xi, k0 + k, t0);
                vec *to = s + xi * S_PLANE + c * (KB / VW) + k / VW;
                vec acc[CT][NV];
                fetch_ahead(v, d, padded, xi + ends, ends ? first : t0 + T, c0, k0, pass);
                UNROLL(CT)
                for (int i = 0; i < CT; i++)
                    UNROLL(NV)
                    for (int j = 0; j < NV; j++)
                        acc[i][j] = to[i * (KB / VW) + j];
                for (int t = 0; t < min(T, last - t0); t++, a += C_ROW, b += NR) {
                    vec gradient[NV];
                    UNROLL(NV)
                    for (int j = 0; j < NV; j++)
                        gradient[j] = VLOAD(j, b);
                    UNROLL(CT)
                    for (int i = 0; i < CT; i++)
                        UNROLL(NV)
                        for (int j = 0; j < NV; j++)
                            acc[i][j] += a[i] * gradient[j];
                }
                UNROLL(CT)
                for (int i = 0; i < CT; i++)
                    UNROLL(NV)
                    for (int j = 0; j < NV; j++)
                        to[i * (KB / VW) + j] = acc[i][j];
            }
    for (int c = 0; c < CB; c++)
        for (int k = 0; k < KB / VW; k++)
            winograd_filter_gradient(s + c * (KB / VW) + k, S_PLANE,
                                     dw + dw_offset + (size_t)split * 9 * C * K, c0 + c, k0 / VW + k);
}

#else
/* y = x * w, or y += with `accumulate`, from v and the filters u (K/NR,36,C,NR) at u_offset of the same buffer.
 * Groups: (blocks of T tiles, blocks of NR channels). */
TILE_KERNEL void winograd_stage_product(const global float *restrict v, global float *restrict y, const int n,
                                        const int padded, const int u_offset, const int accumulate) {
    vec m[36 * M_PLANE];
    const int first = (int)get_group_id(0) * T, kb = (int)get_group_id(1);
    for (int xi = 0; xi < 36; xi++)
        for (int t = 0; t < min(T, padded - first); t += TB) {
            const global float *a = v + ((size_t)xi * padded + first + t) * C_ROW;
            const global float *b = v + u_offset + ((size_t)kb * 36 + xi) * C * NR;
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
                        acc[i][j] += a[i * C_ROW + c] * filter[j];
            }
            UNROLL(TB)
            for (int i = 0; i < TB; i++)
                UNROLL(NV)
                for (int j = 0; j < NV; j++)
                    m[xi * M_PLANE + (t + i) * NV + j] = acc[i][j];
        }
    for (int t = 0; t < min(T, n * TY * TX - first); t++)
        UNROLL(NV)
        for (int j = 0; j < NV; j++)
            winograd_output(m + t * NV + j, M_PLANE, y, kb * NV + j, first + t, accumulate);
}
#endif
