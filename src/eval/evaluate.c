#include "eval/evaluate.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/math.h"
#include "core/signals.h"
#include "eval/embed.h"
#include "eval/knn.h"
#include "eval/linear.h"
#include "eval/retrieval.h"
#include "eval/report.h"
#include "method/method.h"

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

int clc_config_towers(const clc_config *config) {
    const clc_method *method = clc_method_find(clc_config_choice(config, "method", "name"));
    return method->towers == CLC_TOWERS ? CLC_TOWERS : 1;
}

/* Field 1 is for tower 1, or of the kind that the one tower reads. */
static bool has_pairs(const clc_config *config, const clc_dataset *data) {
    return data && data->field_count > 1 &&
           (clc_config_towers(config) > 1 || data->fields[0].kind == data->fields[1].kind);
}

static clc_status open_sts(const clc_config *config, const clc_evaluation_sets *sets,
                           clc_sts *sts) {
    return clc_sts_open(config, sets->train ? sets->train->tokenizer : NULL, sts);
}

static int tasks_of(const clc_config *config, const clc_evaluation_sets *sets, bool scores) {
    return (labelled(sets->train) && labelled(sets->test) ? CLC_EVALUATES_CLASSES : 0) |
           (has_pairs(config, sets->test) ? CLC_EVALUATES_MATCHING : 0) |
           (scores ? CLC_EVALUATES_STS : 0);
}

int clc_evaluation_tasks(const clc_config *config, const clc_evaluation_sets *sets) {
    clc_sts sts = {0};
    /* What is wrong with a score is said when it is read to be used. */
    const bool scores = open_sts(config, sets, &sts) != CLC_OK || sts.count;
    clc_sts_free(&sts);
    return tasks_of(config, sets, scores);
}

clc_status clc_evaluation_request(clc_device *device, int tasks) {
    clc_status status = CLC_OK;
    if (tasks & CLC_EVALUATES_CLASSES) {
        CLC_TRY(clc_knn_request(device));
        CLC_TRY(clc_linear_request(device));
    }
    if (tasks & CLC_EVALUATES_MATCHING)
        CLC_TRY(clc_retrieval_request(device));
fail:
    return status;
}

/* ---- classes ---- */

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

static clc_status score_classes(clc_embedder *embedder, const split *s, clc_evaluation_row *row) {
    clc_status status = CLC_OK;
    clc_device *device = embedder->device;
    const clc_config *config = embedder->config;
    feature_pair pair = {0};
    int32_t *predicted = NULL;
    CLC_TRY(pair_make(embedder, s, &pair));
    const size_t n = pair.test.rows;
    const int classes = pair.test.classes;
    CLC_NEW(predicted, n);
    clc_live("evaluating %s: kNN", row->what);
    CLC_TRY(clc_knn_classify(device, &pair.train, &pair.test, config->evaluation.knn_k,
                             config->evaluation.knn_temperature, predicted));
    CLC_TRY(clc_metrics_compute(pair.test.labels, predicted, n, classes, &row->knn));
    clc_live("evaluating %s: linear probe", row->what);
    CLC_TRY(clc_linear_probe(device, &pair.train, &pair.test, &config->evaluation,
                             config->training.seed, predicted));
    CLC_TRY(clc_metrics_compute(pair.test.labels, predicted, n, classes, &row->linear));
    clc_live("%s", "");
fail:
    pair_release(device, &pair);
    free(predicted);
    return status;
}

/* ---- all tasks ---- */

/* What is evaluated on what. */
typedef struct evaluation {
    clc_device *device;
    const clc_config *config;
    const clc_evaluation_sets *sets;
    int tasks;
    int towers;
    split split;
    clc_sts sts;
} evaluation;

