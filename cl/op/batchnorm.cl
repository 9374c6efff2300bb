/* Batch normalisation with ReLU and residual (Ioffe and Szegedy, arXiv 1502.03167).
 *
 * Rows are all of N, H and W; channels C. A group handles a chunk of rows. With several splits each of them,
 * `rows` consecutive rows, is normalised by itself: the second group number. `saved` holds (splits,6,C): mean,
 * 1/sqrt(variance + eps), scale = weight * that, shift = bias - mean * scale, and two coefficients of the
 * backward pass. `floor_value` is 0 for ReLU and
 * -infinity for none; comparisons let NaN through. */
#include "common.h"

#ifndef C
#define C 16
#endif
#define CV (C / VW)
#define EPSILON 1e-5f

/* The vectors of channels of an item: CPU: a group is one item, which takes all. GPU: LS items a group take one
 * each, so that neighbours read neighbouring channels; the third group number is the block of channels. */
#if CPU_KERNELS
#define JS CV
#define J_FIRST 0
#define J_LAST CV
#define COLUMN ((int)get_group_id(0))
#else
#define JS 1
#define J_FIRST min((int)((int)get_group_id(2) * LS + get_local_id(0)), CV)
#define J_LAST min(J_FIRST + 1, CV)
#define COLUMN ((int)get_global_id(0)) /* in the kernels over vectors of channels; may be CV or more */
#endif

/* This split's first row, and its part of (splits,6,C) and (splits,groups,2,C). */
#define ROW0       ((size_t)get_group_id(1) * rows)
#define SAVED      (saved + (size_t)get_group_id(1) * 6 * C)
#define PART       (part + ((int)get_group_id(1) * get_num_groups(0) + get_group_id(0)) * 2 * C)

#define RECTIFY(v) ((v) < floor_value ? (vec)(floor_value) : (v))

/* Sums of each chunk about its own first row, so that a large mean costs no digits:
 * part (groups,2,C) receives the chunk's mean and its sum of squared deviations. */
GROUP_KERNEL void batchnorm_statistics(const global float *restrict x, // (rows,C)
                                      global float *restrict part,    // (groups,2,C)
                                      const int rows) {
    const int g = (int)get_group_id(0), per = CHUNK(rows, (int)get_num_groups(0));
    const int first = min(g * per, rows), last = min(first + per, rows);
    vec pivot[JS], sum[JS], squares[JS];
    for (int j = J_FIRST; j < J_LAST; j++) {
        pivot[j - J_FIRST] = first < last ? VLOAD(j, x + (ROW0 + first) * C) : (vec)(0.0f);
        sum[j - J_FIRST] = squares[j - J_FIRST] = (vec)(0.0f);
    }
    for (int r = first; r < last; r++)
        for (int j = J_FIRST; j < J_LAST; j++) {
            const vec d = VLOAD(j, x + (ROW0 + r) * C) - pivot[j - J_FIRST];
            sum[j - J_FIRST] += d;
            squares[j - J_FIRST] += d * d;
        }
    const float scale = first < last ? 1.0f / (float)(last - first) : 0.0f;
    for (int j = J_FIRST; j < J_LAST; j++) {
        VSTORE(pivot[j - J_FIRST] + sum[j - J_FIRST] * scale, j, PART);
        VSTORE(squares[j - J_FIRST] - sum[j - J_FIRST] * sum[j - J_FIRST] * scale, j, PART + C);
    }
}

/* Merges one split's chunks in order (Chan, Golub and LeVeque 1979): its mean and sum of squares. */
void merge_chunks(const global float *part, const int j, const int rows, const int groups,
                  vec *mean, vec *squares) {
    const int per = CHUNK(rows, groups);
    int n = 0;
    *mean = *squares = (vec)(0.0f);
    for (int g = 0; g < groups; g++) {
        const int m = min(per, rows - g * per);
        if (m <= 0)
            break;
        const vec delta = VLOAD(j, part + (size_t)g * 2 * C) - *mean;
        const float share = (float)m / (float)(n + m);
        *squares += VLOAD(j, part + (size_t)g * 2 * C + C) + delta * delta * ((float)n * share);
        *mean += delta * share;
        n += m;
    }
}

