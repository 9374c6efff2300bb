#include "golden/golden.h"

#include "eval/correlation.h"
#include "eval/detection_score.h"
#include "eval/metrics.h"
#include "eval/probabilities.h"
#include "eval/ranking.h"
#include "eval/retrieval.h"
#include "eval/segmentation_score.h"
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Shares are counts divided once; correlations sum some hundred products in double. */
static const double tolerance = 1e-9;

void golden_expect(const clc_safetensors *file, const char *name, double got, double most) {
    double *want = golden_doubles(golden_tensor(file, name));
    if (!(fabs(got - *want) <= most) && !(isnan(got) && isnan(*want)))
        fail_msg("%s is %.12g, expected %.12g", name, got, *want);
    free(want);
}

static void expect(const clc_safetensors *file, const char *name, double got) {
    golden_expect(file, name, got, tolerance);
}

clc_features golden_features(const clc_safetensors *file, const char *name) {
    const clc_st_tensor *tensor = golden_tensor(file, name);
    assert_int_equal(tensor->dtype, CLC_F32);
    return test_features(tensor->data, tensor->shape[0], (int)tensor->shape[1]);
}

static void check_direction(const clc_safetensors *file, const char *direction,
                            const clc_features *bank, const clc_features *queries,
                            clc_relevance *relevance) {
    clc_retrieval_place *places = malloc(queries->rows * sizeof *places);
    clc_retrieval_score score;
    assert_non_null(places);
    CHECK(clc_retrieval_places(test_device(), bank, queries, relevance, places));
    CHECK(clc_retrieval_score_make(places, queries->rows, &score));
    for (int i = 0; i < CLC_RECALLS; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s_recall_at_%d", direction, clc_recall_at[i]);
        expect(file, name, score.recall[i]);
    }
    clc_relevance_free(relevance);
    free(places);
}

static void check_image_text(const clc_safetensors *file) {
    clc_features images = golden_features(file, "images"),
                 captions = golden_features(file, "captions");
    int32_t *owner = golden_integers(golden_tensor(file, "caption_image"));
    clc_relevance to_text, to_image;
    CHECK(clc_relevance_of_texts(owner, NULL, captions.rows, images.rows, &to_text, &to_image));
    check_direction(file, "image_to_text", &captions, &images, &to_text);
    check_direction(file, "text_to_image", &images, &captions, &to_image);
    clc_buffer_release(test_device(), &images.data);
    clc_buffer_release(test_device(), &captions.data);
    free(owner);
}

static clc_features upload_labelled(const clc_safetensors *file, const char *embeddings,
                                    const char *labels, int32_t **numbers) {
    clc_features features = golden_features(file, embeddings);
    *numbers = golden_integers(golden_tensor(file, labels));
    features.labels = *numbers;
    return features;
}

static int classes_of(const int32_t *labels, size_t n, int classes) {
    for (size_t i = 0; i < n; i++)
        classes = labels[i] >= classes ? labels[i] + 1 : classes;
    return classes;
}

/* Of queries in a gallery, or of each row in all others. */
static void check_retrieval(const clc_safetensors *file) {
    const bool gallery = clc_safetensors_find(file, "gallery_embeddings") != NULL;
    int32_t *known = NULL, *asked = NULL;
    clc_features bank = upload_labelled(file, gallery ? "gallery_embeddings" : "embeddings",
                                        gallery ? "gallery_labels" : "labels", &known);
    clc_features queries = {0};
    clc_ranking_score score;
    bank.classes = classes_of(known, bank.rows, 1);
    if (gallery) {
        queries = upload_labelled(file, "query_embeddings", "query_labels", &asked);
        bank.classes = classes_of(asked, queries.rows, bank.classes);
    }
    CHECK(clc_ranking_score_make(test_device(), &bank, gallery ? &queries : NULL, &score));
    int32_t *counted = golden_integers(golden_tensor(file, "queries_counted"));
    assert_int_equal(score.first.queries, *counted);
    for (int i = 0; i < CLC_RECALLS; i++) {
        char name[64];
        snprintf(name, sizeof name, "recall_at_%d", clc_recall_at[i]);
        if (clc_safetensors_find(file, name))
            expect(file, name, score.first.recall[i]);
    }
    expect(file, "mrr", score.mrr);
    expect(file, "map", score.map);
    expect(file, "r_precision", score.r_precision);
    expect(file, "map_at_r", score.map_at_r);
    clc_buffer_release(test_device(), &bank.data);
    clc_buffer_release(test_device(), &queries.data);
    free(known);
    free(asked);
    free(counted);
}

