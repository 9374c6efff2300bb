/* Convolution as a matrix product: the patches of some images become rows of a matrix. Groups handle chunks of rows
 * of that matrix (im2col) or of image pixels (col2im), their items the channels. */
#include "common.h"

#ifndef H
#define H 8
#define W 8
#define C 16
#define OH 8
#define OW 8
#define KH 3
#define KW 3
#define STRIDE 1
#define PAD 1
#endif

/* column (images*OH*OW,KH,KW,C) at `offset` of `columns` from x, beginning with image `first`. */
GROUP_KERNEL void conv2d_im2col(const global float *restrict x, // (n,H,W,C)
                                global float *restrict columns, const int offset, const int first,
                                const int images) {
    const int rows = images * OH * OW, per = CHUNK(rows, (int)get_num_groups(0));
    const int begin = (int)get_group_id(0) * per;
    for (int r = begin; r < min(begin + per, rows); r++) {
        const global float *image = x + (size_t)(first + r / (OH * OW)) * H * W * C;
        global float *to = columns + offset + (size_t)r * KH * KW * C;
        const int h0 = r / OW % OH * STRIDE - PAD, w0 = r % OW * STRIDE - PAD;
        for (int t = 0; t < KH * KW; t++, to += C) {
            const int h = h0 + t / KW, w = w0 + t % KW;
            const int inside = h >= 0 && h < H && w >= 0 && w < W;
            const global float *from = image + (inside ? (h * W + w) * C : 0);
            for EACH(j, C / VW)
                VSTORE(inside ? VLOAD(j, from) : (vec)(0.0f), j, to);
        }
    }
}

/* dx = the sum of the patches' elements that lie on each pixel; += with `accumulate`. Gathers, so that no two
 * groups write the same place. */
GROUP_KERNEL void conv2d_col2im(const global float *restrict columns, global float *restrict dx,
                                const int offset, const int first, const int images,
                                const int accumulate) {
    const int pixels = images * H * W, per = CHUNK(pixels, (int)get_num_groups(0));
    const int begin = (int)get_group_id(0) * per;
    for (int p = begin; p < min(begin + per, pixels); p++) {
        const int h = p / W % H + PAD, w = p % W + PAD;
        const global float *from = columns + offset + (size_t)(p / (H * W)) * OH * OW * KH * KW * C;
        global float *to = dx + ((size_t)first * H * W + p) * C;
        for EACH(j, C / VW) {
            vec sum = accumulate ? VLOAD(j, to) : (vec)(0.0f);
            for (int kh = h % STRIDE; kh < KH; kh += STRIDE)
                for (int kw = w % STRIDE; kw < KW; kw += STRIDE) {
                    const int oh = (h - kh) / STRIDE, ow = (w - kw) / STRIDE;
                    if (h >= kh && oh < OH && w >= kw && ow < OW)
                        sum += VLOAD(j, from + ((size_t)(oh * OW + ow) * KH * KW + kh * KW + kw) * C);
                }
            VSTORE(sum, j, to);
        }
    }
}