/* One item for VW channels. The running averages take in the mean over the splits. With `fixed` they take the
 * place of the rows' statistics, and stay. */
GROUP_KERNEL void batchnorm_merge(const global float *restrict part,   // (splits,groups,2,C)
                                 const global float *restrict weight, // (C)
                                 const global float *restrict bias,   // (C)
                                 global float *restrict running_mean, // (C)
                                 global float *restrict running_variance, // (C)
                                 global float *restrict saved,            // (splits,6,C)
                                 const int rows, const int groups, const int splits,
                                 const float momentum, const int fixed) {
    const int j = COLUMN;
    if (j >= CV)
        return;
    vec means = (vec)(0.0f), variances = (vec)(0.0f);
    for (int split = 0; split < splits; split++) {
        vec mean = VLOAD(j, running_mean), squares = VLOAD(j, running_variance) * (float)rows;
        if (!fixed)
            merge_chunks(part + (size_t)split * groups * 2 * C, j, rows, groups, &mean, &squares);
        const vec inverse = (vec)(1.0f) / sqrt(squares / (float)rows + EPSILON);
        const vec scale = VLOAD(j, weight) * inverse;
        global float *to = saved + (size_t)split * 6 * C;
        VSTORE(mean, j, to);
        VSTORE(inverse, j, to + C);
        VSTORE(scale, j, to + 2 * C);
        VSTORE(VLOAD(j, bias) - mean * scale, j, to + 3 * C);
        means += mean;
        variances += squares / (float)max(rows - 1, 1);
    }
    if (momentum == 0.0f || fixed)
        return;
    const float share = momentum / (float)splits;
    VSTORE(VLOAD(j, running_mean) * (1.0f - momentum) + means * share, j, running_mean);
    VSTORE(VLOAD(j, running_variance) * (1.0f - momentum) + variances * share, j,
           running_variance);
}

/* y = max(scale x + shift [+ residual], floor). */
GROUP_KERNEL void batchnorm_apply(const global float *restrict x,     // (rows,C)
                                 const global float *restrict saved, // (6,C)
                                 global float *restrict y,           // (rows,C)
                                 const int rows, const float floor_value) {
    const int per = CHUNK(rows, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, rows); r++)
        for (int j = J_FIRST; j < J_LAST; j++) {
            const vec v = VLOAD(j, x + (ROW0 + r) * C) * VLOAD(j, SAVED + 2 * C) +
                          VLOAD(j, SAVED + 3 * C);
            VSTORE(RECTIFY(v), j, y + (ROW0 + r) * C);
        }
}

GROUP_KERNEL void batchnorm_apply_residual(const global float *restrict x,        // (rows,C)
                                          const global float *restrict saved,    // (6,C)
                                          const global float *restrict residual, // (rows,C)
                                          global float *restrict y,              // (rows,C)
                                          const int rows, const float floor_value) {
    const int per = CHUNK(rows, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, rows); r++)
        for (int j = J_FIRST; j < J_LAST; j++) {
            const vec v = VLOAD(j, x + (ROW0 + r) * C) * VLOAD(j, SAVED + 2 * C) +
                          VLOAD(j, SAVED + 3 * C) + VLOAD(j, residual + (ROW0 + r) * C);
            VSTORE(RECTIFY(v), j, y + (ROW0 + r) * C);
        }
}

/* Scale and shift from the running statistics: rows 2 and 3 of saved. One item for VW channels. */
GROUP_KERNEL void batchnorm_inference(const global float *restrict weight,           // (C)
                                     const global float *restrict bias,             // (C)
                                     const global float *restrict running_mean,     // (C)
                                     const global float *restrict running_variance, // (C)
                                     global float *restrict saved) {                // (6,C)
    const int j = COLUMN;
    if (j >= CV)
        return;
    const vec scale = VLOAD(j, weight) / sqrt(VLOAD(j, running_variance) + EPSILON);
    VSTORE(scale, j, saved + 2 * C);
    VSTORE(VLOAD(j, bias) - VLOAD(j, running_mean) * scale, j, saved + 3 * C);
}

