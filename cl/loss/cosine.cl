/* The regression loss of BYOL (arXiv 2006.07733, eq. 2) and SimSiam (2011.10566): the mean over the rows of
 * 2 - 2 cos(p, t), t being the target of the image's other view; t gets a gradient only if that is asked for.
 *   dL/dp = -2/rows (v - u (u . v)) / |p|,  u = p / |p|, v = t / |t| */
#include "group.h"

#ifndef D
#define D 128 /* dimensions */
#endif
#define SHORTEST 1e-12f /* of a vector, as torch.nn.functional.normalize */

/* 1/|x|, with the squares taken relative to the largest element: no overflow. Negative if x is too short: then
 * there is no component along x to take out of the gradient. */
float inverse_length(const global float *restrict x, SHARED float *lanes) {
    float most = 0.0f, squares = 0.0f;
    for EACH(k, D)
        most = fabs(x[k]) > most ? fabs(x[k]) : most;
    const float largest = most_of_items(most, lanes);
    const float unit = largest > 1e-30f ? largest : 1.0f;
    for EACH(k, D)
        squares += (x[k] / unit) * (x[k] / unit);
    const float root = sqrt(sum_items(squares, lanes)), shortest = SHORTEST / unit;
    return root < shortest ? -1.0f / SHORTEST : 1.0f / root / unit;
}

/* dx = factor times the derivative of cos(x, y) by x. */
void backward(const global float *restrict x, const global float *restrict y,
              global float *restrict dx, const float ix, const float iy, const float cosine,
              const float factor) {
    const float a = fabs(ix), b = fabs(iy), along = ix < 0.0f ? 0.0f : cosine;
    for EACH(k, D)
        dx[k] = factor * a * (y[k] * b - x[k] * a * along);
}

/* Rows v * images + i; the target of view v is view views - 1 - v. */
GROUP_KERNEL void cosine_rows(const global float *restrict p,      // (views*images,D)
                             const global float *restrict target, // (views*images,D)
                             global float *restrict dp,           // (views*images,D)
                             global float *restrict dtarget,      // (views*images,D), or NULL
                             global float *restrict part,         // (groups)
                             const int images, const int views, const float weight) {
    SHARED float lanes[LANES];
    const int rows = views * images, per = CHUNK(rows, (int)get_num_groups(0));
    const int first = (int)get_group_id(0) * per;
    const float factor = -2.0f * weight / (float)rows;
    float loss = 0.0f;
    for (int r = first; r < min(first + per, rows); r++) {
        const size_t i = (size_t)r * D, j = (size_t)((views - 1 - r / images) * images + r % images) * D;
        const float ip = inverse_length(p + i, lanes), it = inverse_length(target + j, lanes);
        float sum = 0.0f;
        for EACH(k, D)
            sum += p[i + k] * fabs(ip) * (target[j + k] * fabs(it));
        const float dot = sum_items(sum, lanes);
        loss += 2.0f - 2.0f * dot;
        backward(p + i, target + j, dp + i, ip, it, dot, factor);
        if (dtarget)
            backward(target + j, p + i, dtarget + j, it, ip, dot, factor);
    }
    if (LANE == 0)
        part[get_group_id(0)] = loss;
}

/* One group. */
GROUP_KERNEL void cosine_merge(const global float *restrict part, global float *restrict value, // (1)
                               const int groups, const float scale) {
    SHARED float lanes[LANES];
    float sum = 0.0f;
    for EACH(g, groups)
        sum += part[g];
    const float all = sum_items(sum, lanes);
    if (LANE == 0)
        value[0] = all * scale;
}
