#include "core/signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t received;
static int depth;
static atomic_bool deferred;
static struct sigaction former_int, former_term;
static _Thread_local bool (*asked)(void *context);
static _Thread_local void *asked_context;
static _Thread_local bool answered; /* that it is to stop, which holds from then on */

static void handle(int signal) {
    static const char text[] = "\nfinishing what runs and saving; once more to exit at once\n";
    (void)signal;
    if (received)
        _exit(CLC_EXIT_AT_ONCE);
    received = 1;
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        return;
}

void clc_signals_ask(bool (*stop)(void *context), void *context) {
    asked = stop;
    asked_context = context;
    answered = false;
}

void clc_signals_install(void) {
    struct sigaction action;
    if (asked || depth++)
        return;
    memset(&action, 0, sizeof action);
    action.sa_handler = handle;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    received = 0;
    sigaction(SIGINT, &action, &former_int);
    sigaction(SIGTERM, &action, &former_term);
}

void clc_signals_restore(void) {
    if (asked || --depth)
        return;
    sigaction(SIGINT, &former_int, NULL);
    sigaction(SIGTERM, &former_term, NULL);
    received = 0; /* what comes next in this process was not to be stopped */
}

bool clc_signals_stop(void) {
    if (deferred)
        return false;
    if (!asked)
        return received != 0;
    answered = answered || asked(asked_context);
    return answered;
}

bool clc_signals_defer(bool defer) {
    const bool before = deferred;
    deferred = defer;
    return before;
}
