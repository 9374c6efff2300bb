/* The callbacks of who calls clc_train. */
#ifndef CLC_TRAIN_CALLBACKS_H
#define CLC_TRAIN_CALLBACKS_H

#include "clcontrast/train.h"
#include "core/callbacks.h"
#include "report/progress.h"

clc_callbacks clc_callbacks_of_training(const clc_train_options *options);

/* Tells options->progress, if there is one. */
void clc_callbacks_progress(const clc_train_options *options, const clc_progress *progress,
                            int64_t steps_done, double loss, double rate);

#endif
