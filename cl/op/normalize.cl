/* Rows of length 1: y = x / |x|; lengths count as at least 1e-12, as torch.nn.functional.normalize. The gradient is
 * dx = (dy - y (y . dy)) / |x|. Groups handle chunks of rows, their items the channels. */
#include "group.h"

#ifndef C
#define C 128
#endif
#define CV       (C / VW)
#define SHORTEST 1e-12f

/* `inverse` is 1 / |x|, negative where x is too short: then nothing along y is taken out of the gradient. */
GROUP_KERNEL void normalize_forward(const global float *restrict x, // (n,C)
                                    global float *restrict y,       // (n,C)
                                    global float *restrict inverse, // (n)
                                    const int n) {
    SHARED float lanes[LANES];
    const int per = CHUNK(n, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, n); r++) {
        vec squares = (vec)(0.0f);
        for EACH(j, CV)
            squares += VLOAD(j, x + (size_t)r * C) * VLOAD(j, x + (size_t)r * C);
        const float length = sqrt(sum_lanes(squares, lanes));
        const float factor = length < SHORTEST ? -1.0f / SHORTEST : 1.0f / length;
        for EACH(j, CV)
            VSTORE(VLOAD(j, x + (size_t)r * C) * fabs(factor), j, y + (size_t)r * C);
        if (LANE == 0)
            inverse[r] = factor;
    }
}

/* dx, or dx += with `accumulate`. */
GROUP_KERNEL void normalize_backward(const global float *restrict y,       // (n,C)
                                     const global float *restrict inverse, // (n)
                                     const global float *restrict dy,      // (n,C)
                                     global float *restrict dx,            // (n,C)
                                     const int n, const int accumulate) {
    SHARED float lanes[LANES];
    const int per = CHUNK(n, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, n); r++) {
        const size_t row = (size_t)r * C;
        vec products = (vec)(0.0f);
        for EACH(j, CV)
            products += VLOAD(j, y + row) * VLOAD(j, dy + row);
        const float all = sum_lanes(products, lanes), factor = inverse[r];
        const float along = factor < 0.0f ? 0.0f : all;
        for EACH(j, CV) {
            const vec d = (VLOAD(j, dy + row) - VLOAD(j, y + row) * along) * fabs(factor);
            VSTORE(accumulate ? d + VLOAD(j, dx + row) : d, j, dx + row);
        }
    }
}