/* Sums for the backward pass: with d = dy where the output was not cut off,
 * part (groups,2,C) receives sum d and sum d (x - mean). */
GROUP_KERNEL void batchnorm_backward_sums(const global float *restrict x,     // (rows,C)
                                         const global float *restrict dy,    // (rows,C)
                                         const global float *restrict saved, // (6,C)
                                         global float *restrict part,        // (groups,2,C)
                                         const int rows, const float floor_value) {
    const int g = (int)get_group_id(0), per = CHUNK(rows, (int)get_num_groups(0));
    const int first = min(g * per, rows), last = min(first + per, rows);
    vec sum[JS], product[JS];
    for (int j = J_FIRST; j < J_LAST; j++)
        sum[j - J_FIRST] = product[j - J_FIRST] = (vec)(0.0f);
    for (int r = first; r < last; r++)
        for (int j = J_FIRST; j < J_LAST; j++) {
            const vec v = VLOAD(j, x + (ROW0 + r) * C);
            const vec y = v * VLOAD(j, SAVED + 2 * C) + VLOAD(j, SAVED + 3 * C);
            const vec d = y <= floor_value ? (vec)(0.0f) : VLOAD(j, dy + (ROW0 + r) * C);
            sum[j - J_FIRST] += d;
            product[j - J_FIRST] += d * (v - VLOAD(j, SAVED));
        }
    for (int j = J_FIRST; j < J_LAST; j++) {
        VSTORE(sum[j - J_FIRST], j, PART);
        VSTORE(product[j - J_FIRST], j, PART + C);
    }
}

/* The same behind a residual: the mask comes from the output y, and d, which is the residual's gradient,
 * is written so that the next pass needs neither y nor dy; or it is added with `accumulate`; or, without `wanted`,
 * dresidual is left alone. */
GROUP_KERNEL void batchnorm_backward_sums_residual(const global float *restrict x,     // (rows,C)
                                                  const global float *restrict dy,    // (rows,C)
                                                  const global float *restrict y,     // (rows,C)
                                                  const global float *restrict saved, // (6,C)
                                                  global float *restrict dresidual,   // (rows,C)
                                                  global float *restrict part, // (groups,2,C)
                                                  const int rows, const float floor_value,
                                                  const int wanted, const int accumulate) {
    const int g = (int)get_group_id(0), per = CHUNK(rows, (int)get_num_groups(0));
    const int first = min(g * per, rows), last = min(first + per, rows);
    vec sum[JS], product[JS];
    for (int j = J_FIRST; j < J_LAST; j++)
        sum[j - J_FIRST] = product[j - J_FIRST] = (vec)(0.0f);
    for (int r = first; r < last; r++)
        for (int j = J_FIRST; j < J_LAST; j++) {
            const vec v = VLOAD(j, x + (ROW0 + r) * C);
            const vec d = VLOAD(j, y + (ROW0 + r) * C) <= floor_value
                              ? (vec)(0.0f)
                              : VLOAD(j, dy + (ROW0 + r) * C);
            global float *to = dresidual + (ROW0 + r) * C;
            if (wanted)
                VSTORE(accumulate ? d + VLOAD(j, to) : d, j, to);
            sum[j - J_FIRST] += d;
            product[j - J_FIRST] += d * (v - VLOAD(j, SAVED));
        }
    for (int j = J_FIRST; j < J_LAST; j++) {
        VSTORE(sum[j - J_FIRST], j, PART);
        VSTORE(product[j - J_FIRST], j, PART + C);
    }
}

/* dweight, dbias and the two coefficients of
 * dx = scale (d - mean(d) - xhat mean(d xhat)) = scale d + saved[4] (x - mean) + saved[5]; with `fixed`
 * statistics those are 0. */
