/* Weighted k-nearest-neighbour classification (Wu et al., arXiv 1805.01978). */
#include "common.h"

#ifndef NEIGHBOURS
#define NEIGHBOURS 8
#define CLASSES 10
#endif

/* y = x / |x| row by row; a zero row stays zero. Groups: chunks of rows. */
TILE_KERNEL void knn_normalize(const global float *restrict x, // (rows,dim)
                               global float *restrict y, const int rows, const int dim) {
    const int per = CHUNK(rows, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int r = first; r < min(first + per, rows); r++) {
        const global float *from = x + (size_t)r * dim;
        float sum = 0.0f;
        for (int i = 0; i < dim; i++)
            sum += from[i] * from[i];
        const float scale = sum > 0.0f ? 1.0f / sqrt(sum) : 0.0f;
        for (int i = 0; i < dim; i++)
            y[(size_t)r * dim + i] = from[i] * scale;
    }
}

/* Whether neighbour a ranks behind b: less similar or, if equal, later. */
#define BEHIND(va, ia, vb, ib) ((va) < (vb) || ((va) == (vb) && (ia) > (ib)))

/* Puts (v,i) into a heap of n places at place p whose both branches are in order: the last-ranked on top. */
void sift_down(float *value, int *index, const int n, int p, const float v, const int i) {
    for (;;) {
        int child = 2 * p + 1;
        if (child >= n)
            break;
        if (child + 1 < n &&
            BEHIND(value[child + 1], index[child + 1], value[child], index[child]))
            child++;
        if (!BEHIND(value[child], index[child], v, i))
            break;
        value[p] = value[child];
        index[p] = index[child];
        p = child;
    }
    value[p] = v;
    index[p] = i;
}

/* Class with the greatest sum of exp(similarity / T) over the NEIGHBOURS most similar bank rows; ties go to
 * the lower row and class. One group a query. */
TILE_KERNEL void knn_vote(const global float *restrict similarity, // (queries,bank)
                          const global int *restrict labels,       // (bank)
                          global int *restrict predicted,          // (queries)
                          const int bank, const float temperature) {
    const int q = get_group_id(0);
    const global float *row = similarity + (size_t)q * bank;
    float value[NEIGHBOURS], score[CLASSES], greatest = -INFINITY;
    int index[NEIGHBOURS], best = 0;
    for (int i = 0; i < NEIGHBOURS; i++) {
        value[i] = row[i];
        index[i] = i;
    }
    for (int p = NEIGHBOURS / 2; p-- > 0;)
        sift_down(value, index, NEIGHBOURS, p, value[p], index[p]);
    for (int i = NEIGHBOURS; i < bank;) {
        /* Most rows are no neighbours: 16 at a time are passed over. */
        if (i + 16 <= bank && !any(vload16(0, row + i) > value[0])) {
            i += 16;
            continue;
        }
        for (int end = min(i + 16, bank); i < end; i++)
            if (row[i] > value[0])
                sift_down(value, index, NEIGHBOURS, 0, row[i], i);
    }
    for (int i = 0; i < NEIGHBOURS; i++)
        greatest = fmax(greatest, value[i]);
    for (int c = 0; c < CLASSES; c++)
        score[c] = 0.0f;
    for (int i = 0; i < NEIGHBOURS; i++)
        score[labels[index[i]]] += exp((value[i] - greatest) / temperature);
    for (int c = 1; c < CLASSES; c++)
        best = score[c] > score[best] ? c : best;
    predicted[q] = best;
}
