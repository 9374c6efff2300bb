/* The callbacks of who calls clc_train. */
#ifndef CLC_TRAIN_CALLBACKS_H
#define CLC_TRAIN_CALLBACKS_H

#include "clcontrast/train.h"
#include "report/progress.h"

/* From here to clc_callbacks_leave, which is due after a success only, text goes to options->log
 * and this thread asks options->stop, if any callback is given; else nothing changes. Pairs nest in
 * a thread: the outermost counts. CLC_INVALID: another thread is between such a pair. */
clc_status clc_callbacks_enter(const clc_train_options *options);
void clc_callbacks_leave(const clc_train_options *options);

/* Tells options->progress, if there is one. */
void clc_callbacks_progress(const clc_train_options *options, const clc_progress *progress,
                            int64_t steps_done, double loss, double rate);

#endif
