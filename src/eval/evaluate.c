#include "eval/evaluate.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/math.h"
#include "core/signals.h"
#include "eval/embed.h"
#include "eval/knn.h"
#include "eval/linear.h"
#include "eval/report.h"

#include <stdio.h>
#include <string.h>

void clc_evaluation_row_free(clc_evaluation_row *row) {
    clc_metrics_free(&row->knn);
    clc_metrics_free(&row->linear);
}

static bool labelled(const clc_dataset *data) {
    for (size_t i = 0; data && data->labels && i < data->count; i++)
        if (data->labels[i] >= 0)
            return true;
    return false;
}

bool clc_evaluation_possible(const clc_evaluation_sets *sets) {
    return labelled(sets->train) && labelled(sets->test) && clc_dataset_has_pictures(sets->train);
}

clc_status clc_evaluation_request(clc_device *device) {
    const clc_status status = clc_knn_request(device);
    return status == CLC_OK ? clc_linear_request(device) : status;
}

/* The labelled samples of a data set. */
typedef struct subset {
    const clc_dataset *data;
    int32_t *samples, *labels; /* (count) */
    size_t count;
} subset;

typedef struct split {
    subset train, test;
    int classes;
} split;

static void split_free(split *s) {
    free(s->train.samples);
    free(s->train.labels);
    free(s->test.samples);
    free(s->test.labels);
}

static clc_status choose_labelled(const clc_dataset *data, subset *s) {
    clc_status status = CLC_OK;
    s->data = data;
    CLC_NEW(s->samples, data->count);
    CLC_NEW(s->labels, data->count);
    for (size_t i = 0; i < data->count; i++)
        if (data->labels[i] >= 0) {
            s->samples[s->count] = (int32_t)i;
            s->labels[s->count++] = data->labels[i];
        }
fail:
    return status;
}

static clc_status split_make(const clc_evaluation_sets *sets, split *s) {
    clc_status status = CLC_OK;
    if (!clc_evaluation_possible(sets))
        return clc_fail(CLC_INVALID,
                        "evaluation needs training and test images with classes: data.train and "
                        "data.test (or data.test_fraction), in folders, a list's column or "
                        "data.train_labels and data.test_labels");
    CLC_TRY(choose_labelled(sets->train, &s->train));
    CLC_TRY(choose_labelled(sets->test, &s->test));
    s->classes =
        sets->train->classes > sets->test->classes ? sets->train->classes : sets->test->classes;
fail:
    return status;
}

/* Features of both sets on the device. */
typedef struct feature_pair {
    clc_features train, test;
    int32_t *labels[2]; /* of both */
} feature_pair;

/* Embeds a set; what can't be read any more is left out. */
static clc_status make_features(clc_embedder *embedder, const subset *set, int classes,
                                int32_t **labels, clc_features *features) {
    clc_status status = CLC_OK;
    const int dim = clc_embedder_features(embedder);
    bool *bad = NULL;
    CLC_NEW(bad, set->count);
    CLC_NEW(*labels, set->count);
    *features = (clc_features){.dim = dim, .labels = *labels, .classes = classes};
    CLC_TRY(clc_buffer_create(embedder->device, set->count * (size_t)dim * sizeof(float),
                              "features", &features->data));
    CLC_TRY(clc_embedder_run(embedder, set->data, set->samples, set->count, features->data, bad,
                             &features->rows));
    for (size_t i = 0, row = 0; i < set->count; i++)
        if (!bad[i])
            (*labels)[row++] = set->labels[i];
fail:
    free(bad);
    return status;
}

static clc_status pair_make(clc_embedder *embedder, const split *s, feature_pair *pair) {
    clc_status status = CLC_OK;
    CLC_TRY(make_features(embedder, &s->train, s->classes, &pair->labels[0], &pair->train));
    CLC_TRY(make_features(embedder, &s->test, s->classes, &pair->labels[1], &pair->test));
fail:
    return status;
}

static void pair_release(clc_device *device, feature_pair *pair) {
    clc_buffer_release(device, &pair->train.data);
    clc_buffer_release(device, &pair->test.data);
    free(pair->labels[0]);
    free(pair->labels[1]);
}