GROUP_KERNEL void batchnorm_backward_merge(const global float *restrict part,  // (splits,groups,2,C)
                                          global float *restrict saved,       // (splits,6,C)
                                          global float *restrict dweight,     // (C)
                                          global float *restrict dbias,       // (C)
                                          const int rows, const int groups, const int splits,
                                          const int fixed) {
    const int j = COLUMN;
    if (j >= CV)
        return;
    vec weights = (vec)(0.0f), biases = (vec)(0.0f);
    for (int split = 0; split < splits; split++) {
        const global float *from = part + (size_t)split * groups * 2 * C;
        global float *to = saved + (size_t)split * 6 * C;
        vec sum = (vec)(0.0f), product = (vec)(0.0f);
        for (int g = 0; g < groups; g++) {
            sum += VLOAD(j, from + (size_t)g * 2 * C);
            product += VLOAD(j, from + (size_t)g * 2 * C + C);
        }
        const vec inverse = VLOAD(j, to + C);
        const vec scale = fixed ? (vec)(0.0f) : VLOAD(j, to + 2 * C) / (float)rows;
        VSTORE(-scale * inverse * inverse * product, j, to + 4 * C);
        VSTORE(-scale * sum, j, to + 5 * C);
        weights += product * inverse;
        biases += sum;
    }
    VSTORE(weights, j, dweight);
    VSTORE(biases, j, dbias);
}

/* dx, or dx += with `accumulate`, from d = dy, cut off where the output was; behind a residual d is given and floor
 * -infinity. */
GROUP_KERNEL void batchnorm_backward_apply(const global float *restrict x,     // (rows,C)
                                          const global float *restrict dy,    // (rows,C)
                                          const global float *restrict saved, // (6,C)
                                          global float *restrict dx,          // (rows,C)
                                          const int rows, const float floor_value,
                                          const int accumulate) {
    const int per = CHUNK(rows, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, rows); r++)
        for (int j = J_FIRST; j < J_LAST; j++) {
            const vec v = VLOAD(j, x + (ROW0 + r) * C), scale = VLOAD(j, SAVED + 2 * C);
            const vec y = v * scale + VLOAD(j, SAVED + 3 * C);
            const vec d = y <= floor_value ? (vec)(0.0f) : VLOAD(j, dy + (ROW0 + r) * C);
            const vec g = scale * d + (v - VLOAD(j, SAVED)) * VLOAD(j, SAVED + 4 * C) +
                          VLOAD(j, SAVED + 5 * C);
            global float *to = dx + (ROW0 + r) * C;
            VSTORE(accumulate ? g + VLOAD(j, to) : g, j, to);
        }
}

/* The same behind a residual whose gradient isn't d alone: the mask comes from the output y again. */
GROUP_KERNEL void batchnorm_backward_apply_residual(const global float *restrict x,     // (rows,C)
                                                   const global float *restrict dy,    // (rows,C)
                                                   const global float *restrict y,     // (rows,C)
                                                   const global float *restrict saved, // (6,C)
                                                   global float *restrict dx,          // (rows,C)
                                                   const int rows, const float floor_value,
                                                   const int accumulate) {
    const int per = CHUNK(rows, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, rows); r++)
        for (int j = J_FIRST; j < J_LAST; j++) {
            const vec v = VLOAD(j, x + (ROW0 + r) * C), scale = VLOAD(j, SAVED + 2 * C);
            const vec d = VLOAD(j, y + (ROW0 + r) * C) <= floor_value
                              ? (vec)(0.0f)
                              : VLOAD(j, dy + (ROW0 + r) * C);
            const vec g = scale * d + (v - VLOAD(j, SAVED)) * VLOAD(j, SAVED + 4 * C) +
                          VLOAD(j, SAVED + 5 * C);
            global float *to = dx + (ROW0 + r) * C;
            VSTORE(accumulate ? g + VLOAD(j, to) : g, j, to);
        }
}
