/* `clcontrast select`. */
#include "core/signals.h"
#include "eval/classifier.h"
#include "eval/encoder.h"
#include "eval/kmeans.h"
#include "eval/knn.h"
#include "search/curate.h"
#include "search/search.h"
#include "search/select.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is selected from, and of it `n` samples. */
typedef struct selection {
    const clc_curate_options *options;
    clc_curation curation; /* on no device where none is needed */
    clc_index *index;
    size_t n;
    clc_selected *list; /* (n) */
} selection;

static clc_status diverse(selection *s) {
    const clc_index *index = s->index;
    return clc_select_diverse(index->features, index->count, index->dim, s->n, s->list);
}

/* ---- typical ---- */

static clc_status typical(selection *s) {
    enum { MOST_CLUSTERS = 500, STARTS = 1, SEED = 1 };
    clc_status status = CLC_OK;
    const clc_features *features = &s->curation.features;
    const size_t most = (size_t)s->options->k + 1;
    const size_t rows = features->rows, k = most < rows ? most : rows;
    const int clusters = s->n < MOST_CLUSTERS ? (int)s->n : MOST_CLUSTERS;
    clc_kmeans_result result = {0};
    clc_knn_found found = {0};
    double *typicality = NULL;
    CLC_NEW(found.cosines, rows * k);
    CLC_NEW(found.rows, rows * k);
    CLC_NEW(typicality, rows);
    CLC_TRY(clc_knn_find(s->curation.device, features, features, (int)k, 1, &found));
    clc_typicality(found.cosines, rows, k, typicality);
    CLC_TRY(clc_kmeans(s->curation.device, features, clusters, STARTS, SEED, &result));
    CLC_TRY(clc_select_typical(result.assigned, typicality, rows, clusters, s->n, s->list));
fail:
    free(result.assigned);
    free(found.cosines);
    free(found.rows);
    free(typicality);
    return status;
}

/* ---- by doubt ---- */

static clc_status no_classifier(const char *path) {
    return clc_fail(CLC_INVALID,
                    "%s: its encoder has no classifier to be unsure: index with one of clcontrast "
                    "finetune (or method.name = supervised), or select --by diverse or typical",
                    path);
}

/* Features as the classifier knows them, on a device. */
static clc_status upload_features(const selection *s, clc_device *device, clc_features *features) {
    clc_status status = CLC_OK;
    const clc_index *index = s->index;
    const size_t dim = (size_t)index->dim;
    float *values = NULL;
    *features = (clc_features){.rows = index->count, .dim = index->dim};
    CLC_NEW(values, index->count * dim);
    for (size_t i = 0; i < index->count; i++) {
        const float length = index->lengths ? index->lengths[i] : NAN;
        if (isnan(length))
            CLC_TRY(clc_fail(CLC_INVALID,
                             "%s: an earlier version made it, without what a classifier needs: "
                             "remove it and run clcontrast index again",
                             s->options->index));
        for (size_t d = 0; d < dim; d++)
            values[i * dim + d] = index->features[i * dim + d] * length;
    }
    CLC_TRY(clc_features_upload(device, values, features));
fail:
    free(values);
    return status;
}

static clc_status find_doubts(const selection *s, clc_encoder *encoder, clc_doubt kind,
                              double *doubts) {
    clc_status status = CLC_OK;
    const int classes = encoder->config.method.classes;
    clc_features features = {0};
    int32_t *predictions = NULL;
    float *logits = NULL;
    CLC_TRY(upload_features(s, encoder->device, &features));
    features.classes = classes;
    CLC_NEW(predictions, features.rows);
    CLC_NEW(logits, features.rows * (size_t)classes);
    CLC_TRY(clc_classifier_predict(encoder->device, &encoder->config, &encoder->towers[0].params,
                                   &features, predictions, logits));
    for (size_t i = 0; i < features.rows; i++)
        doubts[i] = clc_doubt_of(logits + i * (size_t)classes, classes, kind);
fail:
    clc_buffer_release(encoder->device, &features.data);
    free(predictions);
    free(logits);
    return status;
}