static void check_sts(const clc_safetensors *file) {
    const clc_st_tensor *a = golden_tensor(file, "embeddings1");
    const clc_st_tensor *b = golden_tensor(file, "embeddings2");
    const size_t n = a->shape[0], dim = a->shape[1];
    double *gold = golden_doubles(golden_tensor(file, "gold")), *cosines = malloc(n * sizeof *gold);
    double *want = golden_doubles(golden_tensor(file, "cosine")), spearman;
    assert_non_null(cosines);
    for (size_t i = 0; i < n; i++) {
        cosines[i] =
            clc_cosine((const float *)a->data + i * dim, (const float *)b->data + i * dim, dim);
        assert_true(fabs(cosines[i] - want[i]) <= tolerance);
    }
    CHECK(clc_spearman(cosines, gold, n, &spearman));
    expect(file, "pearson", clc_pearson(cosines, gold, n));
    expect(file, "spearman", spearman);
    free(gold);
    free(cosines);
    free(want);
}

/* By class only where the truth has all classes. */
static void check_by_class(const clc_safetensors *file, const clc_class_scores *found) {
    if (!clc_safetensors_find(file, "roc_auc"))
        return;
    double *auc = golden_doubles(golden_tensor(file, "roc_auc"));
    double *precision = golden_doubles(golden_tensor(file, "average_precision"));
    for (int c = 0; c < found->classes; c++) {
        assert_true(fabs(found->by_class[c].roc_auc - auc[c]) <= tolerance);
        assert_true(fabs(found->by_class[c].average_precision - precision[c]) <= tolerance);
    }
    free(auc);
    free(precision);
}

static void check_probabilities(const clc_safetensors *file, const float *logits,
                                const int32_t *labels, size_t n, int classes) {
    clc_class_scores found;
    CHECK(clc_class_scores_make(logits, labels, n, classes, &found));
    if (classes > 5)
        expect(file, "top5", found.top5);
    expect(file, "macro_roc_auc", found.roc_auc);
    expect(file, "macro_average_precision", found.average_precision);
    expect(file, "ece", found.calibration_error);
    check_by_class(file, &found);
    clc_class_scores_free(&found);
}

static void check_binary(const clc_safetensors *file) {
    double *scores = golden_doubles(golden_tensor(file, "scores"));
    int32_t *labels = golden_integers(golden_tensor(file, "labels"));
    const size_t n = golden_tensor(file, "scores")->count;
    bool *positive = malloc(n * sizeof *positive);
    clc_binary_scores found;
    assert_non_null(positive);
    for (size_t i = 0; i < n; i++)
        positive[i] = labels[i] != 0;
    CHECK(clc_binary_scores_make(scores, positive, n, &found));
    expect(file, "roc_auc", found.roc_auc);
    expect(file, "average_precision", found.average_precision);
    free(scores);
    free(labels);
    free(positive);
}

static void check_classification(const clc_safetensors *file) {
    const clc_st_tensor *logits = golden_tensor(file, "logits");
    int32_t *labels = golden_integers(golden_tensor(file, "labels"));
    const size_t n = logits->shape[0];
    const int classes = (int)logits->shape[1];
    const float *scores = logits->data;
    int32_t *predicted = malloc(n * sizeof *predicted);
    clc_metrics metrics;
    assert_non_null(predicted);
    expect(file, "top1", clc_metrics_top(scores, labels, n, classes, 1));
    expect(file, "top5", clc_metrics_top(scores, labels, n, classes, 5));
    for (size_t i = 0; i < n; i++) {
        predicted[i] = 0;
        for (int c = 1; c < classes; c++)
            if (scores[i * (size_t)classes + (size_t)c] >
                scores[i * (size_t)classes + (size_t)predicted[i]])
                predicted[i] = c;
    }
    CHECK(clc_metrics_compute(labels, predicted, n, classes, &metrics));
    const clc_st_tensor *confusion = golden_tensor(file, "confusion");
    assert_memory_equal(metrics.confusion, confusion->data, confusion->count * sizeof(int64_t));
    expect(file, "top1", metrics.accuracy);
    expect(file, "macro_precision", metrics.precision);
    expect(file, "macro_recall", metrics.recall);
    expect(file, "macro_f1", metrics.f1);
    expect(file, "weighted_precision", metrics.weighted_precision);
    expect(file, "weighted_recall", metrics.weighted_recall);
    expect(file, "weighted_f1", metrics.weighted_f1);
    expect(file, "balanced_accuracy", metrics.balanced_accuracy);
    check_probabilities(file, scores, labels, n, classes);
    clc_metrics_free(&metrics);
    free(labels);
    free(predicted);
}

