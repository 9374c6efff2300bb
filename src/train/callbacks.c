#include "train/callbacks.h"

clc_callbacks clc_callbacks_of_training(const clc_train_options *o) {
    return (clc_callbacks){o->context, o->log, o->stop, o->log || o->progress || o->stop};
}

void clc_callbacks_progress(const clc_train_options *o, const clc_progress *p, int64_t steps_done,
                            double loss, double rate) {
    if (!o->progress)
        return;
    const int64_t per = p->steps_per_epoch;
    const clc_train_progress told = {.step = steps_done,
                                     .steps = p->last,
                                     .epoch = (int)((steps_done - 1) / per) + 1,
                                     .epochs = (int)(p->last / per),
                                     .loss = loss,
                                     .rate = rate,
                                     .samples_per_second = clc_progress_rate(p, steps_done),
                                     .seconds_left = clc_progress_left(p, steps_done)};
    o->progress(o->context, &told);
}
