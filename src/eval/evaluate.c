#include "eval/evaluate.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
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

bool clc_evaluation_possible(const clc_config *config) {
    return *config->data.train_labels && *config->data.test_images && *config->data.test_labels;
}

clc_status clc_evaluation_request(clc_device *device) {
    const clc_status status = clc_knn_request(device);
    return status == CLC_OK ? clc_linear_request(device) : status;
}

/* Both sets, on the host with labels. */
typedef struct split {
    clc_dataset *train, *test;
} split;

static void split_free(split *s) {
    clc_dataset_free(&s->train);
    clc_dataset_free(&s->test);
}

static clc_status split_load(const clc_config *config, split *s) {
    clc_status status = CLC_OK;
    const char *format = clc_config_choice(config, "data", "format");
    if (!clc_evaluation_possible(config))
        return clc_fail(CLC_INVALID, "evaluation needs data.train_labels, data.test_images and "
                                     "data.test_labels");
    CLC_TRY(clc_dataset_load(format, config->data.train_images, config->data.train_labels,
                             (size_t)config->data.limit, &s->train));
    CLC_TRY(
        clc_dataset_load(format, config->data.test_images, config->data.test_labels, 0, &s->test));
fail:
    return status;
}

static int classes_of(const split *s) {
    return s->train->classes > s->test->classes ? s->train->classes : s->test->classes;
}

/* Features of both sets on the device. */
typedef struct feature_pair {
    clc_features train, test;
} feature_pair;

static clc_status pair_allocate(clc_device *device, const split *s, int dim, feature_pair *pair) {
    clc_status status = CLC_OK;
    const clc_dataset *const sets[2] = {s->train, s->test};
    clc_features *const features[2] = {&pair->train, &pair->test};
    for (int i = 0; i < 2; i++) {
        *features[i] = (clc_features){.rows = sets[i]->count,
                                      .dim = dim,
                                      .labels = sets[i]->labels,
                                      .classes = classes_of(s)};
        CLC_TRY(clc_buffer_create(device, sets[i]->count * (size_t)dim * sizeof(float), "features",
                                  &features[i]->data));
    }
fail:
    return status;
}

static void pair_release(clc_device *device, feature_pair *pair) {
    clc_buffer_release(device, &pair->train.data);
    clc_buffer_release(device, &pair->test.data);
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

static clc_status score_encoder(clc_device *device, const clc_config *config, clc_params *params,
                                const split *s, clc_evaluation_row *row) {
    clc_status status = CLC_OK;
    clc_embedder embedder = {0};
    feature_pair pair = {0};
    const double start = clc_seconds();
    CLC_TRY(clc_embedder_create(&embedder, device, config, params, s->train));
    CLC_TRY(pair_allocate(device, s, clc_embedder_features(&embedder), &pair));
    CLC_TRY(clc_embedder_run(&embedder, s->train, pair.train.data));
    CLC_TRY(clc_embedder_run(&embedder, s->test, pair.test.data));
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
    CLC_TRY(clc_embedder_create(&embedder, device, config, &params, s->train));
    clc_embedder_release(&embedder);
    CLC_TRY(clc_params_initialise(&params, device, config->training.seed));
    CLC_TRY(score_encoder(device, config, &params, s, row));
fail:
    clc_embedder_release(&embedder);
    clc_params_release(&params, device);
    return status;
}

static clc_status upload_pixels(clc_device *device, const clc_dataset *data, cl_mem features) {
    clc_status status = CLC_OK;
    const size_t count =
        data->count * (size_t)data->height * (size_t)data->width * (size_t)data->channels;
    float *values = NULL;
    CLC_NEW(values, count);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)data->pixels[i] / 255.0f;
    CLC_TRY(clc_buffer_write(device, features, 0, count * sizeof *values, values));
fail:
    free(values);
    return status;
}

static clc_status score_pixels(clc_device *device, const clc_config *config, const split *s,
                               clc_evaluation_row *row) {
    clc_status status = CLC_OK;
    feature_pair pair = {0};
    const double start = clc_seconds();
    CLC_TRY(
        pair_allocate(device, s, s->train->height * s->train->width * s->train->channels, &pair));
    CLC_TRY(upload_pixels(device, s->train, pair.train.data));
    CLC_TRY(upload_pixels(device, s->test, pair.test.data));
    CLC_TRY(score(device, config, &pair, row));
    row->seconds = clc_seconds() - start;
fail:
    pair_release(device, &pair);
    return status;
}

clc_status clc_evaluate_training(clc_device *device, const clc_config *config, clc_params *params,
                                 clc_evaluation_row *row) {
    clc_status status = CLC_OK;
    split s = {0};
    CLC_TRY(split_load(config, &s));
    row->what = "encoder";
    CLC_TRY(score_encoder(device, config, params, &s, row));
fail:
    split_free(&s);
    return status;
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

clc_status clc_evaluate_and_print(clc_device *device, const clc_config *config, clc_params *params,
                                  const char *folder) {
    clc_status status = CLC_OK;
    split s = {0};
    clc_evaluation_row rows[3] = {
        {.what = "raw pixels"}, {.what = "untrained encoder"}, {.what = "encoder"}};
    const size_t first = config->evaluation.baselines ? 0 : 2;
    CLC_TRY(split_load(config, &s));
    CLC_TRY(go_on(folder));
    if (first == 0) {
        CLC_TRY(score_pixels(device, config, &s, &rows[0]));
        CLC_TRY(go_on(folder));
        CLC_TRY(score_untrained(device, config, &s, &rows[1]));
        CLC_TRY(go_on(folder));
    }
    CLC_TRY(score_encoder(device, config, params, &s, &rows[2]));
    CLC_TRY(clc_evaluation_report(rows + first, 3 - first, folder));
fail:
    for (int i = 0; i < 3; i++)
        clc_evaluation_row_free(&rows[i]);
    split_free(&s);
    return status;
}
