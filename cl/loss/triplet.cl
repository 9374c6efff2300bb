/* The triplet loss (FaceNet, arXiv 1503.03832) over all triplets of an anchor, a positive p and a negative n:
 *   mining all:       the mean of d_p - d_n + margin where that is positive
 *   mining semihard:  the same, only of triplets with d_p < d_n
 *   soft:             the mean over all triplets of log(1 + exp(d_p - d_n))
 * d being the distances to the anchor.
 *
 * Neither the N x N distances nor the triplets are stored. The anchors' positives are: their distances, sorted,
 * for a block of anchors at a time. A negative's triplets are then a range of that list, found by binary
 * search: time N^2 log N, not N^3. (The soft loss goes through the lists.) For each block:
 *   triplet_lists     lists of the block's anchors; how many triplets each positive is in; the loss's share
 *   triplet_gradient  what the block's anchors give to every row (rows: all, columns: the block)
 *   triplet_gradient  what they get themselves                   (rows: the block, columns: all)
 * Gradients gather in du, in the workspace. */
#ifndef METRIC
#define METRIC 0 /* of d: 0 Euclidean, 1 squared Euclidean, 2 cosine: 1 - s */
#endif
#ifndef SOFT
#define SOFT 0
#endif
#ifndef SEMIHARD
#define SEMIHARD 0
#endif
#define DISTANCE (METRIC < 2)
#define STATS 1
#include "loss/pairs.h"
#include "loss/metric.h"

/* Behind the shares of `groups` groups: du (padded,DP), the lists (block,most), how many triplets a positive
 * is in (block,most), lengths (block). */
#define DU(w)        (PART(w) + (size_t)groups * PARTS)
#define LIST(w, a)   (DU(w) + (size_t)padded * DP + (size_t)(a)*most)
#define COUNT(w, a)  (LIST(w, block) + (size_t)(a)*most)
#define LENGTH(w)    ((global int *)COUNT(w, block))
#define LISTS        const int groups, const int block, const int most, const int base
#define LISTS_ARGS   groups, block, most, base

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

void sift_down(global float *list, int root, const int n) {
    const float value = list[root];
    for (int child = 2 * root + 1; child < n; child = 2 * root + 1) {
        if (child + 1 < n && list[child + 1] > list[child])
            child++;
        if (!(list[child] > value))
            break;
        list[root] = list[child];
        root = child;
    }
    list[root] = value;
}

