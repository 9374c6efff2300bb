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
#define T 12  /* tiles an item of the product; a multiple of TB */
#define TB 6  /* tiles a register tile */
#define CT 4  /* channels a register tile of the backward pass over weights; divides CB */
#define CB 16 /* channels read a block of the backward pass over weights */
#define KB 16 /* channels written a block; a multiple of NV * VW */
/* WEIGHTS chooses the backward pass over weights, else forward and backward over data. */
#endif
#include "op/winograd.h"

#define NR (NV * VW)
/* Tiles, and planes of private memory, are a vector apart from a power of two: they don't share cache sets. */
#define C_ROW (C + VW)
#define K_ROW (K + VW)
#define M_PLANE (T * NV + 1)
#define S_PLANE (CB * KB / VW + 1)

/* v (36,padded,C_ROW) = B^T x B of all tiles; `padded` is their number rounded up, the rest is zero. */
TILE_KERNEL void winograd_stage_input(const global float *restrict x, global float *restrict v, const int n,
                                      const int padded) {
    const int per = CHUNK(padded, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int tile = first; tile < min(first + per, padded); tile++)
        for (int j = 0; j < C / VW; j++) {
            vec o[36];
            winograd_input(x, o, j, tile, n * TY * TX);
            UNROLL(36)
            for (int xi = 0; xi < 36; xi++)
                VSTORE(o[xi], j, v + ((size_t)xi * padded + tile) * C_ROW);
        }
}

#ifdef WEIGHTS
/* d (36,padded,K_ROW) at `offset` floats = A dy A^T of all tiles. */
TILE_KERNEL void winograd_stage_gradient(const global float *restrict dy, global float *restrict d,
                                         const int n, const int padded, const int offset) {
    const int per = CHUNK(padded, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int tile = first; tile < min(first + per, padded); tile++)
        for (int j = 0; j < K / VW; j++) {
            vec o[36];
            winograd_gradient(dy, o, j, tile, n * TY * TX);
            UNROLL(36)
            for (int xi = 0; xi < 36; xi++)
                VSTORE(o[xi], j, d + offset + ((size_t)xi * padded + tile) * K_ROW);
        }
}

/* dw (splits,3,3,C,K) from v, and from d at d_offset of the same buffer: each split sums a part of the tiles.
 * Groups: (C/CB, K/KB, splits). */
TILE_KERNEL void winograd_stage_weights(const global float *restrict v, global float *restrict dw,
                                        const int padded, const int d_offset, const int dw_offset) {
    vec s[36 * S_PLANE];
    const int c0 = get_group_id(0) * CB, k0 = get_group_id(1) * KB, split = get_group_id(2);
    const int per = CHUNK(padded, (int)get_num_groups(2)), first = split * per;
    const int last = min(first + per, padded);
    for (int xi = 0; xi < 36; xi++)
        for (int c = 0; c < CB; c += CT)
            for (int k = 0; k < KB; k += NR) {
                const global float *a = v + ((size_t)xi * padded + first) * C_ROW + c0 + c;
                const global float *b = v + d_offset + ((size_t)xi * padded + first) * K_ROW + k0 + k;
                vec acc[CT][NV];
                UNROLL(CT)
                for (int i = 0; i < CT; i++)
                    UNROLL(NV)
                    for (int j = 0; j < NV; j++)
                        acc[i][j] = (vec)(0.0f);
                for (int t = first; t < last; t++, a += C_ROW, b += K_ROW) {
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
                        s[xi * S_PLANE + (c + i) * (KB / VW) + k / VW + j] = acc[i][j];
            }
    for (int c = 0; c < CB; c++)
        for (int k = 0; k < KB / VW; k++)
            winograd_filter_gradient(s + c * (KB / VW) + k, S_PLANE, dw + dw_offset + (size_t)split * 9 * C * K,
                                     c0 + c, k0 / VW + k);
}

#else
/* y = x * w, or y += with `accumulate`, from v and the filters u (K/NR,36,C,NR) at u_offset of the same buffer.
 * Groups: (blocks of T tiles, blocks of NR channels). */
TILE_KERNEL void winograd_stage_product(const global float *restrict v, global float *restrict y, const int n,
                                        const int padded, const int u_offset, const int accumulate) {
    vec m[36 * M_PLANE];
    const int first = get_group_id(0) * T, kb = get_group_id(1);
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
        for (int j = 0; j < NV; j++)
            winograd_output(m + t * NV + j, M_PLANE, y, kb * NV + j, first + t, accumulate);
}
#endif
