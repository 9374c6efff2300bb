/* Finding where a loss or gradient became non-finite. */
#ifndef CLC_TRAIN_DIAGNOSE_H
#define CLC_TRAIN_DIAGNOSE_H

#include "train/step.h"

/* Repeats the step of `slot` node by node and fails with CLC_NONFINITE: step, epoch, the layer
 * where non-finite values first appear, and what to try. Blocks; for the end of a run only. */
clc_status clc_diagnose(clc_step *step, const clc_step_slot *slot);

#endif
