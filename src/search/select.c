#include "search/select.h"

#include "core/log.h"
#include "core/signals.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* ---- diverse ---- */

typedef struct rows_of {
    const float *unit; /* (rows,dim) */
    size_t rows;
    int dim;
} rows_of;

static float product(const rows_of *x, const float *a, size_t i) {
    const float *b = x->unit + i * (size_t)x->dim;
    float sum = 0;
    for (int d = 0; d < x->dim; d++)
        sum += a[d] * b[d];
    return sum;
}

/* The sample that is most like the mean of all. */
static clc_status most_central(const rows_of *x, size_t *best) {
    clc_status status = CLC_OK;
    float *mean = NULL, greatest = -FLT_MAX;
    CLC_NEW(mean, x->dim);
    for (size_t i = 0; i < x->rows; i++)
        for (int d = 0; d < x->dim; d++)
            mean[d] += x->unit[i * (size_t)x->dim + (size_t)d];
    *best = 0;
    for (size_t i = 0; i < x->rows; i++) {
        const float cosine = product(x, mean, i);
        if (cosine > greatest) {
            greatest = cosine;
            *best = i;
        }
    }
fail:
    free(mean);
    return status;
}

/* Takes the new centre into the cosines with the nearest centres; returns the sample that is the
 * farthest from all, the first of equals. */
static size_t farthest(const rows_of *x, size_t centre, float *nearest) {
    const float *with = x->unit + centre * (size_t)x->dim;
    size_t best = 0;
    for (size_t i = 0; i < x->rows; i++) {
        const float cosine = product(x, with, i);
        nearest[i] = cosine > nearest[i] ? cosine : nearest[i];
        best = nearest[i] < nearest[best] ? i : best;
    }
    return best;
}

clc_status clc_select_diverse(const float *unit, size_t rows, int dim, size_t n,
                              clc_selected *list) {
    clc_status status = CLC_OK;
    const rows_of x = {unit, rows, dim};
    float *nearest = NULL;
    size_t centre = 0;
    CLC_NEW(nearest, rows);
    for (size_t i = 0; i < rows; i++)
        nearest[i] = -FLT_MAX;
    CLC_TRY(most_central(&x, &centre));
    for (size_t i = 0; i < n; i++) {
        if (clc_signals_stop())
            CLC_TRY(clc_fail(CLC_INTERRUPTED, "interrupted after %zu of %zu", i, n));
        list[i] = (clc_selected){i ? (double)nearest[centre] : 0, centre};
        const size_t next = farthest(&x, centre, nearest);
        nearest[centre] = FLT_MAX; /* not again, even where all others are its copies */
        centre = next == centre ? farthest(&x, centre, nearest) : next;
        clc_live("selecting: %zu of %zu", i + 1, n);
    }
fail:
    clc_live("%s", "");
    free(nearest);
    return status;
}

/* ---- typical ---- */

void clc_typicality(const float *cosines, size_t rows, size_t k, double *typicality) {
    for (size_t i = 0; i < rows; i++) {
        double sum = 0;
        for (size_t j = 1; j < k; j++)
            sum += sqrt(fmax(0, 2 - 2 * (double)cosines[i * k + j]));
        typicality[i] = sum > 0 ? (double)(k - 1) / sum : INFINITY;
    }
}

/* A sample in its cluster. */
typedef struct member {
    double typicality;
    size_t sample, place; /* among those of its cluster, the most typical first */
    size_t cluster_size;
    int32_t cluster;
} member;

static int by_cluster(const void *a, const void *b) {
    const member *x = a, *y = b;
    if (x->cluster != y->cluster)
        return (x->cluster > y->cluster) - (x->cluster < y->cluster);
    if (x->typicality != y->typicality)
        return x->typicality > y->typicality ? -1 : 1;
    return (x->sample > y->sample) - (x->sample < y->sample);
}

static int by_turn(const void *a, const void *b) {
    const member *x = a, *y = b;
    if (x->place != y->place)
        return (x->place > y->place) - (x->place < y->place);
    if (x->cluster_size != y->cluster_size)
        return x->cluster_size > y->cluster_size ? -1 : 1;
    return (x->cluster > y->cluster) - (x->cluster < y->cluster);
}

clc_status clc_select_typical(const int32_t *assigned, const double *typicality, size_t rows, int k,
                              size_t n, clc_selected *list) {
    clc_status status = CLC_OK;
    member *members = NULL;
    size_t *sizes = NULL;
    CLC_NEW(members, rows);
    CLC_NEW(sizes, k);
    for (size_t i = 0; i < rows; i++)
        sizes[assigned[i]]++;
    for (size_t i = 0; i < rows; i++)
        members[i] = (member){typicality[i], i, 0, sizes[assigned[i]], assigned[i]};
    qsort(members, rows, sizeof *members, by_cluster);
    for (size_t i = 1; i < rows; i++)
        members[i].place =
            members[i].cluster == members[i - 1].cluster ? members[i - 1].place + 1 : 0;
    qsort(members, rows, sizeof *members, by_turn);
    for (size_t i = 0; i < n; i++)
        list[i] = (clc_selected){members[i].typicality, members[i].sample};
fail:
    free(members);
    free(sizes);
    return status;
}

/* ---- by doubt ---- */

double clc_doubt_of(const float *logits, int classes, clc_doubt kind) {
    double sum = 0, entropy = 0, second = 0;
    int best = 0;
    for (int c = 1; c < classes; c++)
        best = logits[c] > logits[best] ? c : best;
    const double greatest = (double)logits[best];
    for (int c = 0; c < classes; c++)
        sum += exp((double)logits[c] - greatest);
    for (int c = 0; c < classes; c++) {
        const double p = exp((double)logits[c] - greatest) / sum;
        entropy -= p > 0 ? p * log(p) : 0;
        second = c != best ? fmax(second, p) : second;
    }
    return kind == CLC_DOUBT_ENTROPY ? entropy : 1 / sum - second;
}

static int least_first(const void *a, const void *b) {
    const clc_selected *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                : (x->sample > y->sample) - (x->sample < y->sample);
}

static int greatest_first(const void *a, const void *b) {
    const clc_selected *x = a, *y = b;
    return x->value != y->value ? (x->value < y->value) - (x->value > y->value)
                                : (x->sample > y->sample) - (x->sample < y->sample);
}

clc_status clc_select_extreme(const double *values, size_t rows, bool greatest, size_t n,
                              clc_selected *list) {
    clc_status status = CLC_OK;
    clc_selected *all = NULL;
    CLC_NEW(all, rows);
    for (size_t i = 0; i < rows; i++)
        all[i] = (clc_selected){values[i], i};
    qsort(all, rows, sizeof *all, greatest ? greatest_first : least_first);
    for (size_t i = 0; i < n; i++)
        list[i] = all[i];
fail:
    free(all);
    return status;
}
