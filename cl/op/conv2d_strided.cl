/* Backward pass over data of a strided 2-D convolution, NHWC and HWIO. Pixels of dx whose columns agree modulo
 * the stride use the same filter columns, so tiles are made of those: no multiplication by an inserted zero. */
#include "common.h"

#ifndef H
#define H 8 /* dx (n,H,W,C) */
#define W 8
#define C 16
#define OH 4 /* dy (n,OH,OW,K) */
#define OW 4
#define K 16
#define KH 3
#define KW 3
#define STRIDE 2
#define PAD 1
#define BH 4 /* rows of dx a block */
#define TW 4 /* pixels a tile */
#define NV 1 /* vectors of VW channels a tile */
#endif
#define NR (NV * VW)
#define ROWS ((BH + KH) / STRIDE + 2)
#define LEFT KW
#define COLUMNS (LEFT + OW + KW + PAD + TW)
/* Floor of a / STRIDE for a >= -KH - KW. */
#define DIVIDE(a) (((a) + STRIDE * (KH + KW)) / STRIDE - (KH + KW))

/* Filters packed (C/NR,KH,KW,K,NR) from w (KH,KW,C,K). A group packs one (kh,kw,k). */
TILE_KERNEL void conv2d_pack_strided(const global float *restrict w, global float *restrict packed) {
    const int tap = (int)get_group_id(0), k = tap % K, place = tap / K;
    for (int c = 0; c < C; c++)
        packed[((size_t)(c / NR) * KH * KW * K + tap) * NR + c % NR] =
            w[((size_t)place * C + c) * K + k];
}

/* Rows oh0 and on of dy, zero outside. */
void copy_rows(const global float *restrict dy, float *restrict rows, const int oh0) {
    for (int r = 0; r < ROWS; r++) {
        const int oh = oh0 + r, inside = oh >= 0 && oh < OH;
        float *to = rows + r * COLUMNS * K;
        const global float *from = dy + (size_t)max(min(oh, OH - 1), 0) * OW * K;
        for (int i = 0; i < LEFT * K; i++)
            to[i] = 0.0f;
        for (int i = 0; i < OW * K; i++)
            to[LEFT * K + i] = inside ? from[i] : 0.0f;
        for (int i = (LEFT + OW) * K; i < COLUMNS * K; i++)
            to[i] = 0.0f;
    }
}

/* dx, or dx += with `accumulate`. Groups: (blocks of rows, n). */
TILE_KERNEL void conv2d_backward_data_strided(const global float *restrict dy,     // (n,OH,OW,K)
                                              const global float *restrict packed, // (C/NR,KH,KW,K,NR)
                                              global float *restrict dx,           // (n,H,W,C)
                                              const int accumulate) {
    float rows[ROWS * COLUMNS * K];
    const int n = (int)get_group_id(1), h0 = (int)get_group_id(0) * BH, oh0 = DIVIDE(h0 + PAD - KH + 1);
    copy_rows(dy + (size_t)n * OH * OW * K, rows, oh0);
    for (int cb = 0; cb < C / NR; cb++)
        for (int h = h0; h < min(h0 + BH, H); h++)
            for (int phase = 0; phase < min(STRIDE, W); phase++) {
                const int count = (W - phase + STRIDE - 1) / STRIDE;
                for (int t0 = 0; t0 < count; t0 += TW) {
                    vec acc[TW][NV];
                    UNROLL(TW)
                    for (int i = 0; i < TW; i++)
                        UNROLL(NV)
                        for (int j = 0; j < NV; j++)
                            acc[i][j] = (vec)(0.0f);
                    for (int kh = (h + PAD) % STRIDE; kh < KH; kh += STRIDE)
                        for (int kw = (phase + PAD) % STRIDE; kw < KW; kw += STRIDE) {
                            const int r = DIVIDE(h + PAD - kh) - oh0;
                            const int ow = t0 + DIVIDE(phase + PAD - kw);
                            const float *a = rows + (r * COLUMNS + LEFT + ow) * K;
                            const global float *b =
                                packed + ((size_t)cb * KH * KW + kh * KW + kw) * K * NR;
                            for (int k = 0; k < K; k++, b += NR) {
                                vec filter[NV];
                                UNROLL(NV)
                                for (int j = 0; j < NV; j++)
                                    filter[j] = VLOAD(j, b);
                                UNROLL(TW)
                                for (int i = 0; i < TW; i++)
                                    UNROLL(NV)
                                    for (int j = 0; j < NV; j++)
                                        acc[i][j] += a[i * K + k] * filter[j];
                            }
                        }
                    for (int i = 0; i < min(TW, count - t0); i++)
                        UNROLL(NV)
                        for (int j = 0; j < NV; j++) {
                            global float *to = dx +
                                               (((size_t)n * H + h) * W + (t0 + i) * STRIDE + phase) * C +
                                               cb * NR;
                            VSTORE(accumulate ? acc[i][j] + VLOAD(j, to) : acc[i][j], j, to);
                        }
                }
            }
}
