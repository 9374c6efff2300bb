/* What losses on scores of K classes share. Include it behind group.h, with K a multiple of VW. */
#ifndef SCORES_H
#define SCORES_H

/* How many of the rows have a label: each group counts them itself. */
float labelled(const global int *restrict labels, const int images, const int views,
               SHARED float *lanes) {
    float sum = 0.0f;
    for EACH(i, images)
        sum += labels[i] < 0 ? 0.0f : 1.0f;
    return sum_items(sum, lanes) * (float)views;
}

/* log sum exp of a row times `scale`, for all items of a group together. */
float log_sum(const global float *restrict z, const float scale, SHARED float *lanes) {
    vec most = (vec)(-MAXFLOAT), sum = (vec)(0.0f);
    for EACH(j, K / VW) {
        const vec v = VLOAD(j, z) * scale;
        most = v > most ? v : most;
    }
    const float top = most_of_lanes(most, lanes);
    for EACH(j, K / VW)
        sum += exp(VLOAD(j, z) * scale - top);
    return top + log(sum_lanes(sum, lanes));
}

/* The sum of what the groups found; one group. */
void merge_parts(const global float *restrict part, global float *restrict value, const int groups,
                 SHARED float *lanes) {
    float sum = 0.0f;
    for EACH(g, groups)
        sum += part[g];
    const float all = sum_items(sum, lanes);
    if (LANE == 0)
        value[0] = all;
}

#endif
