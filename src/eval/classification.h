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

/* A classifier of frozen features. */
typedef struct clc_frozen_classifier {
    const char *name; /* the task's */
    /* Of eval/choose.h: sets what `settings` tells. */
    clc_status (*choose)(clc_device *device, const clc_features *train, uint64_t seed,
                         clc_config_evaluation *options, clc_choice *choice);
    void (*settings)(const clc_config_evaluation *options, char *text, size_t size);
    clc_status (*say)(clc_evaluated *row, const clc_features *train, const clc_features *test,
                      const clc_config_evaluation *options, clc_classified *said);
} clc_frozen_classifier;

/* Its task: learns from the training samples, with settings chosen on some of them where
 * evaluation.choose says so, and puts scores of the test samples into `result`. */
clc_status clc_frozen_classifier_run(const clc_frozen_classifier *c, clc_evaluated *row,
                                     json_t *result);

/* Prints the confusion matrix of that task's result, if there is one. */
clc_status clc_classification_print(const json_t *row, const char *task, FILE *file);

#endif