static clc_status evaluation_make(clc_device *device, const clc_config *config,
                                  const clc_evaluation_sets *sets, evaluation *e) {
    clc_status status = CLC_OK;
    *e = (evaluation){.device = device, .config = config, .sets = sets};
    e->towers = clc_config_towers(config);
    CLC_TRY(open_sts(config, sets, &e->sts));
    e->tasks = tasks_of(config, sets, e->sts.count > 0);
    if (!e->tasks)
        return clc_fail(
            CLC_INVALID,
            "there is nothing to evaluate: classes need training and test samples with them: "
            "data.train and data.test (or data.test_fraction), in folders, a file's column or "
            "data.train_labels and data.test_labels; retrieval needs test samples of two fields, "
            "such as images with captions; similarity a data.test with sent0, sent1 and score");
    if (e->tasks & CLC_EVALUATES_CLASSES)
        CLC_TRY(split_make(sets, &e->split));
fail:
    return status;
}

static void evaluation_free(evaluation *e) {
    split_free(&e->split);
    clc_sts_free(&e->sts);
}

/* The data whose field says what a tower reads. */
static const clc_dataset *known_set(const evaluation *e) {
    return e->sets->train ? e->sets->train : e->sets->test;
}

/* `params` NULL: of raw features. */
static clc_status make_embedder(const evaluation *e, int tower, clc_params *params,
                                clc_embedder *embedder) {
    enum { PIXELS_SIDE = 32 };
    const clc_dataset *known = known_set(e), *test = e->sets->test ? e->sets->test : known;
    const int side = e->config->augmentation.size;
    const clc_embedder_input input = {.tower = tower,
                                      .field = tower,
                                      .like = &known->fields[tower],
                                      .height = clc_larger_int(known->height, test->height),
                                      .width = clc_larger_int(known->width, test->width),
                                      .pixels_side = side < PIXELS_SIDE ? side : PIXELS_SIDE};
    return clc_embedder_create(embedder, e->device, e->config, params, &input);
}

/* Scores one kind of features by embedders of as many towers as it has. */
static clc_status score_with(const evaluation *e, clc_embedder *embedders, int towers,
                             clc_evaluation_row *row) {
    clc_status status = CLC_OK;
    const int last = towers - 1; /* reads field 1, and texts */
    clc_embedder *const pair[2] = {&embedders[0], &embedders[last]};
    row->dim = clc_embedder_features(&embedders[0]);
    if (e->tasks & CLC_EVALUATES_CLASSES)
        CLC_TRY(score_classes(&embedders[0], &e->split, row));
    if ((e->tasks & CLC_EVALUATES_MATCHING) && towers == e->towers)
        CLC_TRY(clc_matching_make(pair, e->sets->test, &row->matching));
    if ((e->tasks & CLC_EVALUATES_STS) && embedders[last].in.like->kind == CLC_KIND_TOKENS)
        CLC_TRY(clc_sts_make(&embedders[last], &e->sts, &row->sts));
fail:
    return status;
}

/* The encoder's features, or with params[0] NULL raw ones, which one tower has only. */
static clc_status score_encoder(const evaluation *e, clc_params *const params[CLC_TOWERS],
                                int towers, clc_evaluation_row *row) {
    clc_status status = CLC_OK;
    clc_embedder embedders[CLC_TOWERS] = {{0}, {0}};
    const double start = clc_seconds();
    for (int i = 0; i < towers; i++)
        CLC_TRY(make_embedder(e, i, params[i], &embedders[i]));
    CLC_TRY(score_with(e, embedders, towers, row));
    row->seconds = clc_seconds() - start;
fail:
    for (int i = 0; i < towers; i++)
        clc_embedder_release(&embedders[i]);
    return status;
}

/* The encoder as it was before training: the same initial weights, from the same seed. Of two
 * towers the first: no cosine between untrained towers means anything. */
static clc_status score_untrained(const evaluation *e, clc_evaluation_row *row) {
    clc_status status = CLC_OK;
    clc_params params = {0};
    clc_embedder embedder = {0};
    clc_params *const both[CLC_TOWERS] = {&params, &params};
    CLC_TRY(make_embedder(e, 0, &params, &embedder));
    clc_embedder_release(&embedder);
    CLC_TRY(clc_params_initialise(&params, e->device, e->config->training.seed));
    CLC_TRY(score_encoder(e, both, 1, row));
fail:
    clc_embedder_release(&embedder);
    clc_params_release(&params, e->device);
    return status;
}

