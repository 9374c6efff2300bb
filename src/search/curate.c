#include "search/curate.h"

#include "core/log.h"
#include "core/signals.h"
#include "device/open.h"
#include "eval/knn.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

clc_status clc_curation_open(const char *path, const char *device, const clc_curation *other,
                             clc_curation *c) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_index_open(path, &c->index));
    if (other)
        c->device = other->device;
    else
        CLC_TRY(clc_device_open(device, CLC_PROFILE_AUTO, &c->device));
    c->features = (clc_features){.rows = c->index->count, .dim = c->index->dim};
    CLC_TRY(clc_features_upload(c->device, c->index->features, &c->features));
fail:
    return status;
}

void clc_curation_close(clc_curation *c, const clc_curation *other) {
    if (c->device)
        clc_buffer_release(c->device, &c->features.data);
    if (!other)
        clc_device_close(&c->device);
    clc_index_close(&c->index);
}

/* ---- select ---- */

static const float *row_of(const clc_index *index, size_t i) {
    return index->features + i * (size_t)index->dim;
}

static float product(const float *a, const float *b, int dim) {
    float sum = 0;
    for (int d = 0; d < dim; d++)
        sum += a[d] * b[d];
    return sum;
}

/* The sample that is most like the mean of all. */
static clc_status most_typical(const clc_index *index, size_t *best) {
    clc_status status = CLC_OK;
    float *mean = NULL, greatest = -FLT_MAX;
    CLC_NEW(mean, index->dim);
    for (size_t i = 0; i < index->count; i++)
        for (int d = 0; d < index->dim; d++)
            mean[d] += row_of(index, i)[d];
    *best = 0;
    for (size_t i = 0; i < index->count; i++) {
        const float cosine = product(mean, row_of(index, i), index->dim);
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
static size_t farthest(const clc_index *index, size_t centre, float *nearest) {
    const float *with = row_of(index, centre);
    size_t best = 0;
    for (size_t i = 0; i < index->count; i++) {
        const float cosine = product(with, row_of(index, i), index->dim);
        nearest[i] = cosine > nearest[i] ? cosine : nearest[i];
        best = nearest[i] < nearest[best] ? i : best;
    }
    return best;
}

clc_status clc_select(const clc_curate_options *o, FILE *file) {
    clc_status status = CLC_OK;
    clc_index *index = NULL;
    float *nearest = NULL;
    size_t centre = 0;
    clc_signals_install();
    CLC_TRY(clc_index_open(o->index, &index));
    const size_t n = (size_t)o->n < index->count ? (size_t)o->n : index->count;
    CLC_NEW(nearest, index->count);
    for (size_t i = 0; i < index->count; i++)
        nearest[i] = -FLT_MAX;
    CLC_TRY(most_typical(index, &centre));
    for (size_t s = 0; s < n; s++) {
        if (clc_signals_stop())
            CLC_TRY(clc_fail(CLC_INTERRUPTED, "interrupted after %zu of %zu", s, n));
        fprintf(file, "%.4f\t%s\n", s ? (double)nearest[centre] : 0.0,
                clc_names_at(&index->names, centre));
        const size_t next = farthest(index, centre, nearest);
        nearest[centre] = FLT_MAX; /* not again, even where all others are its copies */
        centre = next == centre ? farthest(index, centre, nearest) : next;
        clc_live("selecting: %zu of %zu", s + 1, n);
    }
fail:
    clc_live("%s", "");
    free(nearest);
    clc_index_close(&index);
    clc_signals_restore();
    return status;
}

/* ---- outliers ---- */

typedef struct outlier {
    double likeness; /* mean cosine with the neighbours */
    size_t sample;
} outlier;

static int least_first(const void *a, const void *b) {
    const outlier *x = a, *y = b;
    return x->likeness != y->likeness ? (x->likeness > y->likeness) - (x->likeness < y->likeness)
                                      : (x->sample > y->sample) - (x->sample < y->sample);
}

/* Of k + 1 neighbours one is the sample itself, or a copy of it. */
static void mean_cosines(const clc_knn_found *found, size_t rows, size_t k, outlier *list) {
    for (size_t i = 0; i < rows; i++) {
        double sum = 0;
        for (size_t j = 1; j < k; j++)
            sum += (double)found->cosines[i * k + j];
        list[i] = (outlier){k > 1 ? sum / (double)(k - 1) : 0, i};
    }
}

clc_status clc_outliers(const clc_curate_options *o, FILE *file) {
    clc_status status = CLC_OK;
    clc_curation c = {0};
    clc_knn_found found = {0};
    outlier *list = NULL;
    clc_signals_install();
    CLC_TRY(clc_curation_open(o->index, o->device, NULL, &c));
    const size_t rows = c.index->count, most = (size_t)o->k + 1, k = most < rows ? most : rows;
    CLC_NEW(found.cosines, rows * k);
    CLC_NEW(found.rows, rows * k);
    CLC_NEW(list, rows);
    CLC_TRY(clc_knn_find(c.device, &c.features, &c.features, (int)k, 1, &found));
    mean_cosines(&found, rows, k, list);
    qsort(list, rows, sizeof *list, least_first);
    for (size_t i = 0; i < rows && i < (size_t)o->n; i++)
        fprintf(file, "%.4f\t%s\n", list[i].likeness,
                clc_names_at(&c.index->names, list[i].sample));
fail:
    free(found.cosines);
    free(found.rows);
    free(list);
    clc_curation_close(&c, NULL);
    clc_signals_restore();
    return status;
}
