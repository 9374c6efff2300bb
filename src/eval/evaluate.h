/* Evaluation of an encoder: kNN and linear probe on frozen features, retrieval between fields and
 * similarity of sentences, beside raw features and the untrained encoder. */
#ifndef CLC_EVAL_EVALUATE_H
#define CLC_EVAL_EVALUATE_H

#include "core/config.h"
#include "data/dataset.h"
#include "eval/matching.h"
#include "eval/metrics.h"
#include "eval/sts.h"
#include "graph/param.h"
#include "model/heads.h"

typedef struct clc_evaluation_row {
    const char *what; /* "raw pixels", "bag of tokens", "untrained encoder", "encoder" ... */
    int dim;
    clc_metrics knn, linear; /* of no classes where samples have none */
    clc_matching matching;
    clc_sts_score sts;
    double seconds;
} clc_evaluation_row;

void clc_evaluation_row_free(clc_evaluation_row *row);

/* The data sets that evaluation takes: both opened for the same configuration. */
typedef struct clc_evaluation_sets {
    const clc_dataset *train, *test;
} clc_evaluation_sets;

/* What the data allow: classes if both sets are there (not NULL) with labels; matching if the test
 * set's first two fields have a network each, or one for both; STS if data.test has gold scores. */
typedef enum clc_evaluation_task {
    CLC_EVALUATES_CLASSES = 1,
    CLC_EVALUATES_MATCHING = 2,
    CLC_EVALUATES_STS = 4,
} clc_evaluation_task;

/* Networks that an encoder of this configuration has. */
int clc_config_towers(const clc_config *config);

/* Which of them, as a sum; 0: none. */
int clc_evaluation_tasks(const clc_config *config, const clc_evaluation_sets *sets);

/* Asks for the programs of these tasks: they are compiled with those of training, so that a driver
 * which fails at them says so before the first step and not after the last. */
clc_status clc_evaluation_request(clc_device *device, int tasks);

/* Scores the encoder whose towers' weights are in `params` (of a training run; all in the same, or
 * in one each); for use between epochs. `config` is the effective one here and below. Samples
 * without a label take no part in classification. */
clc_status clc_evaluate_training(clc_device *device, const clc_config *config,
                                 const clc_evaluation_sets *sets,
                                 clc_params *const params[CLC_TOWERS], clc_evaluation_row *row);

/* Key figures of a row under the names that metrics have, at most CLC_EVALUATION_FIGURES; returns
 * how many. The first is what the best checkpoint is chosen by. */
enum { CLC_EVALUATION_FIGURES = 8 };
size_t clc_evaluation_figures(const clc_evaluation_row *row,
                              const char *keys[CLC_EVALUATION_FIGURES],
                              double values[CLC_EVALUATION_FIGURES]);

/* Scores the encoder and, unless evaluation.baselines is off, the baselines; prints the tables and
 * the confusion matrix on stdout and writes them to <folder>/evaluation.txt and evaluation.json. */
clc_status clc_evaluate_and_print(clc_device *device, const clc_config *config,
                                  const clc_evaluation_sets *sets,
                                  clc_params *const params[CLC_TOWERS], const char *folder);

#endif
