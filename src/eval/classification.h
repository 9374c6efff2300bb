/* What classifiers of frozen features share as tasks. */
#ifndef CLC_EVAL_CLASSIFICATION_H
#define CLC_EVAL_CLASSIFICATION_H

#include "eval/choose.h"
#include "eval/task.h"

extern const clc_task_column clc_classification_columns[];

/* Makes or takes the features of labelled training and test samples. */
clc_status clc_classification_sets(clc_evaluated *row, const clc_evaluated_set **train,
                                   const clc_evaluated_set **test);

/* What a classifier says of test samples. */
typedef struct clc_classified {
    int32_t *predictions; /* (rows) */
    float *logits;        /* (rows,classes): logarithms of probabilities but for a number a row */
} clc_classified;

clc_status clc_classified_make(const clc_evaluated_set *test, clc_classified *said);
void clc_classified_free(clc_classified *said);

/* Puts the scores of what was said of `test` into `result`: accuracy, top5 (of more than 5
 * classes), precision, recall and f1 (macro averages), the same weighted by the classes' counts,
 * balanced_accuracy, roc_auc, average_precision, calibration_error, per_class with these by class,
 * and confusion. The predictions are kept as the row's. */
clc_status clc_classification_score(clc_evaluated *row, const clc_evaluated_set *test,
                                    clc_classified *said, const char *by, json_t *result);

/* Says in `result` that settings, such as "k 20, T 0.07", were chosen on held-out training samples.
 */
void clc_classification_chosen(const clc_choice *choice, const char *settings, json_t *result);

/* Prints the confusion matrix of that task's result, if there is one. */
clc_status clc_classification_print(const json_t *row, const char *task, FILE *file);

#endif
