/* Direct 2-D convolution, NHWC and HWIO. One work-item computes a block of rows of one image: it copies the
 * rows that it reads, with their zero padding, into private memory, so that the KW x C taps of a filter row
 * are contiguous, and works through register tiles of TW pixels x NV vectors of filters. */
#include "common.h"

/* The convolution as computed here: input (n,H,W,C), output (n,OH,OW,K). For the backward pass over data the
 * roles of input and output are exchanged by the host. */
#ifndef H
#define H 8
#define W 8
#define C 16
#define OH 8
#define OW 8
#define K 16
#define KH 3
#define KW 3
#define STRIDE 1
#define PAD 1
#define BH 4 /* output rows a block */
#define TW 4 /* pixels a tile */
#define NV 1 /* vectors of VW filters a tile */
#define CT 4 /* taps a tile in the backward pass over weights; divides KW * C */
#endif
#define NR (NV * VW)
#define BLOCKS ((OH + BH - 1) / BH)
#define IN_ROWS ((BH - 1) * STRIDE + KH)
#define IN_COLUMNS ((OW - 1) * STRIDE + KW)

/* Rows oh0 * STRIDE - PAD and on of image `x`, padded. */
void copy_padded(const global float *restrict x, float *restrict rows, const int oh0) {
    for (int r = 0; r < IN_ROWS; r++) {
        const int h = oh0 * STRIDE - PAD + r;
        float *to = rows + r * IN_COLUMNS * C;
        if (h < 0 || h >= H) {
            for (int i = 0; i < IN_COLUMNS * C; i++)
                to[i] = 0.0f;
            continue;
        }
        const global float *from = x + (size_t)h * W * C;
        const int left = min(PAD, IN_COLUMNS) * C, right = min(W + PAD, IN_COLUMNS) * C;
        for (int i = 0; i < left; i++)
            to[i] = 0.0f;
        for (int i = left; i < right; i++)
            to[i] = from[i - left];
        for (int i = max(left, right); i < IN_COLUMNS * C; i++)
            to[i] = 0.0f;
    }
}

/* Filters for the forward kernel: packed (K/NR,KH,KW,C,NR) from w (KH,KW,C,K). A group packs one tap. */
TILE_KERNEL void conv2d_pack(const global float *restrict w, global float *restrict packed) {
    const int tap = (int)get_group_id(0); /* (kh * KW + kw) * C + c */
    for (int kb = 0; kb < K / NR; kb++)
        UNROLL(NV)
        for (int j = 0; j < NV; j++)
            VSTORE(VLOAD(kb * NV + j, w + (size_t)tap * K), j,
                   packed + ((size_t)kb * KH * KW * C + tap) * NR);
}

/* The same for the backward pass over data with stride 1: w is (KH,KW,K,C) in this kernel's terms and is
 * turned round; packed (K/NR,KH,KW,C,NR)[.., kh, kw, c, k] = w[KH-1-kh, KW-1-kw, k, c]. */
TILE_KERNEL void conv2d_pack_turned(const global float *restrict w, global float *restrict packed) {
    const int tap = (int)get_group_id(0), c = tap % C, place = KH * KW - 1 - tap / C;
    for (int k = 0; k < K; k++)
        packed[((size_t)(k / NR) * KH * KW * C + tap) * NR + k % NR] =
            w[((size_t)place * K + k) * C + c];
}

