#include "eval/correlation.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

double clc_cosine(const float *a, const float *b, size_t dim) {
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < dim; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    if (isnan(ab))
        return NAN;
    return aa > 0 && bb > 0 ? ab / (sqrt(aa) * sqrt(bb)) : 0;
}

/* By rounding, equal values may differ from their mean. */
static bool varies(const double *x, size_t n) {
    for (size_t i = 1; i < n; i++)
        if (x[i] < x[0] || x[i] > x[0])
            return true;
    return false;
}

double clc_pearson(const double *x, const double *y, size_t n) {
    double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
    if (!varies(x, n) || !varies(y, n))
        return NAN;
    for (size_t i = 0; i < n; i++) {
        mean_x += x[i] / (double)n;
        mean_y += y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        const double dx = x[i] - mean_x, dy = y[i] - mean_y;
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    return xx > 0 && yy > 0 ? xy / (sqrt(xx) * sqrt(yy)) : NAN;
}

typedef struct ranked {
    double value;
    size_t place;
} ranked;

static int by_value(const void *a, const void *b) {
    const double x = ((const ranked *)a)->value, y = ((const ranked *)b)->value;
    return (x > y) - (x < y);
}

static clc_status rank_all(const double *x, size_t n, double *ranks) {
    clc_status status = CLC_OK;
    ranked *sorted = NULL;
    CLC_NEW(sorted, n);
    for (size_t i = 0; i < n; i++)
        sorted[i] = (ranked){x[i], i};
    qsort(sorted, n, sizeof *sorted, by_value);
    for (size_t first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n && !(sorted[end].value > sorted[first].value);)
            end++;
        for (size_t i = first; i < end; i++)
            ranks[sorted[i].place] = (double)(first + end - 1) / 2;
    }
fail:
    free(sorted);
    return status;
}

static bool all_finite(const double *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

clc_status clc_spearman(const double *x, const double *y, size_t n, double *correlation) {
    clc_status status = CLC_OK;
    double *ranks = NULL;
    *correlation = NAN;
    if (!all_finite(x, n) || !all_finite(y, n))
        return CLC_OK;
    CLC_NEW(ranks, 2 * n);
    CLC_TRY(rank_all(x, n, ranks));
    CLC_TRY(rank_all(y, n, ranks + n));
    *correlation = clc_pearson(ranks, ranks + n, n);
fail:
    free(ranks);
    return status;
}
