/* Scores of a classifier: accuracy, macro averages, confusion matrix. */
#ifndef CLC_EVAL_METRICS_H
#define CLC_EVAL_METRICS_H

#include "core/status.h"

#include <stdint.h>
#include <stdio.h>

typedef struct clc_metrics {
    int classes;
    size_t count;
    double accuracy;              /* in [0, 1], as the next three */
    double precision, recall, f1; /* per class, 0 on an empty denominator; mean over all classes */
    double weighted_precision, weighted_recall, weighted_f1; /* weighed by the truth's counts */
    double balanced_accuracy; /* mean recall over the classes that the truth has */
    int64_t *confusion;       /* (classes,classes): row the true class, column the predicted */
} clc_metrics;

/* Compares `n` predictions with the truth; both in [0, classes). Release with clc_metrics_free. */
clc_status clc_metrics_compute(const int32_t *truth, const int32_t *predicted, size_t n,
                               int classes, clc_metrics *metrics);

/* Share of `n` samples whose class is among the k of the greatest scores (n,classes); ties go to
 * the lower class, and a class that has no number is in none. Labels in [0, classes). */
double clc_metrics_top(const float *scores, const int32_t *labels, size_t n, int classes, int k);

/* Prints the confusion matrix: rows are headed by class numbers and, unless NULL, `names`
 * (classes), columns by numbers. More than 40 classes don't fit a screen: a line says so instead.
 */
clc_status clc_metrics_print_confusion(const clc_metrics *metrics, const char *const *names,
                                       FILE *file);

/* Frees what the metrics own and zeroes them. */
void clc_metrics_free(clc_metrics *metrics);

#endif