clc_status clc_evaluate_training(clc_device *device, const clc_config *config,
                                 const clc_evaluation_sets *sets,
                                 clc_params *const params[CLC_TOWERS], clc_evaluation_row *row) {
    clc_status status = CLC_OK;
    evaluation e;
    CLC_TRY(evaluation_make(device, config, sets, &e));
    row->what = "encoder";
    CLC_TRY(score_encoder(&e, params, e.towers, row));
fail:
    evaluation_free(&e);
    return status;
}

size_t clc_evaluation_figures(const clc_evaluation_row *row,
                              const char *keys[CLC_EVALUATION_FIGURES],
                              double values[CLC_EVALUATION_FIGURES]) {
    const clc_retrieval_score *score = row->matching.score;
    const bool classes = row->knn.classes > 0, matched = row->matching.count[0] > 0;
    const struct {
        const char *key;
        double value;
        bool there;
    } figures[] = {{"knn_accuracy", row->knn.accuracy, classes},
                   {"linear_accuracy", row->linear.accuracy, classes},
                   {"recall_at_1", (score[0].recall[0] + score[1].recall[0]) / 2, matched},
                   {"recall_at_1_forward", score[0].recall[0], matched},
                   {"recall_at_1_back", score[1].recall[0], matched},
                   {"spearman", row->sts.spearman, row->sts.pairs > 0}};
    size_t n = 0;
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        if (figures[i].there) {
            keys[n] = figures[i].key;
            values[n++] = figures[i].value;
        }
    return n;
}

/* The class names of both sets: the longer list begins with the other. */
static const clc_names *names_of(const clc_evaluation_sets *sets) {
    const clc_dataset *train = sets->train ? sets->train : sets->test;
    const clc_dataset *test = sets->test ? sets->test : train;
    return train->class_names.count >= test->class_names.count ? &train->class_names
                                                               : &test->class_names;
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

/* Baselines of what the first tower alone can do. */
static bool wants_baselines(const evaluation *e) {
    return e->config->evaluation.baselines &&
           ((e->tasks & CLC_EVALUATES_CLASSES) || e->towers == 1);
}

static clc_status score_all(const evaluation *e, clc_params *const params[CLC_TOWERS],
                            const char *folder, clc_evaluation_row rows[3]) {
    clc_status status = CLC_OK;
    clc_params *const raw[CLC_TOWERS] = {NULL, NULL};
    CLC_TRY(go_on(folder));
    if (wants_baselines(e)) {
        CLC_TRY(score_encoder(e, raw, 1, &rows[0]));
        CLC_TRY(go_on(folder));
        CLC_TRY(score_untrained(e, &rows[1]));
        CLC_TRY(go_on(folder));
    }
    CLC_TRY(score_encoder(e, params, e->towers, &rows[2]));
fail:
    return status;
}

clc_status clc_evaluate_and_print(clc_device *device, const clc_config *config,
                                  const clc_evaluation_sets *sets,
                                  clc_params *const params[CLC_TOWERS], const char *folder) {
    static const char *const raw[CLC_KINDS] = {"raw pixels", "bag of tokens", "raw series"};
    clc_status status = CLC_OK;
    evaluation e;
    clc_evaluation_row rows[3] = {
        {.what = NULL}, {.what = "untrained encoder"}, {.what = "encoder"}};
    CLC_TRY(evaluation_make(device, config, sets, &e));
    rows[0].what = raw[known_set(&e)->fields[0].kind];
    CLC_TRY(score_all(&e, params, folder, rows));
    const size_t first = wants_baselines(&e) ? 0 : 2;
    CLC_TRY(clc_evaluation_report(rows + first, 3 - first, names_of(sets), folder));
fail:
    for (int i = 0; i < 3; i++)
        clc_evaluation_row_free(&rows[i]);
    evaluation_free(&e);
    return status;
}
