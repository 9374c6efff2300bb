/* Metrics against values computed by hand. */
#include "eval/metrics.h"

#include "eval/probabilities.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void near(double got, double want) {
    assert_true(got > want - 1e-12 && got < want + 1e-12);
}

/* Class 2 is never predicted, class 3 is absent altogether. */
static void averages_count_absent_classes_as_zero(void **state) {
    (void)state;
    const int32_t truth[] = {0, 0, 1, 1, 2}, predicted[] = {0, 1, 1, 1, 0};
    const int64_t confusion[16] = {1, 1, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0};
    clc_metrics m;
    CHECK(clc_metrics_compute(truth, predicted, 5, 4, &m));
    assert_int_equal(m.count, 5);
    assert_memory_equal(m.confusion, confusion, sizeof confusion);
    near(m.accuracy, 3.0 / 5);
    near(m.precision, (1.0 / 2 + 2.0 / 3) / 4);
    near(m.recall, (1.0 / 2 + 1) / 4);
    near(m.f1, (1.0 / 2 + 4.0 / 5) / 4); /* not the F1 of the two means */
    clc_metrics_free(&m);
    assert_null(m.confusion);
    clc_metrics_free(&m);
}

static void a_perfect_classifier_scores_one(void **state) {
    (void)state;
    const int32_t labels[] = {2, 0, 1, 1, 2, 0, 0};
    clc_metrics m;
    CHECK(clc_metrics_compute(labels, labels, 7, 3, &m));
    near(m.accuracy, 1);
    near(m.precision, 1);
    near(m.recall, 1);
    near(m.f1, 1);
    clc_metrics_free(&m);
}

static void no_samples_score_zero(void **state) {
    (void)state;
    clc_metrics m;
    CHECK(clc_metrics_compute(NULL, NULL, 0, 2, &m));
    near(m.accuracy, 0);
    near(m.f1, 0);
    clc_metrics_free(&m);
}

static void classes_outside_the_range_are_refused(void **state) {
    (void)state;
    const int32_t good[] = {0, 1}, high[] = {0, 2}, low[] = {-1, 0};
    clc_metrics m = {0};
    assert_int_equal(clc_metrics_compute(good, high, 2, 2, &m), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "prediction 2 of sample 1"));
    assert_int_equal(clc_metrics_compute(low, good, 2, 2, &m), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "label -1 of sample 0"));
    assert_int_equal(clc_metrics_compute(good, good, 2, 0, &m), CLC_INVALID);
    assert_null(m.confusion);
}

static void the_confusion_matrix_has_headings(void **state) {
    (void)state;
    const int32_t truth[] = {0, 0, 1}, predicted[] = {0, 1, 1};
    const char *const names[] = {"shirt", "bag"};
    char *text = NULL;
    size_t length = 0;
    clc_metrics m;
    FILE *file = open_memstream(&text, &length);
    assert_non_null(file);
    CHECK(clc_metrics_compute(truth, predicted, 3, 2, &m));
    CHECK(clc_metrics_print_confusion(&m, names, file));
    fclose(file);
    assert_string_equal(text, "true \\ predicted  0  1\n"
                              "----------------------\n"
                              "0 shirt           1  1\n"
                              "1 bag             0  1\n");
    free(text);
    clc_metrics_free(&m);
}

/* Sample 1 ties with classes 0 and 3; sample 2's class has no number. */
static void the_truth_is_among_the_top(void **state) {
    (void)state;
    const float scores[] = {0.1f, 3, 2, -1, 5, 4, 5, 5, 1, 2, 3, NAN};
    const int32_t labels[] = {2, 2, 3};
    near(clc_metrics_top(scores, labels, 3, 4, 1), 0);
    near(clc_metrics_top(scores, labels, 3, 4, 2), 2.0 / 3);
    near(clc_metrics_top(scores, labels, 3, 4, 4), 2.0 / 3);
    near(clc_metrics_top(scores, labels, 2, 4, 5), 1);
    near(clc_metrics_top(scores, labels, 0, 4, 1), 0);
}

/* Class 0 in front of both others but one; class 2 is absent; the certain row is right. */
static void probabilities_are_scored_by_class(void **state) {
    (void)state;
    const float inf = INFINITY, half = logf(0.5f);
    const float logits[] = {0, -inf, -inf, half, half, -inf, half, half, -inf, half, half, -inf};
    const int32_t labels[] = {0, 0, 1, 1};
    clc_class_scores s;
    CHECK(clc_class_scores_make(logits, labels, 4, 3, &s));
    near(s.by_class[0].roc_auc, (2 + 0.5 + 0.5) / 4);
    near(s.by_class[0].average_precision, 0.5 * 1 + 0.5 * 0.5);
    near(s.by_class[1].roc_auc, (1 + 1 + 0.5 + 0.5) / 4);
    assert_true(isnan(s.by_class[2].roc_auc) && isnan(s.by_class[2].average_precision));
    near(s.roc_auc, 0.75);
    assert_true(isnan(s.top5));
    near(s.calibration_error, (0 + fabs(1 - 1.5)) / 4);
    clc_class_scores_free(&s);
    clc_class_scores_free(&s);
}

static void probabilities_without_a_number_are_refused(void **state) {
    (void)state;
    const float nan_row[] = {0, 1, NAN, 1}, empty_row[] = {0, 1, -INFINITY, -INFINITY};
    const int32_t labels[] = {0, 1};
    const double scores[] = {1, NAN};
    const bool positive[] = {true, false};
    clc_class_scores s;
    clc_binary_scores b;
    assert_int_equal(clc_class_scores_make(nan_row, labels, 2, 2, &s), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "sample 1"));
    assert_int_equal(clc_class_scores_make(empty_row, labels, 2, 2, &s), CLC_INVALID);
    assert_null(s.by_class);
    assert_int_equal(clc_binary_scores_make(scores, positive, 2, &b), CLC_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities_are_scored_by_class),
        cmocka_unit_test(probabilities_without_a_number_are_refused),
        cmocka_unit_test(averages_count_absent_classes_as_zero),
        cmocka_unit_test(a_perfect_classifier_scores_one),
        cmocka_unit_test(no_samples_score_zero),
        cmocka_unit_test(classes_outside_the_range_are_refused),
        cmocka_unit_test(the_truth_is_among_the_top),
        cmocka_unit_test(the_confusion_matrix_has_headings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
