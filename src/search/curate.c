#include "search/curate.h"

#include "core/log.h"
#include "core/signals.h"
#include "device/open.h"
#include "eval/knn.h"

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

clc_status clc_curation_show(clc_found_page *page, const clc_index *index, size_t sample,
                             double value, const char *note) {
    const clc_found_sample found = {
        .name = clc_names_at(&index->names, sample), .value = value, .note = note};
    return clc_found_page_add(page, &found);
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

static clc_status write_page(const clc_curate_options *o, const clc_index *index,
                             const outlier *list, size_t n) {
    clc_status status = CLC_OK;
    clc_found_page *page = NULL;
    char summary[200];
    CLC_TRY(clc_found_page_open("outliers", o->index, &page));
    CLC_TRY(clc_found_page_group(page, NULL));
    for (size_t i = 0; i < n; i++)
        CLC_TRY(clc_curation_show(page, index, list[i].sample, list[i].likeness, NULL));
    snprintf(summary, sizeof summary,
             "The %zu of %zu samples that are least like any other, with the mean cosine to their "
             "%d nearest.",
             n, index->count, o->k);
    CLC_TRY(clc_found_page_write(page, o->html, summary));
fail:
    clc_found_page_free(&page);
    return status;
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
    const size_t n = (size_t)o->n < rows ? (size_t)o->n : rows;
    for (size_t i = 0; i < n; i++)
        fprintf(file, "%.4f\t%s\n", list[i].likeness,
                clc_names_at(&c.index->names, list[i].sample));
    if (o->html)
        CLC_TRY(write_page(o, c.index, list, n));
fail:
    free(found.cosines);
    free(found.rows);
    free(list);
    clc_curation_close(&c, NULL);
    clc_signals_restore();
    return status;
}