static void expect_all(const clc_safetensors *file, const char *name, const double *got) {
    const clc_st_tensor *tensor = golden_tensor(file, name);
    double *want = golden_doubles(tensor);
    for (size_t i = 0; i < tensor->count; i++)
        if (!(fabs(got[i] - want[i]) <= tolerance) && !(isnan(got[i]) && isnan(want[i])))
            fail_msg("%s %zu is %.12g, expected %.12g", name, i, got[i], want[i]);
    free(want);
}

static void check_segmentation(const clc_safetensors *file) {
    const clc_st_tensor *truth = golden_tensor(file, "truth");
    const clc_st_tensor *predicted = golden_tensor(file, "predicted");
    const clc_st_tensor *confusion = golden_tensor(file, "confusion");
    clc_segmentation_score score;
    assert_int_equal(golden_number(file, "ignore"), CLC_MASK_IGNORED);
    CHECK(clc_segmentation_score_begin((int)golden_number(file, "classes"), &score));
    CHECK(clc_segmentation_score_add(&score, truth->data, predicted->data, truth->count));
    clc_segmentation_score_finish(&score);
    assert_memory_equal(score.confusion, confusion->data, confusion->count * sizeof(int64_t));
    expect_all(file, "iou", score.iou);
    expect(file, "miou", score.miou);
    expect(file, "pixel_accuracy", score.pixel_accuracy);
    clc_segmentation_score_free(&score);
}

static clc_box box_at(const clc_st_tensor *boxes, size_t i) {
    const float *b = (const float *)boxes->data + 4 * i;
    return (clc_box){(double)b[0], (double)b[1], (double)b[2], (double)b[3]};
}

static clc_object *read_objects(const clc_safetensors *file, size_t *n) {
    const clc_st_tensor *boxes = golden_tensor(file, "truth_boxes");
    const uint8_t *crowd = golden_tensor(file, "truth_crowd")->data;
    int32_t *images = golden_integers(golden_tensor(file, "truth_image"));
    int32_t *labels = golden_integers(golden_tensor(file, "truth_class"));
    *n = boxes->shape[0];
    clc_object *objects = calloc(*n + 1, sizeof *objects);
    assert_non_null(objects);
    for (size_t i = 0; i < *n; i++)
        objects[i] = (clc_object){box_at(boxes, i), images[i], labels[i], crowd[i]};
    free(images);
    free(labels);
    return objects;
}

static clc_detection *read_detections(const clc_safetensors *file, size_t *n) {
    const clc_st_tensor *boxes = golden_tensor(file, "boxes");
    const float *scores = golden_tensor(file, "box_score")->data;
    int32_t *images = golden_integers(golden_tensor(file, "box_image"));
    int32_t *labels = golden_integers(golden_tensor(file, "box_class"));
    *n = boxes->shape[0];
    clc_detection *found = calloc(*n + 1, sizeof *found);
    assert_non_null(found);
    for (size_t i = 0; i < *n; i++)
        found[i] = (clc_detection){box_at(boxes, i), images[i], labels[i], (double)scores[i]};
    free(images);
    free(labels);
    return found;
}

static void check_detection(const clc_safetensors *file) {
    size_t objects_count, found_count;
    clc_object *objects = read_objects(file, &objects_count);
    clc_detection *found = read_detections(file, &found_count);
    clc_detection_score score;
    CHECK(clc_detection_score_make(objects, objects_count, found, found_count,
                                   (int)golden_number(file, "images"),
                                   (int)golden_number(file, "classes"), &score));
    expect(file, "ap", score.ap);
    expect(file, "ap50", score.ap50);
    expect(file, "ap75", score.ap75);
    expect_all(file, "ap_per_class", score.ap_of_class);
    clc_detection_score_free(&score);
    free(objects);
    free(found);
}

static const struct {
    const char *name;
    void (*check)(const clc_safetensors *file);
} metrics[] = {{"retrieval_image_text", check_image_text},
               {"retrieval", check_retrieval},
               {"clustering", golden_clustering},
               {"cka", golden_cka},
               {"spread", golden_spread},
               {"sts", check_sts},
               {"classification", check_classification},
               {"binary", check_binary},
               {"segmentation", check_segmentation},
               {"detection", check_detection}};
enum { METRICS = sizeof metrics / sizeof *metrics };

bool golden_metric_known(const char *name) {
    for (size_t i = 0; i < METRICS; i++)
        if (!strcmp(metrics[i].name, name))
            return true;
    return false;
}

void golden_metric(const clc_safetensors *file) {
    const char *name = clc_safetensors_metadata(file, "name");
    for (size_t i = 0; i < METRICS; i++)
        if (!strcmp(metrics[i].name, name))
            metrics[i].check(file);
}
