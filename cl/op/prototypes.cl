/* Cosine similarities of rows x (n,C) with K prototypes, the columns of w (C,K): y = (x / |x|) (w / |w|), the
 * product being a GEMM between these kernels. Lengths count as at least 1e-12, as
 * torch.nn.functional.normalize. With u = x / |x| the gradient goes dx = (du - u (u . du)) / |x|. What forward keeps
 * for backward is one buffer: u (n,C), w / |w| at `at`, and inverse lengths at `inverse_at`. */
#include "group.h"

#ifndef C
#define C 128 /* dimensions */
#endif
#ifndef K
#define K 512 /* prototypes, a multiple of VW */
#endif
#define SHORTEST 1e-12f

/* u and 1/|x|, which is negative where x is too short: then nothing along u is taken out of the gradient.
 * Groups handle chunks of rows, their items the dimensions. */
GROUP_KERNEL void prototypes_rows(const global float *restrict x, // (n,C)
                                  global float *restrict u, // (n,C), then the others
                                  const int inverse_at, const int n) {
    global float *inverse = u + inverse_at; // (n)
    SHARED float lanes[LANES];
    const int per = CHUNK(n, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, n); r++) {
        const global float *from = x + (size_t)r * C;
        float squares = 0.0f;
        for EACH(k, C)
            squares += from[k] * from[k];
        const float length = sqrt(sum_items(squares, lanes));
        const float factor = length < SHORTEST ? -1.0f / SHORTEST : 1.0f / length;
        for EACH(k, C)
            u[(size_t)r * C + k] = from[k] * fabs(factor);
        if (LANE == 0)
            inverse[r] = factor;
    }
}

/* The same for VW columns of w an item. */
GROUP_KERNEL void prototypes_columns(const global float *restrict w, // (C,K)
                                     global float *restrict saved, const int at,
                                     const int inverse_at) {
    global float *u = saved + at, *inverse = saved + inverse_at; // (C,K), (K)
    const int j = (int)get_global_id(0);
    if (j >= K / VW)
        return;
    vec squares = (vec)(0.0f);
    for (int r = 0; r < C; r++)
        squares += VLOAD(j, w + (size_t)r * K) * VLOAD(j, w + (size_t)r * K);
    const vec length = sqrt(squares);
    const vec factor = length < SHORTEST ? (vec)(-1.0f / SHORTEST) : 1.0f / length;
    for (int r = 0; r < C; r++)
        VSTORE(VLOAD(j, w + (size_t)r * K) * fabs(factor), j, u + (size_t)r * K);
    VSTORE(factor, j, inverse);
}

/* dx from du (n,C), which lies from `du_at` on and may be dx itself; dx += with `accumulate`. */
GROUP_KERNEL void prototypes_rows_backward(const global float *restrict u, // (n,C), then the others
                                           const int inverse_at, const global float *du,
                                           const int du_at, global float *dx, // (n,C)
                                           const int n, const int accumulate) {
    const global float *inverse = u + inverse_at; // (n)
    SHARED float lanes[LANES];
    const int per = CHUNK(n, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, n); r++) {
        const size_t row = (size_t)r * C;
        const global float *from = du + du_at + row;
        float along = 0.0f;
        for EACH(k, C)
            along += u[row + k] * from[k];
        along = sum_items(along, lanes);
        along = inverse[r] < 0.0f ? 0.0f : along;
        for EACH(k, C) {
            const float d = (from[k] - u[row + k] * along) * fabs(inverse[r]);
            dx[row + k] = accumulate ? dx[row + k] + d : d;
        }
    }
}

/* dw in place of du, VW columns an item. */
GROUP_KERNEL void prototypes_columns_backward(const global float *restrict saved, const int at,
                                              const int inverse_at,
                                              global float *restrict dw) { // (C,K)
    const global float *u = saved + at, *inverse = saved + inverse_at; // (C,K), (K)
    const int j = (int)get_global_id(0);
    if (j >= K / VW)
        return;
    vec along = (vec)(0.0f);
    for (int r = 0; r < C; r++)
        along += VLOAD(j, u + (size_t)r * K) * VLOAD(j, dw + (size_t)r * K);
    const vec factor = VLOAD(j, inverse);
    along = factor < 0.0f ? (vec)(0.0f) : along;
    for (int r = 0; r < C; r++) {
        const vec d = VLOAD(j, dw + (size_t)r * K) - VLOAD(j, u + (size_t)r * K) * along;
        VSTORE(d * fabs(factor), j, dw + (size_t)r * K);
    }
}

/* Columns of length 1, VW an item: after an update. */
GROUP_KERNEL void prototypes_renormalize(global float *restrict w) { // (C,K)
    const int j = (int)get_global_id(0);
    if (j >= K / VW)
        return;
    vec squares = (vec)(0.0f);
    for (int r = 0; r < C; r++)
        squares += VLOAD(j, w + (size_t)r * K) * VLOAD(j, w + (size_t)r * K);
    const vec factor = 1.0f / fmax(sqrt(squares), (vec)(SHORTEST));
    for (int r = 0; r < C; r++)
        VSTORE(VLOAD(j, w + (size_t)r * K) * factor, j, w + (size_t)r * K);
}
