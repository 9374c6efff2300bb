/* The lists of the triplet loss: an anchor's positives, sorted, and how many triplets each is in. triplet.cl says what
 * for. */

/* Behind the shares of `groups` groups: du (padded,DP), the lists (block,most), how many triplets a positive
 * is in (block,most), lengths (block). */
#define DU(w)        (PART(w) + (size_t)groups * PARTS)
#define LIST(w, a)   (DU(w) + (size_t)padded * DP + (size_t)(a)*most)
#define COUNT(w, a)  (LIST(w, block) + (size_t)(a)*most)
#define DIFFERENCE(w, a) ((global int *)COUNT(w, a)) /* of neighbours' numbers, while those are counted */
#define LENGTH(w)    ((global int *)COUNT(w, block))
#define LISTS        const int groups, const int block, const int most, const int base
#define LISTS_ARGS   groups, block, most, base

/* Items count into the same integers. */
#if CPU_KERNELS
#define ADD(p, x) (*(p) += (x))
#else
#define ADD(p, x) atomic_add(p, x)
#endif

/* How many of the n sorted values are below x, and not above x. */
int below(const global float *list, const int n, const float x) {
    int low = 0, high = n;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (list[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int not_above(const global float *list, const int n, const float x) {
    int low = 0, high = n;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (list[middle] <= x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Puts two elements in order, if both are there. */
void exchange(global float *list, const int n, const int i, const int j) {
    if (j < n) {
        const float a = list[i], b = list[j];
        list[i] = a > b ? b : a;
        list[j] = a > b ? a : b;
    }
}

/* A bitonic network (Batcher 1968) whose exchanges all go upwards: those with elements beyond n fall away. */
void sort(global float *list, const int n) {
    for (int half_size = 1; half_size < n; half_size *= 2) {
        const int pairs = (n + 2 * half_size - 1) / (2 * half_size) * half_size;
        for EACH(t, pairs) {
            const int at = t & (half_size - 1), first = 2 * (t - at);
            exchange(list, n, first + at, first + 2 * half_size - 1 - at);
        }
        GLOBAL_BARRIER();
        for (int step = half_size / 2; step > 0; step /= 2) {
            for EACH(t, pairs) {
                const int at = 2 * t - (t & (step - 1));
                exchange(list, n, at, at + step);
            }
            GLOBAL_BARRIER();
        }
    }
}

float sigmoid(const float x) {
    const float e = exp(-fabs(x));
    return (x > 0.0f ? 1.0f : e) / (1.0f + e);
}

/* A negative's triplets: positives [*low, *high) of the list. */
void find_range(const global float *list, const int n, const float d, const float margin, int *low,
                int *high) {
    *low = not_above(list, n, d - margin);
    *high = SEMIHARD ? below(list, n, d) : n;
    *high = max(*high, *low);
}

/* dL/dd of a pair of an anchor, its triplets counting 1 each. */
float slope_of(const global float *list, const global float *count, const int n, const float d,
               const bool same, const float margin) {
    float sum = 0.0f;
    int low, high;
    if (d != d)
        return d;
    if (n == 0)
        return 0.0f;
    if (same)
        return count[min(below(list, n, d), n - 1)];
    if (!SOFT) {
        find_range(list, n, d, margin, &low, &high);
        return -(float)(high - low);
    }
    for (int k = 0; k < n; k++)
        sum -= sigmoid(list[k] - d);
    return sum;
}

/* Whether vector j's column l of the panel at n0 is another vector of the row's id (or, with `same` false, of another
 * id). */
bool is_paired(const int row, const int n0, const int j, const int l, const int end, const bool same,
               const global float *work, const int padded) {
    const int column = COLUMN(n0, j) + l;
    return column < end && column != row && (ID(work)[column] == ID(work)[row]) == same;
}

/* Appends one row's positives of a panel to its list of *n, in any order: how many the items before this one have tells
 * it where to begin. */
void gather(const SHARED float *s, const int row, const int n0, const int end,
            const global float *work, const int padded, global float *list, SHARED int *n,
            SHARED int *found) {
    int mine = 0, to = 0;
    UNROLL(NV)
    for (int j = 0; j < NV; j++)
        for (int l = 0; l < VW; l++)
            mine += is_paired(row, n0, j, l, end, true, work, padded);
    BARRIER();
    found[LANE] = mine;
    BARRIER();
    for (int item = 0; item < LANE; item++)
        to += found[item];
    to += *n;
    BARRIER();
    UNROLL(NV)
    for (int j = 0; j < NV; j++) {
        float d[VW];
        VSTORE(metric(VLOAD(MINE(j), s)), 0, d);
        for (int l = 0; l < VW; l++)
            if (is_paired(row, n0, j, l, end, true, work, padded))
                list[to++] = d[l];
    }
    if (LANE == LS - 1)
        *n = to;
}

/* Counts one row's negatives of a panel into its list's differences; returns their share of the loss and adds to the
 * number of triplets. */
float count_negatives(const SHARED float *s, const int row, const int n0, const int end,
                      const global float *work, const int padded, const global float *list,
                      global int *difference, const int n, const float margin, ulong *triplets) {
    float d[NT], loss = 0.0f;
    int low = 0, high = n;
    UNROLL(NV)
    for (int j = 0; j < NV; j++) {
        VSTORE(metric(VLOAD(MINE(j), s)), j, d);
        for (int l = 0; l < VW; l++) {
            const float x = d[j * VW + l];
            if (n == 0 || !is_paired(row, n0, j, l, end, false, work, padded))
                continue;
            find_range(list, n, x, margin, &low, &high);
            if (low < n)
                ADD(difference + low, 1);
            if (high < n)
                ADD(difference + high, -1);
            loss += (float)(high - low) * (margin - x) + (x == x ? 0.0f : x);
            *triplets += high - low;
        }
    }
    return loss;
}

/* The same of the soft loss, of LS positives at a time: `part` (LS,LS+1) receives what an item's negatives give to each
 * of them. */
float add_negatives(const SHARED float *s, const int row, const int n0, const int end,
                    const global float *work, const int padded, const global float *list,
                    global float *count, const int n, SHARED float *part, ulong *triplets) {
    float d[NT], loss = 0.0f;
    UNROLL(NV)
    for (int j = 0; j < NV; j++)
        VSTORE(metric(VLOAD(MINE(j), s)), j, d);
    for (int k0 = 0; k0 < n; k0 += LS) {
        BARRIER();
        for (int k = k0; k < min(k0 + LS, n); k++) {
            float sum = 0.0f;
            UNROLL(NV)
            for (int j = 0; j < NV; j++)
                for (int l = 0; l < VW; l++) {
                    const float x = list[k] - d[j * VW + l];
                    if (!is_paired(row, n0, j, l, end, false, work, padded))
                        continue;
                    loss += (x > 0.0f ? x : x == x ? 0.0f : x) + log1p(exp(-fabs(x)));
                    sum += sigmoid(x);
                    *triplets += 1;
                }
            part[(k - k0) * (LS + 1) + LANE] = sum;
        }
        BARRIER();
        for EACH(k, min(LS, n - k0))
            for (int item = 0; item < LS; item++)
                count[k0 + k] += part[k * (LS + 1) + item];
    }
    return loss;
}

/* Differences become the number of triplets of each positive; returns their share of the loss. An item has consecutive
 * positives, and counts on from what the items before it found. */
float finish_counts(const global float *list, global float *count, const int n, SHARED int *found) {
    const global int *difference = (const global int *)count;
    const int per = CHUNK(n, LS), first = min(LANE * per, n), last = min(first + per, n);
    int running = 0;
    float loss = 0.0f;
    for (int k = first; k < last; k++)
        running += difference[k];
    BARRIER();
    found[LANE] = running;
    BARRIER();
    running = 0;
    for (int item = 0; item < LANE; item++)
        running += found[item];
    for (int k = first; k < last; k++) {
        running += difference[k];
        count[k] = (float)running;
        loss += (float)running * list[k] + (list[k] == list[k] ? 0.0f : list[k]);
    }
    return loss;
}
