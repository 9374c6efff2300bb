/* Pooling over height and width, NHWC. A group handles consecutive rows of the image it writes, its
 * items the channels. */
#include "common.h"

#ifndef C
#define C 16
#endif
#define CV (C / VW)
/* Input and output size, window, step and padding. */
#ifndef H
#define H 8
#define W 8
#define OH 4
#define OW 4
#define KERNEL 3
#define STRIDE 2
#define PAD 1
#endif

/* y = maximum of each window; `where` receives its position row * W + column (the first, if several), for
 * the backward pass. NaN wins, as in PyTorch. */
GROUP_KERNEL void maxpool_forward(const global float *restrict x, // (n,H,W,C)
                                  global float *restrict y,       // (n,OH,OW,C)
                                  global int *restrict where,     // (n,OH,OW,C)
                                  const int n, const int keep) {
    const int per = CHUNK(n * OH, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, n * OH); r++) {
        const global float *image = x + (size_t)(r / OH) * H * W * C;
        for (int ow = 0; ow < OW; ow++)
            for EACH(j, CV) {
                const int h0 = r % OH * STRIDE - PAD, w0 = ow * STRIDE - PAD;
                vec best = (vec)(-INFINITY);
                ivec at = (ivec)(-1);
                for (int h = max(h0, 0); h < min(h0 + KERNEL, H); h++)
                    for (int w = max(w0, 0); w < min(w0 + KERNEL, W); w++) {
                        const vec v = VLOAD(j, image + (h * W + w) * C);
                        const ivec take = v > best || v != v || at < 0;
                        best = take ? v : best;
                        at = take ? (ivec)(h * W + w) : at;
                    }
                VSTORE(best, j, y + ((size_t)r * OW + ow) * C);
                if (keep)
                    VSTORE(at, j, where + ((size_t)r * OW + ow) * C);
            }
    }
}

/* dx, or dx += with `accumulate`, gathers from the windows that hold each pixel: no two items write
 * the same place. */
GROUP_KERNEL void maxpool_backward(const global float *restrict dy,  // (n,OH,OW,C)
                                   const global int *restrict where, // (n,OH,OW,C)
                                   global float *restrict dx,        // (n,H,W,C)
                                   const int n, const int accumulate) {
    const int per = CHUNK(n * H, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, n * H); r++) {
        const int h = r % H;
        const int top = max((h + PAD - KERNEL + STRIDE) / STRIDE, 0);
        const int bottom = min((h + PAD) / STRIDE + 1, OH);
        for (int w = 0; w < W; w++)
            for EACH(j, CV) {
                vec sum = (vec)(0.0f);
                for (int oh = top; oh < bottom; oh++)
                    for (int ow = max((w + PAD - KERNEL + STRIDE) / STRIDE, 0);
                         ow < min((w + PAD) / STRIDE + 1, OW); ow++) {
                        const size_t o = (((size_t)(r / H) * OH + oh) * OW + ow) * C;
                        sum += VLOAD(j, where + o) == h * W + w ? VLOAD(j, dy + o) : (vec)(0.0f);
                    }
                global float *to = dx + ((size_t)r * W + w) * C;
                VSTORE(accumulate ? sum + VLOAD(j, to) : sum, j, to);
            }
    }
}

/* y = mean over all H x W pixels. */
GROUP_KERNEL void avgpool_forward(const global float *restrict x, // (n,H,W,C)
                                  global float *restrict y,       // (n,C)
                                  const int n) {
    const int per = CHUNK(n, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int i = first; i < min(first + per, n); i++)
        for EACH(j, CV) {
            vec sum = (vec)(0.0f);
            for (int p = 0; p < H * W; p++)
                sum += VLOAD(j, x + ((size_t)i * H * W + p) * C);
            VSTORE(sum * (1.0f / (H * W)), j, y + (size_t)i * C);
        }
}

/* dx, or dx += with `accumulate`. */
GROUP_KERNEL void avgpool_backward(const global float *restrict dy, // (n,C)
                                   global float *restrict dx,       // (n,H,W,C)
                                   const int n, const int accumulate) {
    const int per = CHUNK(n, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int i = first; i < min(first + per, n); i++)
        for (int p = 0; p < H * W; p++)
            for EACH(j, CV) {
                const vec d = VLOAD(j, dy + (size_t)i * C) * (1.0f / (H * W));
                global float *to = dx + ((size_t)i * H * W + p) * C;
                VSTORE(accumulate ? d + VLOAD(j, to) : d, j, to);
            }
}
