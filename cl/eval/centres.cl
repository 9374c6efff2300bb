/* Rows of length 1 and the centres of clusters of them: distances, the nearest centre, sums of clusters. */
#include "group.h"

/* The squared distance of each row to row 0 of `centres`. Groups handle chunks of rows. */
GROUP_KERNEL void centres_distance(const global float *restrict unit,    // (block,dim)
                                   const global float *restrict centres, // (k,dim)
                                   global float *restrict distances,     // (block)
                                   const int rows, const int dim) {
    const int per = CHUNK(rows, (int)get_num_groups(0)), start = (int)get_group_id(0) * per;
    const int whole = dim / VW;
    SHARED float lanes[LANES];
    for (int r = start; r < min(start + per, rows); r++) {
        const global float *row = unit + (size_t)r * dim;
        vec squares = (vec)(0.0f);
        for EACH(j, whole) {
            const vec d = VLOAD(j, row) - VLOAD(j, centres);
            squares += d * d;
        }
        float sum = sum_lanes(squares, lanes);
        for (int i = whole * VW; i < dim; i++)
            sum += (row[i] - centres[i]) * (row[i] - centres[i]);
        if (LANE == 0)
            distances[r] = sum;
    }
}

/* The nearest centre by |x|^2 / 2 - d^2 / 2 = x c - |c|^2 / 2, and that score; the lower one of equal ones. One item
 * a row. */
GROUP_KERNEL void centres_assign(const global float *restrict products, // (block,k): x c
                                 const global float *restrict halves,   // (k): |c|^2 / 2
                                 global int *restrict assigned,         // (block)
                                 global float *restrict scores,         // (block)
                                 const int rows, const int k) {
    const int r = (int)get_global_id(0);
    if (r >= rows)
        return;
    const global float *row = products + (size_t)r * k;
    float greatest = row[0] - halves[0];
    int best = 0;
    for (int c = 1; c < k; c++) {
        const float score = row[c] - halves[c];
        best = score > greatest ? c : best;
        greatest = score > greatest ? score : greatest;
    }
    assigned[r] = best;
    scores[r] = greatest;
}

/* Adds the rows of each cluster to its sum: first those of the block, in their order, so that many rows lose little
 * to rounding. Groups handle chunks of the columns, each item its own. */
GROUP_KERNEL void centres_sum(const global float *restrict unit,   // (block,dim)
                              const global int *restrict assigned, // (block)
                              global float *restrict part,         // (k,dim)
                              global float *restrict sums,         // (k,dim)
                              const int rows, const int k, const int dim) {
    const int per = CHUNK(CHUNK(dim, VW), (int)get_num_groups(0)) * VW;
    const int start = min((int)get_group_id(0) * per, dim), columns = min(per, dim - start), whole = columns / VW;
    for (int c = 0; c < k; c++)
        for EACH(i, columns)
            part[(size_t)c * dim + start + i] = 0.0f;
    for (int r = 0; r < rows; r++) {
        const global float *row = unit + (size_t)r * dim + start;
        global float *to = part + (size_t)assigned[r] * dim + start;
        for EACH(j, whole)
            VSTORE(VLOAD(j, to) + VLOAD(j, row), j, to);
        for EACH_FROM(i, whole * VW, columns)
            to[i] += row[i];
    }
    for (int c = 0; c < k; c++)
        for EACH(i, columns)
            sums[(size_t)c * dim + start + i] += part[(size_t)c * dim + start + i];
}
