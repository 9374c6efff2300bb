/* Evaluation of an encoder: kNN and linear probe on frozen features, beside raw pixels and the
 * untrained encoder. */
#ifndef CLC_EVAL_EVALUATE_H
#define CLC_EVAL_EVALUATE_H

#include "core/config.h"
#include "data/dataset.h"
#include "eval/metrics.h"
#include "graph/param.h"

typedef struct clc_evaluation_row {
    const char *what; /* "raw pixels", "untrained encoder", "encoder" */
    int dim;
    clc_metrics knn, linear;
    double seconds;
} clc_evaluation_row;

void clc_evaluation_row_free(clc_evaluation_row *row);

/* The data sets that evaluation takes: both opened for the same configuration. */
typedef struct clc_evaluation_sets {
    const clc_dataset *train, *test;
} clc_evaluation_sets;

/* Whether both are there (not NULL) with labels. */
bool clc_evaluation_possible(const clc_evaluation_sets *sets);

/* Asks for kNN's and the linear probe's programs: they are compiled with those of training, so that
 * a driver which fails at them says so before the first step and not after the last. */
clc_status clc_evaluation_request(clc_device *device);

/* Scores the encoder in `params` (of a training run); for use between epochs. `config` is the
 * effective one here and below. Samples without a label take no part. */
clc_status clc_evaluate_training(clc_device *device, const clc_config *config,
                                 const clc_evaluation_sets *sets, clc_params *params,
                                 clc_evaluation_row *row);

/* Scores the encoder and, unless evaluation.baselines is off, the baselines; prints the table and
 * the confusion matrix on stdout and writes them to <folder>/evaluation.txt and evaluation.json. */
clc_status clc_evaluate_and_print(clc_device *device, const clc_config *config,
                                  const clc_evaluation_sets *sets, clc_params *params,
                                  const char *folder);

#endif
