/* Scores of a classifier that says how probable each class is: ROC AUC, average precision,
 * calibration. */
#ifndef CLC_EVAL_PROBABILITIES_H
#define CLC_EVAL_PROBABILITIES_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Of one class against the rest. NaN: not defined, as there are no positives (or negatives). */
typedef struct clc_binary_scores {
    double roc_auc;           /* probability that a positive has more; a tie counts half */
    double average_precision; /* sum of (R_i - R_{i-1}) P_i, one threshold a distinct score */
} clc_binary_scores;

/* `positive` (n): not 0 for positives. CLC_INVALID: a score that has no number. */
clc_status clc_binary_scores_make(const double *scores, const bool *positive, size_t n,
                                  clc_binary_scores *result);

typedef struct clc_class_scores {
    int classes;
    double top5;                       /* NaN for 5 classes or fewer */
    double roc_auc, average_precision; /* mean over the classes that are defined */
    double calibration_error;          /* ECE: 15 bins (j/15, (j+1)/15] of the greatest
                                          probability; sum of share * |accuracy - mean confidence| */
    clc_binary_scores *by_class;       /* (classes) */
} clc_class_scores;

/* `logits` (n,classes): logarithms of probabilities, or what differs from them by a number for each
 * row; -infinity is a probability of 0. Labels in [0, classes). CLC_INVALID: a logit that has no
 * number, or a row with none that is finite. Takes n doubles a few times over. */
clc_status clc_class_scores_make(const float *logits, const int32_t *labels, size_t n, int classes,
                                 clc_class_scores *scores);

void clc_class_scores_free(clc_class_scores *scores);

#endif
