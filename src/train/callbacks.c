#include "train/callbacks.h"

#include "core/log.h"
#include "core/signals.h"
#include "core/status.h"

#include <stdatomic.h>
#include <stddef.h>

static atomic_flag in_use = ATOMIC_FLAG_INIT; /* text has one place to go to */
static _Thread_local int depth;
static clc_log_sink former; /* of who is in use */

static void say_nothing(void *context, clc_log_level level, const char *text) {
    (void)context;
    (void)level;
    (void)text;
}

static bool go_on(void *context) {
    (void)context;
    return false;
}

static bool any(const clc_train_options *o) {
    return o->log || o->progress || o->stop;
}

clc_status clc_callbacks_enter(const clc_train_options *o) {
    if (!any(o) || depth++ > 0)
        return CLC_OK;
    if (atomic_flag_test_and_set(&in_use)) {
        depth = 0;
        return clc_fail(CLC_INVALID, "another thread trains with callbacks: one at a time");
    }
    former = clc_log_swap((clc_log_sink){o->log ? o->log : say_nothing, o->context});
    clc_signals_ask(o->stop ? o->stop : go_on, o->context);
    return CLC_OK;
}

void clc_callbacks_leave(const clc_train_options *o) {
    if (!any(o) || --depth > 0)
        return;
    clc_signals_ask(NULL, NULL);
    clc_log_swap(former);
    atomic_flag_clear(&in_use);
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
