#include "core/callbacks.h"

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

clc_status clc_callbacks_enter(const clc_callbacks *c) {
    if (!c->given || depth++ > 0)
        return CLC_OK;
    if (atomic_flag_test_and_set(&in_use)) {
        depth = 0;
        return clc_fail(CLC_INVALID, "another thread works with callbacks: one at a time");
    }
    former = clc_log_swap((clc_log_sink){c->log ? c->log : say_nothing, c->context});
    clc_signals_ask(c->stop ? c->stop : go_on, c->context);
    return CLC_OK;
}

void clc_callbacks_leave(const clc_callbacks *c) {
    if (!c->given || --depth > 0)
        return;
    clc_signals_ask(NULL, NULL);
    clc_log_swap(former);
    atomic_flag_clear(&in_use);
}
