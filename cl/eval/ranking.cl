/* Where all relevant rows of a bank stand for each query, without the matrix of similarities. Rows of the bank lie
 * class by class, class c from starts[c] on, so that what is relevant for a query is one range of them. Its
 * similarities are gathered and sorted; tiles of all others then only count, between which of the relevant ones
 * each falls. A table of the relevant ones by value tells where to look. */
#include "group.h"

/* The rows that are relevant for query number q of all: `self` says whether it is a row of the bank, which is then
 * not among them. */
#define RELEVANT(starts, c, self) ((starts)[(c) + 1] - (starts)[c] - (self))

/* Takes the similarities with relevant rows out of a tile, whose columns are rows from `first` on. One that isn't
 * finite ranks last. One group a query. */
GROUP_KERNEL void ranking_gather(const global float *restrict similarity, // (queries,stride)
                                 const global int *restrict classes,      // (all queries), < 0: none
                                 const global int *restrict starts,       // (classes + 1)
                                 global float *restrict relevant,         // (queries + 1,most)
                                 const int first_query, const int queries,
                                 const int first, const int columns, const int stride,
                                 const int self, const int most) {
    const int q = (int)get_group_id(0), c = q < queries ? classes[first_query + q] : -1;
    if (c < 0)
        return;
    const global float *row = similarity + (size_t)q * stride;
    global float *to = relevant + (size_t)q * most;
    const int begin = max(starts[c], first), end = min(starts[c + 1], first + columns);
    const int own = self ? first_query + q : INT_MAX;
    for EACH_FROM(i, begin, end) {
        const float v = row[i - first];
        if (i != own)
            to[i - starts[c] - (i > own)] = v >= -2.0f && v <= 2.0f ? v : -INFINITY;
    }
}

#if CPU_KERNELS
/* Bits that order as the floats do, the greatest first. */
uint falling(const uint bits) {
    return bits & 0x80000000u ? bits : bits ^ 0x7fffffffu;
}

/* By digits of 8 bits, the lowest first: four times from one array to the other and back. */
void sort_falling(global uint *values, global uint *spare, const int n) {
    for (int shift = 0; shift < 32; shift += 8) {
        int ends[257];
        for (int d = 0; d <= 256; d++)
            ends[d] = 0;
        for (int i = 0; i < n; i++)
            ends[(falling(values[i]) >> shift & 255) + 1]++;
        for (int d = 0; d < 256; d++)
            ends[d + 1] += ends[d];
        for (int i = 0; i < n; i++)
            spare[ends[falling(values[i]) >> shift & 255]++] = values[i];
        global uint *other = values;
        values = spare;
        spare = other;
    }
}
#else
/* A bitonic network whose comparisons all put the greater one first, so that it sorts any number: what would be
 * behind the end stays there. */
void sort_falling(global float *values, const int n) {
    for (int size = 2; size / 2 < n; size *= 2)
        for (int step = size / 2; step > 0; step /= 2) {
            const int partner = step == size / 2 ? size - 1 : step;
            GLOBAL_BARRIER();
            for EACH(i, n) {
                const int other = i ^ partner;
                if (other > i && other < n && values[other] > values[i]) {
                    const float greater = values[other];
                    values[other] = values[i];
                    values[i] = greater;
                }
            }
        }
    GLOBAL_BARRIER();
}
#endif

/* Which part of the values between the greatest and the least relevant one, from the greatest down, holds v; what lies
 * beyond is in the first or last. It never falls where v does. */
int part_of(const float v, const float greatest, const float scale, const int parts) {
    const float place = (greatest - v) * scale, last = (float)(parts - 1);
    return place > 0.0f ? (int)(place < last ? place : last) : 0;
}

float scale_of(const global float *relevant, const int n, const int parts) {
    const float least = fmax(relevant[max(n, 1) - 1], -1.0f), width = relevant[0] - least;
    return width > 1e-30f ? (float)parts / width : 0.0f;
}

/* Steps of a search among up to n values. */
int steps_of(const int n) {
    int steps = 0;
    while (n >> steps)
        steps++;
    return steps;
}

/* Sorts each query's relevant similarities, the greatest first; table[p] is how many lie in parts before p, and behind
 * all parts stand the steps of a search in the fullest. The counts become 0. One group a query. */
