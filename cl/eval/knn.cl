/* Weighted k-nearest-neighbour classification (Wu et al., arXiv 1805.01978), a block of queries
 * against a block of the bank at a time. */
#include "group.h"

/* Whether neighbour a ranks behind b: less similar or, if equal, later. */
#define BEHIND(va, ia, vb, ib) ((va) < (vb) || ((va) == (vb) && (ia) > (ib)))

/* Replaces the top of a heap of n neighbours, which is the last-ranked one, by (v,i). */
void replace_last(global float *value, global int *index, const int n, const float v,
                  const int i) {
    int place = 0;
    for (int child = 1; child < n; child = 2 * place + 1) {
        if (child + 1 < n &&
            BEHIND(value[child + 1], index[child + 1], value[child], index[child]))
            child++;
        if (!BEHIND(value[child], index[child], v, i))
            break;
        value[place] = value[child];
        index[place] = index[child];
        place = child;
    }
    value[place] = v;
    index[place] = i;
}

#if VW == 1
#define ANY(v) (v)
#else
#define ANY(v) any(v)
#endif

/* Brings each query's k nearest neighbours so far, a heap that begins as (-infinity, no index), up
 * to date with `columns` similarities; column 0 is row `first` of the bank. Rows come in order, so
 * an equal one is later and stays out. NaN never enters. One group a query; on GPUs its items look
 * at LS rows together and the first enters those that are neighbours. */
GROUP_KERNEL void knn_select(const global float *restrict similarity, // (queries,stride)
                             global float *restrict values,           // (queries,k)
                             global int *restrict indices,            // (queries,k)
                             const int k, const int first, const int columns, const int stride) {
    const size_t q = (int)get_group_id(0);
    const global float *row = similarity + q * stride;
    global float *value = values + q * k;
    global int *index = indices + q * k;
#if CPU_KERNELS
    float last = value[0];
    for (int i = 0; i < columns;) {
        /* Most rows are no neighbours: a vector of them is passed over. */
        if (i + VW <= columns && !ANY(VLOAD(0, row + i) > last)) {
            i += VW;
            continue;
        }
        for (int end = min(i + VW, columns); i < end; i++)
            if (row[i] > last) {
                replace_last(value, index, k, row[i], first + i);
                last = value[0];
            }
    }
#else
    local float rows[LS], least[1];
    local int found[1];
    const int lane = (int)get_local_id(0);
    if (lane == 0) {
        least[0] = value[0];
        found[0] = 0;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = 0; i < columns; i += LS) {
        rows[lane] = i + lane < columns ? row[i + lane] : -INFINITY;
        if (rows[lane] > least[0])
            atomic_inc(found);
        barrier(CLK_LOCAL_MEM_FENCE);
        if (lane == 0 && found[0]) {
            for (int l = 0; l < LS; l++)
                if (rows[l] > value[0])
                    replace_last(value, index, k, rows[l], first + i + l);
            least[0] = value[0];
            found[0] = 0;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
#endif
}

/* The class with the greatest sum of exp(similarity / T); ties go to the lower class. The greatest
 * similarity is taken off each, so that nothing overflows at a small T. One item a query. */
GROUP_KERNEL void knn_vote(const global float *restrict values, // (queries,k)
                           const global int *restrict indices,  // (queries,k), < 0: none
                           const global int *restrict labels,   // (bank)
                           global float *restrict scores,       // (queries,classes)
                           global int *restrict predicted,      // (queries)
                           const int queries, const int k, const int classes, const float temperature) {
    const size_t q = get_global_id(0);
    if ((int)q >= queries)
        return;
    const global float *value = values + q * k;
    const global int *index = indices + q * k;
    global float *score = scores + q * classes;
    float greatest = -INFINITY;
    int best = 0;
    for (int i = 0; i < k; i++)
        greatest = fmax(greatest, value[i]);
    for (int c = 0; c < classes; c++)
        score[c] = 0.0f;
    for (int i = 0; i < k; i++)
        if (value[i] > -INFINITY)
            score[labels[index[i]]] += exp((value[i] - greatest) / temperature);
    for (int c = 1; c < classes; c++)
        best = score[c] > score[best] ? c : best;
    predicted[q] = best;
}
