/* 3x3 convolution with stride 1 and padding 1 on GPUs by Winograd's F(4x4,3x3) in stages: tiles of some images are
 * transformed into 36 matrices, 36 products follow (cl/op/product.h), and the results are transformed back. An item
 * transforms one channel of one tile; neighbours take neighbouring channels.
 *
 *                    A (36,.,.)             B (36,.,.)            results (36,.,.)
 * forward            tiles of x by C        filters C by K        tiles of y by K
 * backward data      tiles of dy by C       filters K by C        tiles of dx by K
 * backward weights   tiles of x by C        tiles of dy by K      filters C by K, some parts of the sum
 *
 * C are the channels read, K those written. */
#define VW 1
#include "common.h"

#ifndef PASS
#define PASS 0 /* as clc_conv2d_pass: forward, backward data, backward weights */
#define H 8
#define W 8
#define C 16
#define K 16
#define GS 8 /* a group of the product has GS x GS items */
#endif
#include "op/winograd.h"

#define COLUMNS K
#define A_ALONG_R (PASS != 2)
#define B_ALONG_R (PASS == 1)
#define A(m, r) a[A_ALONG_R ? (size_t)(m) * C + (r) : (size_t)(r) * C + (m)]
#define B(r, n) b[B_ALONG_R ? (size_t)(n) * C + (r) : (size_t)(r) * K + (n)]
#include "op/product.h"

/* A = B^T x B of `tiles` tiles from tile `first` of the batch on. Items: tiles x C. */
GROUP_KERNEL void winograd_gemm_input(const global float *restrict x, // (n,H,W,C)
                                      global float *restrict a,       // (36,tiles,C)
                                      const int first, const int tiles) {
    const int i = (int)get_global_id(0);
    float o[36];
    if (i >= tiles * C)
        return;
    winograd_input(x, o, i % C, first + i / C, first + tiles);
    UNROLL(36)
    for (int xi = 0; xi < 36; xi++)
        a[(size_t)xi * tiles * C + i] = o[xi];
}

#if PASS == 2
/* B = A dy A^T of the same tiles, at b_offset of `work`. Items: tiles x K. */
GROUP_KERNEL void winograd_gemm_gradient(const global float *restrict dy, // (n,H,W,K)
                                         global float *restrict work, const int b_offset, const int first,
                                         const int tiles) {
    const int i = (int)get_global_id(0);
    float o[36];
    if (i >= tiles * K)
        return;
    winograd_gradient(dy, o, i % K, first + i / K, first + tiles);
    UNROLL(36)
    for (int xi = 0; xi < 36; xi++)
        work[b_offset + (size_t)xi * tiles * K + i] = o[xi];
}

/* dw from the sum of the parts (parts,36,C,K) at `offset` of `work`, in order. Items: C x K. */
GROUP_KERNEL void winograd_gemm_filter_gradient(const global float *restrict work, const int offset,
                                                global float *restrict dw, // (3,3,C,K)
                                                const int parts) {
    const int i = (int)get_global_id(0);
    float s[36];
    if (i >= C * K)
        return;
    UNROLL(36)
    for (int xi = 0; xi < 36; xi++)
        s[xi] = work[offset + (size_t)xi * C * K + i];
    for (int p = 1; p < parts; p++)
        UNROLL(36)
        for (int xi = 0; xi < 36; xi++)
            s[xi] += work[offset + ((size_t)p * 36 + xi) * C * K + i];
    winograd_filter_gradient(s, 1, dw, i / K, i % K);
}
#else
/* B = G w G^T at b_offset of `work`; w is turned round for the backward pass over data. Items: C x K, in the order of
 * w's channels. */
GROUP_KERNEL void winograd_gemm_filter(const global float *restrict w, // (3,3,C,K); backward (3,3,K,C)
                                       global float *restrict work, const int b_offset) {
    const int i = (int)get_global_id(0);
    float taps[9], o[36];
    if (i >= C * K)
        return;
    UNROLL(9)
    for (int t = 0; t < 9; t++)
        taps[t] = w[(size_t)(PASS == 1 ? 8 - t : t) * C * K + i];
    winograd_transform_filter(taps, o);
    UNROLL(36)
    for (int xi = 0; xi < 36; xi++)
        work[b_offset + (size_t)xi * C * K + i] = o[xi];
}

/* The pixels of the tiles from the products m (36,tiles,K) at `offset` of `work`. Items: tiles x K. */
GROUP_KERNEL void winograd_gemm_output(const global float *restrict work, const int offset,
                                       global float *restrict y, // (n,H,W,K)
                                       const int first, const int tiles, const int accumulate) {
    const int i = (int)get_global_id(0);
    float m[36];
    if (i >= tiles * K)
        return;
    UNROLL(36)
    for (int xi = 0; xi < 36; xi++)
        m[xi] = work[offset + (size_t)xi * tiles * K + i];
    winograd_output(m, 1, y, i % K, first + i / K, accumulate);
}
#endif

/* The 36 products, in `work`: A at 0, B at b_offset, results (splits,36,rows,K) at `offset`, each split summing `per`
 * of the `depth` terms; += with `accumulate`. Groups: (K / TN, rows / TM, splits * 36), rounded up. */
PRODUCT_KERNEL void winograd_gemm_product(const global float *restrict work, global float *restrict results,
                                          const int b_offset, const int offset, const int rows, const int depth,
                                          const int per, const int accumulate) {
    local float at[KS][TM + 1], bt[KS][TN + 1];
    const int group = (int)get_group_id(2), xi = group % 36, begin = group / 36 * per;
    product_tile(work + (size_t)xi * rows * depth, work + b_offset + (size_t)xi * depth * K,
                 results + offset + (size_t)group * rows * K, at, bt, rows, begin, min(begin + per, depth), accumulate);
}