GROUP_KERNEL void ranking_sort(const global int *restrict classes, // (all queries), < 0: none
                               const global int *restrict starts,  // (classes + 1)
                               global float *relevant,             // (queries + 1,most)
                               global int *counts,                 // (queries,2 most + 1)
                               global int *restrict table,         // (queries,parts + 2)
                               const int first_query, const int queries,
                               const int self, const int most, const int parts) {
    const int q = (int)get_group_id(0), c = q < queries ? classes[first_query + q] : -1;
    const int n = c < 0 ? 0 : RELEVANT(starts, c, self);
    global float *values = relevant + (size_t)q * most;
    global int *count = counts + (size_t)q * (2 * most + 1), *entry = table + (size_t)q * (parts + 2);
#if CPU_KERNELS
    sort_falling((global uint *)values, (global uint *)count, n);
#else
    sort_falling(values, n);
#endif
    const int last = max(n, 1) - 1;
    const float greatest = values[0], scale = scale_of(values, n, parts);
    for EACH(i, n) {
        const int from = i ? part_of(values[i - 1], greatest, scale, parts) + 1 : 0;
        const int to = part_of(values[i], greatest, scale, parts);
        for (int p = from; p <= to; p++)
            entry[p] = i;
    }
    for EACH_FROM(p, part_of(values[last], greatest, scale, parts) + 1, parts + 1)
        entry[p] = n;
    for EACH(i, 2 * n + 1)
        count[i] = 0;
    GLOBAL_BARRIER();
    if (LANE == 0) {
        int fullest = 0;
        for (int p = 0; p < parts; p++)
            fullest = max(fullest, entry[p + 1] - entry[p]);
        entry[parts + 1] = steps_of(fullest);
    }
}

/* All bits if a is less than b, else none. */
#define LESS(a, b)       (as_int((a) - (b)) >> 31)
#define LESS_COUNT(a, b) (((a) - (b)) >> 31)

/* Counts the values: [2 i] those between relevant ones i - 1 and i, [2 i + 1] those that equal i and not i - 1. All
 * values take the same steps, and none is a branch, which would be taken at random: so several are under way at once,
 * on CPUs a batch of them step by step, as vectors. For that, up to n numbers behind the relevant ones are read, but
 * make no difference. An inlined function's own `restrict` would be a scope of aliasing, which Oclgrind doesn't know. */
#if CPU_KERNELS
#define BATCH 256

INLINE void count_batch(const global float *values, const int batch, const global float *relevant, const int n,
                        const global int *table, const int parts, global int *counts) {
    const float greatest = relevant[0], scale = scale_of(relevant, n, parts);
    float v[BATCH];
    int low[BATCH], high[BATCH];
    for (int j = 0; j < batch; j++) {
        v[j] = fabs(values[j]) <= 2.0f ? values[j] : INFINITY;
        const int part = part_of(v[j], greatest, scale, parts);
        low[j] = table[part];
        high[j] = table[part + 1];
    }
    for (int step = 1 << table[parts + 1] >> 1; step > 0; step >>= 1)
        for (int j = 0; j < batch; j++)
            low[j] += step & ~LESS_COUNT(high[j], low[j] + step) & LESS(v[j], relevant[low[j] + step - 1]);
    for (int j = 0; j < batch; j++)
        low[j] = 2 * low[j] + ((low[j] < n) & (relevant[low[j]] == v[j]));
    for (int j = 0; j < batch; j++)
        counts[low[j]]++;
}

void count_values(const global float *values, const int begin, const int end,
                  const global float *relevant, const int n,
                  const global int *table, const int parts, global int *counts) {
    int j = begin;
    for (; j + BATCH <= end; j += BATCH)
        count_batch(values + j, BATCH, relevant, n, table, parts, counts);
    count_batch(values + j, end - j, relevant, n, table, parts, counts);
}
#else
void count_values(const global float *values, const int begin, const int end,
                  const global float *relevant, const int n,
                  const global int *table, const int parts, global int *counts) {
    const float greatest = relevant[0], scale = scale_of(relevant, n, parts);
    const int stride = 1 << table[parts + 1] >> 1;
    for EACH_FROM(j, begin, end) {
        const float v = fabs(values[j]) <= 2.0f ? values[j] : INFINITY;
        const int part = part_of(v, greatest, scale, parts), high = table[part + 1];
        int low = table[part];
        for (int step = stride; step > 0; step >>= 1)
            low += step & ~LESS_COUNT(high, low + step) & LESS(v, relevant[low + step - 1]);
        atomic_inc(&counts[2 * low + ((low < n) & (relevant[low] == v))]);
    }
}
#endif

/* Counts what is not relevant in a tile, whose columns are rows from `first` on; what is NaN goes before all. One
 * group a query. */
GROUP_KERNEL void ranking_count(const global float *restrict similarity, // (queries,stride)
                                const global int *restrict classes,      // (all queries), < 0: none
                                const global int *restrict starts,       // (classes + 1)
                                const global float *restrict relevant,   // (queries + 1,most), sorted
                                const global int *restrict table,        // (queries,parts + 2)
                                global int *restrict counts,             // (queries,2 most + 1)
                                const int first_query, const int queries,
                                const int first, const int columns, const int stride,
                                const int self, const int most, const int parts) {
    const int q = (int)get_group_id(0), c = q < queries ? classes[first_query + q] : -1;
    const int n = c < 0 ? 0 : RELEVANT(starts, c, self);
    if (n <= 0)
        return;
    const global float *row = similarity + (size_t)q * stride, *known = relevant + (size_t)q * most;
    const global int *entry = table + (size_t)q * (parts + 2);
    global int *count = counts + (size_t)q * (2 * most + 1);
    const int begin = clamp(starts[c] - first, 0, columns), end = clamp(starts[c + 1] - first, 0, columns);
    count_values(row, 0, begin, known, n, entry, parts, count);
    count_values(row, end, columns, known, n, entry, parts, count);
}
