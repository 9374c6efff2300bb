/* Multinomial logistic regression on standardised features, by SGD with momentum. Groups handle chunks of rows, whose
 * features their items share, or chunks of something else, whose elements they share. */
#include "common.h"

/* Sums of a chunk of rows for mean and variance: part (groups,2,dim). */
GROUP_KERNEL void linear_moments(const global float *restrict x, // (rows,dim)
                                 global float *restrict part, const int rows, const int dim) {
    const int g = (int)get_group_id(0), per = CHUNK(rows, (int)get_num_groups(0));
    const int first = min(g * per, rows), last = min(first + per, rows);
    global float *sum = part + (size_t)g * 2 * dim, *squares = sum + dim;
    for EACH(i, dim)
        sum[i] = squares[i] = 0.0f;
    for (int r = first; r < last; r++)
        for EACH(i, dim) {
            const float v = x[(size_t)r * dim + i] - x[i]; /* about the first row */
            sum[i] += v;
            squares[i] += v * v;
        }
}

/* Squared length that standardised rows have at most, on average. It is the sum of the covariance's
 * eigenvalues and so bounds the loss's curvature: one rate is stable for any number of features. */
#define MOST_LENGTH 128.0f

/* standard (2,dim): mean and the factor of a feature, 1 / its standard deviation, less for more
 * than MOST_LENGTH features, and 0 for a constant one, whose sums about the first row are exactly 0.
 * Groups: chunks of features. */
GROUP_KERNEL void linear_standard(const global float *restrict x, const global float *restrict part,
                                  global float *restrict standard, const int rows, const int dim,
                                  const int groups) {
    const int per = CHUNK(dim, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    const float length = min(1.0f, sqrt(MOST_LENGTH / (float)dim));
    for EACH_FROM(i, first, min(first + per, dim)) {
        float sum = 0.0f, squares = 0.0f;
        for (int g = 0; g < groups; g++) {
            sum += part[(size_t)g * 2 * dim + i];
            squares += part[(size_t)g * 2 * dim + dim + i];
        }
        const float mean = sum / (float)rows, variance = squares / (float)rows - mean * mean;
        standard[i] = mean + x[i];
        standard[dim + i] = variance > FLT_MIN ? length / sqrt(variance) : 0.0f;
    }
}

/* Rows of a batch, standardised: row i of `batch` is x[order[start + i]]; without order
 * x[start + i]. start = state[0] * count. */
GROUP_KERNEL void linear_gather(const global float *restrict x,        // (rows,dim)
                                const global float *restrict standard, // (2,dim)
                                const global int *restrict order, const global int *restrict state,
                                global float *restrict batch, // (count,dim)
                                const int count, const int dim, const int ordered, const int rows) {
    const int per = CHUNK(count, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int i = first; i < min(first + per, count); i++) {
        const int at = min(state[0] * count + i, rows - 1), row = ordered ? order[at] : at;
        for EACH(j, dim)
            batch[(size_t)i * dim + j] =
                (x[(size_t)row * dim + j] - standard[j]) * standard[dim + j];
    }
}

/* logits (count,classes) become the gradient (softmax - one-hot) / count. */
GROUP_KERNEL void linear_softmax(global float *restrict logits, const global float *restrict bias,
                                 const global int *restrict labels, const global int *restrict order,
                                 const global int *restrict state, const int count,
                                 const int classes) {
    const int per = CHUNK(count, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for EACH_FROM(i, first, min(first + per, count)) {
        global float *row = logits + (size_t)i * classes;
        float greatest = -INFINITY, sum = 0.0f;
        for (int c = 0; c < classes; c++) {
            row[c] += bias[c];
            greatest = fmax(greatest, row[c]);
        }
        for (int c = 0; c < classes; c++) {
            row[c] = exp(row[c] - greatest);
            sum += row[c];
        }
        for (int c = 0; c < classes; c++)
            row[c] /= sum * (float)count;
        row[labels[order[state[0] * count + i]]] -= 1.0f / (float)count;
    }
}

/* Of the whole set, a block of rows at a time: logits (count,classes) become the gradient (softmax - one-hot) / rows,
 * and losses (count) the rows' cross-entropy / rows. Rows beyond the last are 0 in both. */
GROUP_KERNEL void linear_loss(global float *restrict logits, const global float *restrict bias,
                              const global int *restrict labels, const global int *restrict state,
                              global float *restrict losses, const int count, const int classes,
                              const int rows) {
    const int per = CHUNK(count, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for EACH_FROM(i, first, min(first + per, count)) {
        global float *row = logits + (size_t)i * classes;
        const int at = state[0] * count + i, label = labels[min(at, rows - 1)];
        const float weight = at < rows ? 1.0f / (float)rows : 0.0f;
        float greatest = -INFINITY, sum = 0.0f;
        for (int c = 0; c < classes; c++) {
            row[c] += bias[c];
            greatest = fmax(greatest, row[c]);
        }
        const float right = row[label] - greatest;
        for (int c = 0; c < classes; c++) {
            row[c] = exp(row[c] - greatest);
            sum += row[c];
        }
        for (int c = 0; c < classes; c++)
            row[c] *= weight / sum;
        row[label] -= weight;
        losses[i] = (log(sum) - right) * weight;
    }
}

/* Sums of each column of gradients (count,classes), behind the losses: sums[count + class]. One group. */
GROUP_KERNEL void linear_sums(const global float *restrict gradient, global float *restrict sums, const int count,
                              const int classes) {
    for EACH(c, classes) {
        float sum = 0.0f;
        for (int i = 0; i < count; i++)
            sum += gradient[(size_t)i * classes + c];
        sums[count + c] = sum;
    }
}

/* SGD with momentum on the weights (dim,classes) and, in the last group, the bias. rates: one a
 * step of training; state: the batch of the epoch, the step of training. */
GROUP_KERNEL void linear_update(global float *restrict weight, global float *restrict momentum,
                                const global float *restrict grad, // (dim,classes)
                                const global float *restrict logits, // (count,classes): gradients
                                global float *restrict bias,         // (2,classes): value, momentum
                                const global float *restrict rates, const global int *restrict state,
                                const int dim, const int classes, const int count, const float mu,
                                const float decay) {
    const float rate = rates[state[1]];
    const int groups = (int)get_num_groups(0) - 1, g = (int)get_group_id(0), n = dim * classes;
    if (g < groups) {
        const int per = CHUNK(n, groups);
        for EACH_FROM(i, g * per, min(g * per + per, n)) {
            momentum[i] = mu * momentum[i] + grad[i] + decay * weight[i];
            weight[i] -= rate * momentum[i];
        }
        return;
    }
    for EACH(c, classes) {
        float sum = 0.0f;
        for (int i = 0; i < count; i++)
            sum += logits[(size_t)i * classes + c];
        bias[classes + c] = mu * bias[classes + c] + sum;
        bias[c] -= rate * bias[classes + c];
    }
}

/* The next batch: one item. */
TILE_KERNEL void linear_advance(global int *restrict state, const int batches) {
    state[0] = (state[0] + 1) % batches;
    state[1]++;
}

/* Class with the greatest logit; ties go to the lower. */
GROUP_KERNEL void linear_predict(const global float *restrict logits,
                                 const global float *restrict bias, global int *restrict predicted,
                                 const int count, const int classes) {
    const int per = CHUNK(count, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for EACH_FROM(i, first, min(first + per, count)) {
        const global float *row = logits + (size_t)i * classes;
        int best = 0;
        for (int c = 1; c < classes; c++)
            best = row[c] + bias[c] > row[best] + bias[best] ? c : best;
        predicted[i] = best;
    }
}