static clc_status score(clc_device *device, const clc_config *config, const feature_pair *pair,
                        clc_evaluation_row *row) {
    clc_status status = CLC_OK;
    const size_t n = pair->test.rows;
    int32_t *predicted = NULL;
    CLC_NEW(predicted, n);
    row->dim = pair->train.dim;
    clc_live("evaluating %s: kNN", row->what);
    CLC_TRY(clc_knn_classify(device, &pair->train, &pair->test, config->evaluation.knn_k,
                             config->evaluation.knn_temperature, predicted));
    CLC_TRY(clc_metrics_compute(pair->test.labels, predicted, n, pair->test.classes, &row->knn));
    clc_live("evaluating %s: linear probe", row->what);
    CLC_TRY(clc_linear_probe(device, &pair->train, &pair->test, &config->evaluation,
                             config->training.seed, predicted));
    CLC_TRY(clc_metrics_compute(pair->test.labels, predicted, n, pair->test.classes, &row->linear));
    clc_live("%s", "");
fail:
    free(predicted);
    return status;
}

/* `params` NULL: of pixels. */
static clc_status make_embedder(clc_device *device, const clc_config *config, clc_params *params,
                                const split *s, clc_embedder *embedder) {
    enum { PIXELS_SIDE = 32 };
    const clc_dataset *train = s->train.data, *test = s->test.data;
    const int side = config->augmentation.size;
    return clc_embedder_create(
        embedder, device, config, params, clc_larger_int(train->height, test->height),
        clc_larger_int(train->width, test->width), side < PIXELS_SIDE ? side : PIXELS_SIDE);
}

/* The encoder's features, or with `params` NULL those of pixels. */
static clc_status score_encoder(clc_device *device, const clc_config *config, clc_params *params,
                                const split *s, clc_evaluation_row *row) {
    clc_status status = CLC_OK;
    clc_embedder embedder = {0};
    feature_pair pair = {0};
    const double start = clc_seconds();
    CLC_TRY(make_embedder(device, config, params, s, &embedder));
    CLC_TRY(pair_make(&embedder, s, &pair));
    CLC_TRY(score(device, config, &pair, row));
    row->seconds = clc_seconds() - start;
fail:
    pair_release(device, &pair);
    clc_embedder_release(&embedder);
    return status;
}

/* The encoder as it was before training: the same initial weights, from the same seed. */
static clc_status score_untrained(clc_device *device, const clc_config *config, const split *s,
                                  clc_evaluation_row *row) {
    clc_status status = CLC_OK;
    clc_params params = {0};
    clc_embedder embedder = {0};
    CLC_TRY(make_embedder(device, config, &params, s, &embedder));
    clc_embedder_release(&embedder);
    CLC_TRY(clc_params_initialise(&params, device, config->training.seed));
    CLC_TRY(score_encoder(device, config, &params, s, row));
fail:
    clc_embedder_release(&embedder);
    clc_params_release(&params, device);
    return status;
}

clc_status clc_evaluate_training(clc_device *device, const clc_config *config,
                                 const clc_evaluation_sets *sets, clc_params *params,
                                 clc_evaluation_row *row) {
    clc_status status = CLC_OK;
    split s = {0};
    CLC_TRY(split_make(sets, &s));
    row->what = "encoder";
    CLC_TRY(score_encoder(device, config, params, &s, row));
fail:
    split_free(&s);
    return status;
}

/* The class names of both sets: the longer list begins with the other. */
static const clc_names *names_of(const clc_evaluation_sets *sets) {
    const clc_names *train = &sets->train->class_names, *test = &sets->test->class_names;
    return train->count >= test->count ? train : test;
}

/* Between one row and the next; within a row Ctrl-C waits, or comes twice. */
static clc_status go_on(const char *folder) {
    return clc_signals_stop()
               ? clc_fail(CLC_INTERRUPTED,
                          "interrupted in the evaluation; the encoder is in '%s': go on with "
                          "--resume, or clcontrast eval",
                          folder)
               : CLC_OK;
}

clc_status clc_evaluate_and_print(clc_device *device, const clc_config *config,
                                  const clc_evaluation_sets *sets, clc_params *params,
                                  const char *folder) {
    clc_status status = CLC_OK;
    split s = {0};
    clc_evaluation_row rows[3] = {
        {.what = "raw pixels"}, {.what = "untrained encoder"}, {.what = "encoder"}};
    const size_t first = config->evaluation.baselines ? 0 : 2;
    CLC_TRY(split_make(sets, &s));
    CLC_TRY(go_on(folder));
    if (first == 0) {
        CLC_TRY(score_encoder(device, config, NULL, &s, &rows[0]));
        CLC_TRY(go_on(folder));
        CLC_TRY(score_untrained(device, config, &s, &rows[1]));
        CLC_TRY(go_on(folder));
    }
    CLC_TRY(score_encoder(device, config, params, &s, &rows[2]));
    CLC_TRY(clc_evaluation_report(rows + first, 3 - first, names_of(sets), folder));
fail:
    for (int i = 0; i < 3; i++)
        clc_evaluation_row_free(&rows[i]);
    split_free(&s);
    return status;
}
