/* Linear probe: multinomial logistic regression on frozen features. */
#ifndef CLC_EVAL_LINEAR_H
#define CLC_EVAL_LINEAR_H

#include "core/config.h"
#include "eval/features.h"

/* With options->linear_solver lbfgs as eval/logistic.h says; else so: trains on `train` and
 * classifies `test`: predictions (test->rows, on the host), ties to the lower class. Features are
 * standardised by the mean and deviation of `train`, so that their scale doesn't matter, and beyond
 * 128 of them multiplied by sqrt(128 / dim), so that one rate suits any number. Weights and bias
 * start at 0; with no epochs all stay there. An epoch takes the rows in clc_epoch_order and leaves
 * out those that don't fill a batch; weight decay is added to the gradient of the weights, not of
 * the bias. `seed`: of the order. `logits` (test->rows,classes, on the host), unless NULL: of the
 * probabilities. Ctrl-C: CLC_INTERRUPTED. */
clc_status clc_linear_probe(clc_device *device, const clc_features *train, const clc_features *test,
                            const clc_config_evaluation *options, uint64_t seed,
                            int32_t *predictions, float *logits);

/* Asks for its program ahead of time. */
clc_status clc_linear_request(clc_device *device);

#endif
