#include "eval/probabilities.h"

#include "eval/metrics.h"

#include <math.h>

enum { BINS = 15, TOP = 5 };

typedef struct sample {
    double score;
    bool positive;
} sample;

static int by_score(const void *a, const void *b) {
    const double x = ((const sample *)a)->score, y = ((const sample *)b)->score;
    return (x < y) - (x > y);
}

/* Samples in descending order; those of one score enter together. */
static clc_binary_scores sweep(const sample *samples, size_t n) {
    double positives = 0, negatives = 0, pairs = 0, precision = 0;
    for (size_t i = 0, end; i < n; i = end) {
        double more_positives = 0;
        for (end = i; end < n && !(samples[end].score < samples[i].score); end++)
            more_positives += samples[end].positive;
        const double more_negatives = (double)(end - i) - more_positives;
        pairs += more_negatives * (positives + more_positives / 2);
        positives += more_positives;
        negatives += more_negatives;
        precision += more_positives * positives / (double)end;
    }
    return (clc_binary_scores){
        .roc_auc = positives > 0 && negatives > 0 ? pairs / positives / negatives : NAN,
        .average_precision = positives > 0 ? precision / positives : NAN};
}

clc_status clc_binary_scores_make(const double *scores, const bool *positive, size_t n,
                                  clc_binary_scores *result) {
    clc_status status = CLC_OK;
    sample *samples = NULL;
    CLC_NEW(samples, n);
    for (size_t i = 0; i < n; i++) {
        samples[i] = (sample){scores[i], positive[i]};
        if (isnan(scores[i]))
            CLC_TRY(clc_fail(CLC_INVALID, "the score of sample %zu is no number", i));
    }
    qsort(samples, n, sizeof *samples, by_score);
    *result = sweep(samples, n);
fail:
    free(samples);
    return status;
}

/* Logarithms of the rows' sums of exp(logit). */
static clc_status row_sums(const float *logits, size_t n, int classes, double *sums) {
    for (size_t i = 0; i < n; i++) {
        const float *row = logits + i * (size_t)classes;
        double greatest = -INFINITY, sum = 0;
        bool number = true;
        for (int c = 0; c < classes; c++) {
            greatest = fmax(greatest, (double)row[c]);
            number &= !isnan(row[c]);
        }
        if (!number || !isfinite(greatest))
            return clc_fail(CLC_INVALID, "the probabilities of sample %zu are no numbers", i);
        for (int c = 0; c < classes; c++)
            sum += exp((double)row[c] - greatest);
        sums[i] = greatest + log(sum);
    }
    return CLC_OK;
}

static double calibration_error(const float *logits, const int32_t *labels, const double *sums,
                                size_t n, int classes) {
    double count[BINS] = {0}, confidence[BINS] = {0}, hits[BINS] = {0}, error = 0;
    for (size_t i = 0; i < n; i++) {
        const float *row = logits + i * (size_t)classes;
        int best = 0;
        for (int c = 1; c < classes; c++)
            best = row[c] > row[best] ? c : best;
        const double p = exp((double)row[best] - sums[i]);
        int bin = 0;
        while (bin < BINS - 1 && p > (bin + 1) / (double)BINS)
            bin++;
        count[bin]++;
        confidence[bin] += p;
        hits[bin] += best == labels[i];
    }
    for (int b = 0; b < BINS; b++)
        error += fabs(hits[b] - confidence[b]);
    return n ? error / (double)n : 0;
}

/* One class against the rest, for all; and the means over those that are defined. */
static void score_classes(const float *logits, const int32_t *labels, const double *sums, size_t n,
                          sample *samples, clc_class_scores *scores) {
    double auc = 0, precision = 0, aucs = 0, precisions = 0;
    for (int c = 0; c < scores->classes; c++) {
        for (size_t i = 0; i < n; i++) {
            const double logit = (double)logits[i * (size_t)scores->classes + (size_t)c];
            samples[i] = (sample){exp(logit - sums[i]), labels[i] == c};
        }
        qsort(samples, n, sizeof *samples, by_score);
        const clc_binary_scores found = sweep(samples, n);
        scores->by_class[c] = found;
        auc += isnan(found.roc_auc) ? 0 : found.roc_auc;
        aucs += !isnan(found.roc_auc);
        precision += isnan(found.average_precision) ? 0 : found.average_precision;
        precisions += !isnan(found.average_precision);
    }
    scores->roc_auc = aucs > 0 ? auc / aucs : NAN;
    scores->average_precision = precisions > 0 ? precision / precisions : NAN;
}

clc_status clc_class_scores_make(const float *logits, const int32_t *labels, size_t n, int classes,
                                 clc_class_scores *scores) {
    clc_status status = CLC_OK;
    double *sums = NULL;
    sample *samples = NULL;
    *scores = (clc_class_scores){.classes = classes};
    CLC_NEW(sums, n);
    CLC_NEW(samples, n);
    CLC_NEW(scores->by_class, classes);
    CLC_TRY(row_sums(logits, n, classes, sums));
    scores->top5 = classes > TOP ? clc_metrics_top(logits, labels, n, classes, TOP) : NAN;
    scores->calibration_error = calibration_error(logits, labels, sums, n, classes);
    score_classes(logits, labels, sums, n, samples, scores);
fail:
    if (status != CLC_OK)
        clc_class_scores_free(scores);
    free(sums);
    free(samples);
    return status;
}

void clc_class_scores_free(clc_class_scores *scores) {
    free(scores->by_class);
    *scores = (clc_class_scores){0};
}
