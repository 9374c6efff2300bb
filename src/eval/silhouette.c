#include "eval/silhouette.h"

#include "eval/centres.h"

#include <math.h>

/* Clusters that have rows, numbered without gaps. */
typedef struct clusters {
    int32_t *of;     /* (n) */
    int64_t *counts; /* (k) */
    int k;
} clusters;

static void clusters_free(clusters *c) {
    free(c->of);
    free(c->counts);
}

static clc_status clusters_make(const int32_t *numbers, size_t n, int most, clusters *c) {
    clc_status status = CLC_OK;
    int32_t *named = NULL; /* the number of each, + 1 */
    CLC_NEW(named, most);
    CLC_NEW(c->of, n);
    CLC_NEW(c->counts, most);
    for (size_t i = 0; i < n; i++) {
        if (numbers[i] < 0 || numbers[i] >= most)
            CLC_TRY(clc_fail(CLC_INVALID, "cluster %d of row %zu is outside the %d there are",
                             (int)numbers[i], i, most));
        if (!named[numbers[i]])
            named[numbers[i]] = ++c->k;
        c->of[i] = named[numbers[i]] - 1;
        c->counts[c->of[i]]++;
    }
fail:
    free(named);
    return status;
}

/* Of a row by its cosines with the means of all clusters. */
static double silhouette(const float *cosines, int32_t own, const clusters *c) {
    const double count = (double)c->counts[own];
    double a, b = INFINITY;
    if (count < 2)
        return 0;
    /* Its cosine with itself, 1, is in the mean of its own. */
    a = 1 - (count * (double)cosines[own] - 1) / (count - 1);
    for (int k = 0; k < c->k; k++)
        if (k != own)
            b = fmin(b, 1 - (double)cosines[k]);
    return fmax(a, b) > 0 ? (b - a) / fmax(a, b) : 0;
}

static clc_status sum_clusters(clc_centres *c, const clusters *of) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_centres_clear(c));
    for (size_t first = 0; first < c->features->rows; first += c->rows) {
        CLC_TRY(clc_centres_load(c, first));
        CLC_TRY(clc_centres_add(c, of->of + first));
    }
    CLC_TRY(clc_centres_mean(c, of->counts));
fail:
    return status;
}

static clc_status measure(clc_centres *c, const clusters *of, double *samples, double *sum) {
    clc_status status = CLC_OK;
    const size_t k = (size_t)c->k;
    float *cosines = NULL;
    CLC_NEW(cosines, c->block * k);
    for (size_t first = 0; first < c->features->rows; first += c->rows) {
        CLC_TRY(clc_centres_load(c, first));
        CLC_TRY(clc_centres_multiply(c));
        CLC_TRY(clc_buffer_read(c->device, c->products, 0, c->rows * k * sizeof *cosines, cosines));
        for (size_t r = 0; r < c->rows; r++) {
            const double s = silhouette(cosines + r * k, of->of[first + r], of);
            *sum += s;
            if (samples)
                samples[first + r] = s;
        }
    }
fail:
    free(cosines);
    return status;
}

clc_status clc_silhouette(clc_device *device, const clc_features *features, const int32_t *numbers,
                          int k, double *samples, double *mean) {
    clc_status status = CLC_OK;
    clusters of = {0};
    clc_centres centres = {0};
    double sum = 0;
    *mean = NAN;
    CLC_TRY(clusters_make(numbers, features->rows, k, &of));
    if (of.k < 2)
        goto fail;
    CLC_TRY(clc_centres_make(device, features, of.k, &centres));
    CLC_TRY(sum_clusters(&centres, &of));
    CLC_TRY(measure(&centres, &of, samples, &sum));
    *mean = sum / (double)features->rows;
fail:
    clc_centres_release(&centres);
    clusters_free(&of);
    return status;
}