static clc_status doubtful(selection *s, clc_doubt kind) {
    clc_status status = CLC_OK;
    const clc_curate_options *o = s->options;
    clc_encoder *encoder = NULL;
    double *doubts = NULL;
    CLC_TRY(clc_search_encoder(s->index, o->index, o->encoder, o->device, &encoder));
    if (!clc_classifier_there(&encoder->config))
        CLC_TRY(no_classifier(o->index));
    CLC_NEW(doubts, s->index->count);
    CLC_TRY(find_doubts(s, encoder, kind, doubts));
    CLC_TRY(clc_select_extreme(doubts, s->index->count, kind == CLC_DOUBT_ENTROPY, s->n, s->list));
fail:
    clc_encoder_close(&encoder);
    free(doubts);
    return status;
}

static clc_status by_entropy(selection *s) {
    return doubtful(s, CLC_DOUBT_ENTROPY);
}

static clc_status by_margin(selection *s) {
    return doubtful(s, CLC_DOUBT_MARGIN);
}

/* ---- the command ---- */

static const struct way {
    const char *name, *about;
    bool device;
    clc_status (*select)(selection *);
} ways[] = {
    {"diverse", "as different from each other as can be; with the cosine to the nearest before it",
     false, diverse},
    {"typical",
     "in the densest places of as many clusters; with 1 / the mean distance to the nearest", true,
     typical},
    {"entropy", "of which the classifier is least sure; with the entropy of its probabilities",
     false, by_entropy},
    {"margin", "between whose two best classes the classifier sees the least gap; with that gap",
     false, by_margin},
};
enum { WAYS = sizeof ways / sizeof *ways };

static clc_status find_way(const char *name, const struct way **way) {
    for (int i = 0; i < WAYS; i++)
        if (!name || !strcmp(ways[i].name, name)) {
            *way = &ways[i];
            return CLC_OK;
        }
    return clc_fail(CLC_INVALID, "select --by %s: diverse, typical, entropy or margin is needed",
                    name);
}

static clc_status write_page(const selection *s, const struct way *way) {
    clc_status status = CLC_OK;
    clc_found_page *page = NULL;
    char summary[240];
    CLC_TRY(clc_found_page_open("select", s->options->index, &page));
    CLC_TRY(clc_found_page_group(page, NULL));
    for (size_t i = 0; i < s->n; i++)
        CLC_TRY(clc_curation_show(page, s->index, s->list[i].sample, s->list[i].value, NULL));
    snprintf(summary, sizeof summary, "%zu of %zu samples, %s.", s->n, s->index->count, way->about);
    CLC_TRY(clc_found_page_write(page, s->options->html, summary));
fail:
    clc_found_page_free(&page);
    return status;
}

clc_status clc_select(const clc_curate_options *o, FILE *file) {
    clc_status status = CLC_OK;
    selection s = {.options = o};
    const struct way *way = NULL;
    clc_signals_install();
    CLC_TRY(find_way(o->by, &way));
    if (way->device)
        CLC_TRY(clc_curation_open(o->index, o->device, NULL, &s.curation));
    else
        CLC_TRY(clc_index_open(o->index, &s.curation.index));
    s.index = s.curation.index;
    s.n = (size_t)o->n < s.index->count ? (size_t)o->n : s.index->count;
    CLC_NEW(s.list, s.n);
    CLC_TRY(way->select(&s));
    for (size_t i = 0; i < s.n; i++)
        fprintf(file, "%.4f\t%s\n", s.list[i].value,
                clc_names_at(&s.index->names, s.list[i].sample));
    if (o->html)
        CLC_TRY(write_page(&s, way));
fail:
    free(s.list);
    clc_curation_close(&s.curation, NULL);
    clc_signals_restore();
    return status;
}
