/* A step of t-SNE (van der Maaten and Hinton, JMLR 2008): the gradient of KL(P || Q) by a point is
 *   4 (sum_j p_ij w_ij (y_i - y_j) - sum_j w_ij^2 (y_i - y_j) / Z),  w_ij = 1 / (1 + |y_i - y_j|^2),  Z = sum of all w.
 * Points lie as (2,padded): all x, then all y; rows from n on are padding. */
#include "group.h"

/* Sums over all points: force (3,padded) is w^2 (x_i - x_j), w^2 (y_i - y_j) and w, without i itself. An item has
 * VW points at a time, and reads the others one after the other. */
GROUP_KERNEL void tsne_repel(const global float *restrict points, // (2,padded)
                             global float *restrict force,        // (3,padded)
                             const int n, const int padded) {
    const int i = (int)get_global_id(0);
    if (i * VW >= padded)
        return;
    const vec x = VLOAD(i, points), y = VLOAD(i, points + padded);
    vec fx = (vec)(0.0f), fy = (vec)(0.0f), z = (vec)(0.0f);
    for (int j = 0; j < n; j++) {
        const vec dx = x - points[j], dy = y - points[padded + j];
        const vec w = 1.0f / (1.0f + dx * dx + dy * dy);
        z += w;
        fx += w * w * dx;
        fy += w * w * dy;
    }
    VSTORE(fx, i, force);
    VSTORE(fy, i, force + padded);
    VSTORE(z - 1.0f, i, force + 2 * padded);
}

/* Z, by one group. */
GROUP_KERNEL void tsne_total(const global float *restrict force, // (3,padded)
                             global float *restrict total,       // (1)
                             const int n, const int padded) {
    const global float *z = force + 2 * padded;
    const int whole = n / VW;
    SHARED float lanes[LANES];
    vec sums = (vec)(0.0f);
    for EACH(j, whole)
        sums += VLOAD(j, z);
    float sum = sum_lanes(sums, lanes);
    for (int i = whole * VW; i < n; i++)
        sum += z[i];
    if (LANE == 0)
        total[0] = sum;
}

/* Attraction by the neighbours, and the update with momentum and gains (Jacobs 1988; as van der Maaten's code has
 * it). hyper: exaggeration, momentum, rate. Of point i: edges starts[i] to starts[i + 1] - 1; an edge may be there
 * twice, its halves add up. motion (4,padded): velocity and gain of x, then of y. */
GROUP_KERNEL void tsne_step(const global float *restrict points,  // (2,padded)
                            const global float *restrict force,   // (3,padded)
                            const global float *restrict total,   // (1)
                            const global int *restrict starts,    // (n + 1)
                            const global int *restrict others,    // (edges)
                            const global float *restrict weights, // (edges): p_ij
                            const global float *restrict hyper,   // (3)
                            global float *restrict motion,        // (4,padded)
                            global float *restrict moved,         // (2,padded)
                            const int n, const int padded) {
    const int i = (int)get_global_id(0);
    if (i >= n)
        return;
    const float place[2] = {points[i], points[padded + i]};
    float pull[2] = {0.0f, 0.0f};
    for (int e = starts[i]; e < starts[i + 1]; e++) {
        const float dx = place[0] - points[others[e]], dy = place[1] - points[padded + others[e]];
        const float w = weights[e] / (1.0f + dx * dx + dy * dy);
        pull[0] += w * dx;
        pull[1] += w * dy;
    }
    for (int a = 0; a < 2; a++) {
        global float *velocity = motion + 2 * a * padded, *gain = velocity + padded;
        const float slope = 4.0f * (hyper[0] * pull[a] - force[a * padded + i] / total[0]);
        const float grown = (slope > 0.0f) != (velocity[i] > 0.0f) ? gain[i] + 0.2f : gain[i] * 0.8f;
        gain[i] = max(grown, 0.01f);
        velocity[i] = hyper[1] * velocity[i] - hyper[2] * gain[i] * slope;
        moved[a * padded + i] = place[a] + velocity[i];
    }
}
