/* Where the most similar of the relevant rows stands among all of a bank, without the matrix of
 * similarities: tiles of it come twice, first for that row's similarity, then to count the others.
 *
 * Rows are relevant in sets: of query q, sets[query_starts[q]] to before query_starts[q + 1], and of
 * set s the rows items[set_starts[s]] to before set_starts[s + 1], ascending. */
#include "group.h"

/* The first of the ascending items in [i, end) that is at least `row`; `end` if none is. */
int first_from(const global int *items, const int row, int i, int end) {
    while (i < end) {
        const int middle = i + (end - i) / 2;
        if (items[middle] < row)
            i = middle + 1;
        else
            end = middle;
    }
    return i;
}

/* The greatest similarity of each query with the relevant rows of a tile, whose columns are the rows
 * from `first` on, or what `best` was before. NaN never enters. One item a query. */
GROUP_KERNEL void retrieval_best(const global float *restrict similarity, // (queries,stride)
                                 const global int *restrict query_starts, // (all queries + 1)
                                 const global int *restrict sets,         // (query_starts[all])
                                 const global int *restrict set_starts,   // (sets + 1)
                                 const global int *restrict items,        // (set_starts[sets])
                                 global float *restrict best,             // (queries)
                                 const int first_query, const int queries,
                                 const int first, const int columns, const int stride) {
    const int q = (int)get_global_id(0);
    if (q >= queries)
        return;
    const global float *row = similarity + (size_t)q * stride;
    float greatest = best[q];
    for (int s = query_starts[first_query + q]; s < query_starts[first_query + q + 1]; s++) {
        const int end = set_starts[sets[s] + 1];
        for (int i = first_from(items, first, set_starts[sets[s]], end);
             i < end && items[i] - first < columns; i++)
            greatest = fmax(greatest, row[items[i] - first]);
    }
    best[q] = greatest;
}

/* Adds to `counts`, of the columns of a tile: those more similar than `best`, NaN among them; those
 * as similar; and of these the relevant ones. One group a query. A tile's counts are exact in float. */
GROUP_KERNEL void retrieval_count(const global float *restrict similarity, // (queries,stride)
                                  const global int *restrict query_starts, // (all queries + 1)
                                  const global int *restrict sets,         // (query_starts[all])
                                  const global int *restrict set_starts,   // (sets + 1)
                                  const global int *restrict items,        // (set_starts[sets])
                                  const global float *restrict best,       // (queries)
                                  global int *restrict counts,             // (queries,3)
                                  const int first_query, const int queries,
                                  const int first, const int columns, const int stride) {
    const int q = (int)get_group_id(0), whole = columns / VW;
    if (q >= queries)
        return;
    const global float *row = similarity + (size_t)q * stride;
    const float limit = best[q];
    const vec one = (vec)(1.0f), none = (vec)(0.0f);
    vec below = none, equal = none;
    SHARED float lanes[LANES];
    for EACH(j, whole) {
        const vec v = VLOAD(j, row);
        below += v < limit ? one : none;
        equal += v == limit ? one : none;
    }
    float less = sum_lanes(below, lanes), same = sum_lanes(equal, lanes);
    for (int i = whole * VW; i < columns; i++) {
        less += row[i] < limit ? 1.0f : 0.0f;
        same += row[i] == limit ? 1.0f : 0.0f;
    }
    if (LANE != 0)
        return;
    int relevant = 0;
    for (int s = query_starts[first_query + q]; s < query_starts[first_query + q + 1]; s++) {
        const int end = set_starts[sets[s] + 1];
        for (int i = first_from(items, first, set_starts[sets[s]], end);
             i < end && items[i] - first < columns; i++)
            relevant += row[items[i] - first] == limit;
    }
    counts[3 * q] += columns - (int)less - (int)same;
    counts[3 * q + 1] += (int)same;
    counts[3 * q + 2] += relevant;
}
