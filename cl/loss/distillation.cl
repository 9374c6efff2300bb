/* Distillation (Hinton et al., arXiv 1503.02531; SimCLR v2, 2006.10029, equation 2): the cross-entropy of a student's
 * scores z with a teacher's y, both divided by a temperature, the mean over all rows, and if asked for that of the
 * labels, the mean over the rows that have one (equation 3):
 *   L = - 1/rows sum_r sum_k t_k log s_k  -  weight of labels / labelled sum_r log softmax(z)[label],
 *   t = softmax(y / T),  s = softmax(z / T);  dL/dz = (s - t) / (T rows)  +  weight of labels (p - q) / labelled.
 * Row r has the label r % images; a negative one is none. */
#include "group.h"

#ifndef K
#define K 10 /* classes, a multiple of VW */
#endif
#include "loss/scores.h"

/* Adds the labels' part of a row to its gradient; returns its loss but for the factor. All items together. */
float by_label(const global float *restrict z, const int label, const float factor,
               global float *restrict dz, SHARED float *lanes) {
    const float all = log_sum(z, 1.0f, lanes);
    for EACH(j, K / VW)
        VSTORE(VLOAD(j, dz) + exp(VLOAD(j, z) - all) * factor, j, dz);
    GLOBAL_BARRIER();
    if (LANE == 0)
        dz[label] -= factor;
    return all - z[label];
}

/* Groups: chunks of rows. */
GROUP_KERNEL void distillation_rows(const global float *restrict z,       // (views*images,K)
                                    const global float *restrict teacher, // (views*images,K)
                                    const global int *restrict labels,    // (images), or NULL
                                    global float *restrict dz,            // (views*images,K)
                                    global float *restrict part,          // (groups)
                                    const int images, const int views, const float sharpness,
                                    const float weight, const float label_weight) {
    SHARED float lanes[LANES];
    const int rows = views * images, per = CHUNK(rows, (int)get_num_groups(0));
    const int first = (int)get_group_id(0) * per;
    const float factor = weight / (float)rows;
    const float count = label_weight > 0.0f ? labelled(labels, images, views, lanes) : 0.0f;
    const float label_factor = weight * label_weight / fmax(count, 1.0f);
    float loss = 0.0f, label_loss = 0.0f;
    for (int r = first; r < min(first + per, rows); r++) {
        const global float *x = z + (size_t)r * K, *y = teacher + (size_t)r * K;
        const float xl = log_sum(x, sharpness, lanes), yl = log_sum(y, sharpness, lanes);
        vec share = (vec)(0.0f);
        for EACH(j, K / VW) {
            const vec s = VLOAD(j, x) * sharpness - xl, t = exp(VLOAD(j, y) * sharpness - yl);
            share -= t * s;
            VSTORE((exp(s) - t) * (factor * sharpness), j, dz + (size_t)r * K);
        }
        loss += sum_lanes(share, lanes);
        if (label_weight > 0.0f && labels[r % images] >= 0)
            label_loss += by_label(x, labels[r % images], label_factor, dz + (size_t)r * K, lanes);
    }
    if (LANE == 0)
        part[get_group_id(0)] = loss * factor + label_loss * label_factor;
}

/* One group. */
GROUP_KERNEL void distillation_merge(const global float *restrict part,
                                     global float *restrict value, // (1)
                                     const int groups) {
    SHARED float lanes[LANES];
    merge_parts(part, value, groups, lanes);
}
