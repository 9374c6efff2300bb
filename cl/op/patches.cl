/* Cuts images into square patches, row by row; a patch is a row of pixels (P,P,C), as filters of a convolution lie. A
 * group handles consecutive rows of patches. */
#include "common.h"

#ifndef H
#define H 8
#define W 8
#define C 3
#define P 4
#endif
#define PH (H / P) /* patches of an image */
#define PW (W / P)

/* Where element e of the patches' row r of pixels lies in the images: p is the pixel row inside of a patch. */
#define PATCH_AT(row, p, e)                                                                        \
    (((((size_t)(row)*PW + (e) / (P * C)) * P + (p)) * P) * C + (e) % (P * C))
#define IMAGE_AT(row, p, e)                                                                        \
    ((((size_t)((row) / PH) * H + (row) % PH * P + (p)) * W) * C + (e))

#define MY_ROWS(r, rows)                                                                           \
    const int per = CHUNK(rows, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;       \
    for (int r = first; r < min(first + per, rows); r++)

GROUP_KERNEL void patches_forward(const global float *restrict x, // (n,H,W,C)
                                  global float *restrict y,       // (n,PH*PW,P*P*C)
                                  const int n) {
    MY_ROWS(r, n * PH)
        for (int p = 0; p < P; p++)
            for EACH(e, PW * P * C)
                y[PATCH_AT(r, p, e)] = x[IMAGE_AT(r, p, e)];
}

/* dx, or dx += with `accumulate`. */
GROUP_KERNEL void patches_backward(const global float *restrict dy, // (n,PH*PW,P*P*C)
                                   global float *restrict dx,       // (n,H,W,C)
                                   const int n, const int accumulate) {
    MY_ROWS(r, n * PH)
        for (int p = 0; p < P; p++)
            for EACH(e, PW * P * C) {
                const float d = dy[PATCH_AT(r, p, e)];
                dx[IMAGE_AT(r, p, e)] = accumulate ? d + dx[IMAGE_AT(r, p, e)] : d;
            }
}