/* Heapsort: in place. */
void sort(global float *list, const int n) {
    for (int root = n / 2 - 1; root >= 0; root--)
        sift_down(list, root, n);
    for (int end = n - 1; end > 0; end--) {
        const float top = list[0];
        list[0] = list[end];
        list[end] = top;
        sift_down(list, 0, end);
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

/* Appends one row's positives of a tile to its list. */
int gather(const float *s, const int row, const int n0, const int end, const global float *work,
           const int padded, global float *list, int n) {
    float d[NR];
    for (int j = 0; j < NV; j++)
        VSTORE(metric(VLOAD(j, s)), j, d);
    for (int c = 0; c < min(NR, end - n0); c++)
        if (ID(work)[n0 + c] == ID(work)[row] && n0 + c != row)
            list[n++] = d[c];
    return n;
}

/* Counts one row's negatives of a tile into its list's differences (or, if soft, sums); returns their share
 * of the loss and adds to the number of triplets. */
float count_negatives(const float *s, const int row, const int n0, const int end,
                      const global float *work, const int padded, const global float *list,
                      global float *count, const int n, const float margin, ulong *triplets) {
    float d[NR], loss = 0.0f;
    int low = 0, high = n;
    for (int j = 0; j < NV; j++)
        VSTORE(metric(VLOAD(j, s)), j, d);
    for (int c = 0; c < min(NR, end - n0) && n > 0; c++) {
        if (ID(work)[n0 + c] == ID(work)[row])
            continue;
        if (SOFT) {
            for (int k = 0; k < n; k++) {
                const float x = list[k] - d[c];
                loss += (x > 0.0f ? x : x == x ? 0.0f : x) + log1p(exp(-fabs(x)));
                count[k] += sigmoid(x);
            }
            *triplets += n;
            continue;
        }
        find_range(list, n, d[c], margin, &low, &high);
        if (low < n)
            count[low] += 1.0f;
        if (high < n)
            count[high] -= 1.0f;
        loss += (float)(high - low) * (margin - d[c]) + (d[c] == d[c] ? 0.0f : d[c]);
        *triplets += high - low;
    }
    return loss;
}

/* Differences become the number of triplets of each positive; returns their share of the loss. */
float finish_counts(const global float *list, global float *count, const int n) {
    float loss = 0.0f, running = 0.0f;
    for (int k = 0; k < n; k++) {
        running += count[k];
        count[k] = running;
        loss += running * list[k] + (list[k] == list[k] ? 0.0f : list[k]);
    }
    return loss;
}

/* A group: MR anchors of the block that begins at `base`. */
TILE_KERNEL void triplet_lists(global float *restrict work, const int rows, const int padded,
                               LISTS, const float margin) {
    const int slot = (int)get_group_id(0) * MR, row0 = base + slot;
    const int anchors = min(MR, min(rows, base + block) - row0);
    float s[MR * NR], loss = 0.0f;
    int n[MR];
    ulong triplets = 0;
    for (int i = 0; i < anchors; i++)
        n[i] = 0;
    for (int n0 = 0; n0 < rows; n0 += NR) {
        similarity(U(work) + (size_t)row0 * DP, PANEL(work) + (size_t)n0 * D, 1.0f, s, NR);
        for (int i = 0; i < anchors; i++)
            n[i] = gather(s + i * NR, row0 + i, n0, rows, work, padded, LIST(work, slot + i), n[i]);
    }
    for (int i = 0; i < anchors; i++) {
        LENGTH(work)[slot + i] = n[i];
        sort(LIST(work, slot + i), n[i]);
        for (int k = 0; k < n[i]; k++)
            COUNT(work, slot + i)[k] = 0.0f;
    }
    for (int n0 = 0; n0 < rows; n0 += NR) {
        similarity(U(work) + (size_t)row0 * DP, PANEL(work) + (size_t)n0 * D, 1.0f, s, NR);
        for (int i = 0; i < anchors; i++)
            loss += count_negatives(s + i * NR, row0 + i, n0, rows, work, padded,
                                    LIST(work, slot + i), COUNT(work, slot + i), n[i], margin,
                                    &triplets);
    }
    for (int i = 0; i < (SOFT ? 0 : anchors); i++)
        loss += finish_counts(LIST(work, slot + i), COUNT(work, slot + i), n[i]);
    const int share = base / block * ((block + MR - 1) / MR) + (int)get_group_id(0);
    PART(work)[share * PARTS] = loss;
    PART(work)[share * PARTS + 1] = (float)triplets;
}

/* Weights of one row and panel; the anchor is the column, or the row if `own`. */
void weigh_row(float *s, const int row, const int n0, const int end, const bool own,
               const global float *work, const int padded, LISTS, const float margin,
               float *total) {
    float g[NR];
    vec sum = (vec)(0.0f);
    for (int j = 0; j < NV; j++)
        VSTORE(metric(VLOAD(j, s)), j, s);
    for (int c = 0; c < NR; c++) {
        const int anchor = (own ? row : n0 + c) - base;
        const bool there = n0 + c < end && n0 + c != row;
        g[c] = there ? slope_of(LIST(work, anchor), COUNT(work, anchor), LENGTH(work)[anchor], s[c],
                                ID(work)[n0 + c] == ID(work)[row], margin)
                     : 0.0f;
    }
    for (int j = 0; j < NV; j++) {
        const vec slope = VLOAD(j, g);
        const vec w = slope == 0.0f ? (vec)(0.0f) : weight_of(VLOAD(j, s), slope);
        VSTORE(w, j, s);
        sum += w;
    }
    *total += sum_lanes(sum);
}

/* du of rows [first, last), `per` a group, from columns [base, base + block) or, if `own`, from all. */
TILE_KERNEL void triplet_gradient(global float *restrict work, const int rows, const int padded,
                                  LISTS, const float margin, const int first, const int last,
                                  const int per, const int own) {
    const int row0 = first + (int)get_group_id(0) * per, mine = min(per, last - row0);
    const int start = own ? 0 : base, end = own ? rows : min(base + block, rows);
    float du[BI * DP], w[BI * BJ], total[BI];
    for (int r = 0; r < BI; r++)
        total[r] = 0.0f;
    for (int k = 0; k < BI * DP; k++)
        du[k] = 0.0f;
    for (int n0 = start; n0 < end; n0 += BJ) {
        const int columns = min(BJ, PANELS_OF(end - n0));
        for (int n = 0; n < columns; n += NR)
            for (int r = 0; r < mine; r += MR) {
                similarity(U(work) + (size_t)(row0 + r) * DP, PANEL(work) + (size_t)(n0 + n) * D,
                           1.0f, w + r * BJ + n, BJ);
                for (int i = 0; i < min(MR, mine - r); i++)
                    weigh_row(w + (r + i) * BJ + n, row0 + r + i, n0 + n, end, own, work, padded,
                              LISTS_ARGS, margin, &total[r + i]);
            }
        for (int r = 0; r < mine; r += MR)
            accumulate(w + r * BJ, U(work) + (size_t)n0 * DP, du + r * DP, columns);
    }
    const bool begins = !own && base == 0;
    for (int r = 0; r < mine; r++)
        for (int k = 0; k < DP; k++) {
            const size_t at = (size_t)(row0 + r) * DP + k;
            const float change = du[r * DP + k] - (DISTANCE ? total[r] * U(work)[at] : 0.0f);
            DU(work)[at] = (begins ? 0.0f : DU(work)[at]) + change;
        }
}

/* dz of `per` rows a group. */
TILE_KERNEL void triplet_finish(const global float *restrict work, global float *restrict dz,
                                const int rows, const int padded, const int groups, const int per) {
    const int row0 = (int)get_group_id(0) * per;
    float du[DP];
    for (int r = row0; r < min(row0 + per, rows); r++) {
        for (int k = 0; k < DP; k++)
            du[k] = DU(work)[(size_t)r * DP + k];
        denormalize(du, U(work) + (size_t)r * DP, INVERSE(work)[r], FACTOR(work)[OF_LOSS],
                    dz + (size_t)r * D);
    }
}
