/* Cross-entropy of scores of K classes with smoothed labels (Szegedy et al., arXiv 1512.00567, section 7), as
 * torch.nn.functional.cross_entropy: the mean over the rows that have a label y of
 *   - sum_k q_k log p_k,  p = softmax(z),  q_k = (1 - s) [k = y] + s / K;  dL/dz_k = (p_k - q_k) / rows.
 * A row whose label is negative counts nothing, and its gradient is 0. Row r has the label r % images. */
#include "group.h"

#ifndef K
#define K 10 /* classes, a multiple of VW */
#endif

#include "loss/scores.h"

/* Groups: chunks of rows. */
GROUP_KERNEL void crossentropy_rows(const global float *restrict z,    // (views*images,K)
                                    const global int *restrict labels, // (images)
                                    global float *restrict dz,         // (views*images,K)
                                    global float *restrict part,       // (groups)
                                    const int images, const int views, const float smoothing,
                                    const float weight) {
    SHARED float lanes[LANES];
    const int rows = views * images, per = CHUNK(rows, (int)get_num_groups(0));
    const int first = (int)get_group_id(0) * per;
    const float count = labelled(labels, images, views, lanes);
    const float factor = weight / fmax(count, 1.0f), even = smoothing / (float)K;
    float loss = 0.0f;
    for (int r = first; r < min(first + per, rows); r++) {
        const global float *row = z + (size_t)r * K;
        const int label = labels[r % images];
        const float l = log_sum(row, 1.0f, lanes);
        vec share = (vec)(0.0f);
        for EACH(j, K / VW) {
            const vec x = VLOAD(j, row) - l;
            share -= label < 0 ? (vec)(0.0f) : even * x;
            VSTORE(label < 0 ? (vec)(0.0f) : (exp(x) - even) * factor, j, dz + (size_t)r * K);
        }
        loss += sum_lanes(share, lanes);
        GLOBAL_BARRIER();
        if (label < 0)
            continue;
        loss -= (1.0f - smoothing) * (row[label] - l);
        if (LANE == 0)
            dz[(size_t)r * K + label] -= (1.0f - smoothing) * factor;
    }
    if (LANE == 0)
        part[get_group_id(0)] = loss * factor;
}

/* One group. */
GROUP_KERNEL void crossentropy_merge(const global float *restrict part,
                                     global float *restrict value, // (1)
                                     const int groups) {
    SHARED float lanes[LANES];
    merge_parts(part, value, groups, lanes);
}
