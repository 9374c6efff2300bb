/* What classifiers of frozen features share as tasks. */
#ifndef CLC_EVAL_CLASSIFICATION_H
#define CLC_EVAL_CLASSIFICATION_H

#include "eval/task.h"

extern const clc_task_column clc_classification_columns[];

/* Makes or takes the features of labelled training and test samples. */
clc_status clc_classification_sets(clc_evaluated *row, const clc_evaluated_set **train,
                                   const clc_evaluated_set **test);

/* Puts the scores of predictions (test->features.rows) into `result`; they are kept as the row's,
 * which takes over the memory, also on failure. */
clc_status clc_classification_score(clc_evaluated *row, const clc_evaluated_set *test,
                                    int32_t *predictions, const char *by, json_t *result);

/* Prints the confusion matrix of that task's result, if there is one. */
clc_status clc_classification_print(const json_t *row, const char *task, FILE *file);

#endif
