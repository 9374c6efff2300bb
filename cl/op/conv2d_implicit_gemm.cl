/* 2-D convolution on GPUs as a matrix product whose patches are never stored (Chetlur et al., arXiv 1410.0759): they
 * are gathered into local memory. Neighbouring items read neighbouring channels.
 *
 *                    rows m          columns n   summed over r
 * forward            pixels of y     K           taps x C        A = x,  B = w
 * backward data      pixels of x     C           taps x K        A = dy, B = w
 * backward weights   taps x C        K           pixels of y     A = x,  B = dy */
#include "common.h"

#ifndef PASS
#define PASS 0 /* as clc_conv2d_pass: forward, backward data, backward weights */
#define H 8    /* x (n,H,W,C) */
#define W 8
#define C 16
#define OH 8 /* y (n,OH,OW,K) */
#define OW 8
#define K 16
#define KH 3
#define KW 3
#define STRIDE 1
#define PAD 1
#define GS 8 /* a group has GS x GS items */
#endif
/* x at the pixel that tap (kh,kw) of output pixel p reads, channel c; zero outside the image. */
float patch(const global float *restrict x, const int p, const int tap, const int c) {
    const int h = p / OW % OH * STRIDE - PAD + tap / KW, w = p % OW * STRIDE - PAD + tap % KW;
    if (h < 0 || h >= H || w < 0 || w >= W)
        return 0.0f;
    return x[(((size_t)(p / (OH * OW)) * H + h) * W + w) * C + c];
}

/* dy at the output pixel whose tap reads input pixel p, channel k; zero where there is none. */
float gradient(const global float *restrict dy, const int p, const int tap, const int k) {
    const int y = p / W % H + PAD - tap / KW, x = p % W + PAD - tap % KW;
    if (y < 0 || x < 0 || y % STRIDE || x % STRIDE || y / STRIDE >= OH || x / STRIDE >= OW)
        return 0.0f;
    return dy[(((size_t)(p / (H * W)) * OH + y / STRIDE) * OW + x / STRIDE) * K + k];
}

#if PASS == 0
#define COLUMNS K
#define A(m, r) patch(a, m, (r) / C, (r) % C)
#define B(r, n) b[(size_t)(r) * K + (n)]
#elif PASS == 1
#define COLUMNS C
#define A(m, r) gradient(a, m, (r) / K, (r) % K)
#define B(r, n) b[((size_t)((r) / K) * C + (n)) * K + (r) % K]
#else
#define COLUMNS K
#define A(m, r) patch(a, r, (m) / C, (m) % C)
#define B(r, n) b[(size_t)(r) * K + (n)]
#endif
#define A_ALONG_R (PASS != 2)
#define B_ALONG_R (PASS == 1)

#include "op/product.h"

/* out (rows,COLUMNS) = A B, or += with `accumulate`; group (.,.,s) sums r in [s * per, (s + 1) * per) and writes the
 * s-th of such matrices. Groups: (columns / TN, rows / TM, splits), rounded up. */
PRODUCT_KERNEL void conv2d_implicit_gemm(const global float *restrict a, const global float *restrict b,
                                         global float *restrict out, const int rows, const int depth, const int per,
                                         const int accumulate) {
    local float at[KS][TM + 1], bt[KS][TN + 1];
    const int split = (int)get_group_id(2);
    product_tile(a, b, out + (size_t)split * rows * COLUMNS, at, bt, rows, split * per, min((split + 1) * per, depth),
                 accumulate);
}

/* out[i] = sum of the `count` matrices of `floats` elements, in order. Items: any number. */
GROUP_KERNEL void conv2d_sum_splits(const global float *restrict parts, global float *restrict out, const int floats,
                              const int count) {
    for (int i = (int)get_global_id(0); i < floats; i += (int)get_global_size(0)) {
        float sum = parts[i];
        for (int p = 1; p < count; p++)
            sum += parts[(size_t)p * floats + i];
        out[i] = sum;
    }
}
