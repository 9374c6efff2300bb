/* A part of the training features that settings of a classifier are chosen on, so that the test set
 * has no say in them. */
#ifndef CLC_EVAL_HOLDOUT_H
#define CLC_EVAL_HOLDOUT_H

#include "eval/features.h"

typedef struct clc_holdout {
    clc_features rest, held; /* on the device, with labels */
    int32_t *labels[2];      /* of these */
} clc_holdout;

/* Holds out a tenth of the rows of each class, at least one, but none of a class of one row; drawn
 * by `seed`. CLC_INVALID: no class has two rows. Release it also after a failure. */
clc_status clc_holdout_make(clc_device *device, const clc_features *features, uint64_t seed,
                            clc_holdout *holdout);
void clc_holdout_release(clc_device *device, clc_holdout *holdout);

/* Share of labels that a classifier found. */
double clc_accuracy(const int32_t *labels, const int32_t *predictions, size_t n);

#endif
