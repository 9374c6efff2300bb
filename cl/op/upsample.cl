/* Bilinear interpolation between the middles of pixels, as torch's interpolate(mode="bilinear",
 * align_corners=False): an output pixel o looks at (o + 1/2) H / OH - 1/2, not before the first row
 * and not behind the last. Places are ratios of whole numbers: no rounding. */
#include "common.h"

#ifndef C
#define C 16
#endif
#ifndef H
#define H 4
#endif
#ifndef W
#define W 4
#endif
#ifndef OH
#define OH 8
#endif
#ifndef OW
#define OW 8
#endif
#define CV (C / VW)

/* The place of output pixel o along `size` pixels, times 2 `outputs`. */
#define PLACE(o, size, outputs) max((2 * (o) + 1) * (size) - (outputs), 0)

/* Where it lies between two pixels, and the weight of the second. */
#define BEFORE(place, outputs)       ((place) / (2 * (outputs)))
#define BEHIND(before, size)         min((before) + 1, (size)-1)
#define WEIGHT(place, outputs)       ((float)((place) % (2 * (outputs))) / (float)(2 * (outputs)))

/* The weight of pixel i in output pixel o. */
float weight_of(const int i, const int o, const int size, const int outputs) {
    const int place = PLACE(o, size, outputs), before = BEFORE(place, outputs);
    const float behind = WEIGHT(place, outputs);
    return (before == i ? 1.0f - behind : 0.0f) +
           (BEHIND(before, size) == i ? behind : 0.0f);
}

/* Output pixels that pixel i may have a weight in: [FIRST, LAST]. */
#define FIRST(i, size, outputs) ((i) == 0 ? 0 : max(((2 * (i)-1) * (outputs) / (size)-1) / 2, 0))
#define LAST(i, size, outputs)                                                                     \
    ((i) == (size)-1 ? (outputs)-1 : min(((2 * (i) + 3) * (outputs) / (size) + 1) / 2, (outputs)-1))

GROUP_KERNEL void upsample_forward(const global float *restrict x, // (n,H,W,C)
                                   global float *restrict y,       // (n,OH,OW,C)
                                   const int n) {
    const int per = CHUNK(n * OH, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, n * OH); r++) {
        const int vertical = PLACE(r % OH, H, OH), above = BEFORE(vertical, OH);
        const float down = WEIGHT(vertical, OH);
        const global float *upper = x + ((size_t)(r / OH) * H + above) * W * C;
        const global float *lower = x + ((size_t)(r / OH) * H + BEHIND(above, H)) * W * C;
        for (int o = 0; o < OW; o++) {
            const int place = PLACE(o, W, OW), left = BEFORE(place, OW);
            const int right = BEHIND(left, W);
            const float across = WEIGHT(place, OW);
            for EACH(j, CV) {
                const vec a = VLOAD(j, upper + (size_t)left * C) * (1.0f - across) +
                              VLOAD(j, upper + (size_t)right * C) * across;
                const vec b = VLOAD(j, lower + (size_t)left * C) * (1.0f - across) +
                              VLOAD(j, lower + (size_t)right * C) * across;
                VSTORE(a * (1.0f - down) + b * down, j, y + ((size_t)r * OW + o) * C);
            }
        }
    }
}

/* dx, or dx += with `accumulate`, gathers from the output pixels that each pixel has a weight in. */
GROUP_KERNEL void upsample_backward(const global float *restrict dy, // (n,OH,OW,C)
                                    global float *restrict dx,       // (n,H,W,C)
                                    const int n, const int accumulate) {
    const int per = CHUNK(n * H, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, n * H); r++) {
        const int h = r % H;
        const global float *image = dy + (size_t)(r / H) * OH * OW * C;
        for (int w = 0; w < W; w++)
            for EACH(j, CV) {
                vec sum = (vec)(0.0f);
                for (int p = FIRST(h, H, OH); p <= LAST(h, H, OH); p++) {
                    const float down = weight_of(h, p, H, OH);
                    vec row = (vec)(0.0f);
                    for (int o = FIRST(w, W, OW); o <= LAST(w, W, OW); o++)
                        row += VLOAD(j, image + ((size_t)p * OW + o) * C) *
                               weight_of(w, o, W, OW);
                    sum += row * down;
                }
                global float *to = dx + ((size_t)r * W + w) * C;
                VSTORE(accumulate ? sum + VLOAD(j, to) : sum, j, to);
            }
    }
}