/* y = x * w, or y += with `accumulate`. Groups: (BLOCKS, n). */
TILE_KERNEL void conv2d_forward(const global float *restrict x,      // (n,H,W,C)
                                const global float *restrict packed, // (K/NR,KH,KW,C,NR)
                                global float *restrict y,            // (n,OH,OW,K)
                                const int accumulate) {
    float rows[IN_ROWS * IN_COLUMNS * C];
    const int n = (int)get_group_id(1), oh0 = (int)get_group_id(0) * BH;
    copy_padded(x + (size_t)n * H * W * C, rows, oh0);
    for (int kb = 0; kb < K / NR; kb++)
        for (int r = 0; r < min(BH, OH - oh0); r++)
            for (int done = 0; done < OW; done += TW) {
                /* The last tile may overlap the one before; its pixels that are done aren't stored. */
                const int ow = min(done, OW - TW);
                const global float *restrict b = packed + (size_t)kb * KH * KW * C * NR;
                vec acc[TW][NV];
                UNROLL(TW)
                for (int i = 0; i < TW; i++)
                    UNROLL(NV)
                    for (int j = 0; j < NV; j++)
                        acc[i][j] = (vec)(0.0f);
                for (int kh = 0; kh < KH; kh++) {
                    const float *a = rows + ((r * STRIDE + kh) * IN_COLUMNS + ow * STRIDE) * C;
                    for (int t = 0; t < KW * C; t++, b += NR) {
                        vec filter[NV];
                        UNROLL(NV)
                        for (int j = 0; j < NV; j++)
                            filter[j] = VLOAD(j, b);
                        UNROLL(TW)
                        for (int i = 0; i < TW; i++)
                            UNROLL(NV)
                            for (int j = 0; j < NV; j++)
                                acc[i][j] += a[i * STRIDE * C + t] * filter[j];
                    }
                }
                for (int i = done - ow; i < TW; i++)
                    UNROLL(NV)
                    for (int j = 0; j < NV; j++) {
                        global float *to =
                            y + (((size_t)n * OH + oh0 + r) * OW + ow + i) * K + kb * NR;
                        VSTORE(accumulate ? acc[i][j] + VLOAD(j, to) : acc[i][j], j, to);
                    }
            }
}

/* Sums over some images: part (groups,KH,KW*C,K), reduced by reduce_parts. Groups: (groups, kgroups); each
 * handles `per` images and K / kgroups filters. */
TILE_KERNEL void conv2d_backward_weights(const global float *restrict x,  // (n,H,W,C)
                                         const global float *restrict dy, // (n,OH,OW,K)
                                         global float *restrict part, const int n, const int per) {
    float rows[IN_ROWS * IN_COLUMNS * C];
    const int g = (int)get_group_id(0), first = g * per, last = min(n, first + per);
    const int blocks = K / NR / (int)get_num_groups(1), kb0 = (int)get_group_id(1) * blocks;
    global float *sums = part + (size_t)g * KH * KW * C * K;
    for (int t = 0; t < KH * KW * C; t++)
        for (int j = kb0 * NV; j < (kb0 + blocks) * NV; j++)
            VSTORE((vec)(0.0f), j, sums + (size_t)t * K);
    for (int i = first * BLOCKS; i < last * BLOCKS; i++) {
        const int oh0 = i % BLOCKS * BH, count = min(BH, OH - oh0);
        copy_padded(x + (size_t)(i / BLOCKS) * H * W * C, rows, oh0);
        for (int kb = kb0; kb < kb0 + blocks; kb++)
            for (int kh = 0; kh < KH; kh++)
                for (int t = 0; t < KW * C; t += CT) {
                    global float *to = sums + ((size_t)kh * KW * C + t) * K + kb * NR;
                    vec acc[CT][NV];
                    UNROLL(CT)
                    for (int q = 0; q < CT; q++)
                        UNROLL(NV)
                        for (int j = 0; j < NV; j++)
                            acc[q][j] = VLOAD(j, to + (size_t)q * K);
                    for (int r = 0; r < count; r++) {
                        const float *a = rows + (r * STRIDE + kh) * IN_COLUMNS * C + t;
                        const global float *b =
                            dy + ((size_t)(i / BLOCKS) * OH + oh0 + r) * OW * K + kb * NR;
                        for (int ow = 0; ow < OW; ow++, a += STRIDE * C, b += K) {
                            vec d[NV];
                            UNROLL(NV)
                            for (int j = 0; j < NV; j++)
                                d[j] = VLOAD(j, b);
                            UNROLL(CT)
                            for (int q = 0; q < CT; q++)
                                UNROLL(NV)
                                for (int j = 0; j < NV; j++)
                                    acc[q][j] += a[q] * d[j];
                        }
                    }
                    UNROLL(CT)
                    for (int q = 0; q < CT; q++)
                        UNROLL(NV)
                        for (int j = 0; j < NV; j++)
                            VSTORE(acc[q][j], j, to + (size_t)q * K);
                }
    }
}
