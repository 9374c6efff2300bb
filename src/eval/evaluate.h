/* Evaluation of an encoder: tasks (eval/task.h) on frozen features, beside raw features and the
 * untrained encoder. */
#ifndef CLC_EVAL_EVALUATE_H
#define CLC_EVAL_EVALUATE_H

#include "eval/evaluation.h"
#include "graph/param.h"
#include "model/heads.h"

/* Whether the data allow any of the tasks that evaluation.tasks means. */
bool clc_evaluation_possible(const clc_config *config, const clc_evaluation_sets *sets);

/* Asks for the programs of these tasks: they are compiled with those of training, so that a driver
 * which fails at them says so before the first step and not after the last. CLC_INVALID: the
 * configuration names a task that there isn't. */
clc_status clc_evaluation_request(clc_device *device, const clc_config *config,
                                  const clc_evaluation_sets *sets);

/* Key figures under the names that metrics have. */
enum { CLC_EVALUATION_FIGURES = 16 };
typedef struct clc_evaluation_figures {
    size_t count; /* at least 1 */
    const char *keys[CLC_EVALUATION_FIGURES];
    double values[CLC_EVALUATION_FIGURES]; /* the best checkpoint is chosen by the first */
} clc_evaluation_figures;

/* Scores the encoder whose towers' weights are in `params` (of a training run; all in the same, or
 * in one each) by the tasks that have key figures; for use between epochs. `config` is the
 * effective one here and below. Samples without a label take no part in classification. */
clc_status clc_evaluate_training(clc_device *device, const clc_config *config,
                                 const clc_evaluation_sets *sets,
                                 clc_params *const params[CLC_TOWERS],
                                 clc_evaluation_figures *figures);

/* Scores the encoder and, unless evaluation.baselines is off, the baselines; prints the tables on
 * stdout and writes them to <folder>/evaluation.txt and evaluation.json, after every task, so that
 * Ctrl-C and a failure leave what is finished. A task that fails stops no other: the first failure
 * is returned at the end. */
clc_status clc_evaluate_and_print(clc_device *device, const clc_config *config,
                                  const clc_evaluation_sets *sets,
                                  clc_params *const params[CLC_TOWERS], const char *folder);

#endif
