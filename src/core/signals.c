#include "core/signals.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t received;
static int depth;
static bool deferred;
static struct sigaction former_int, former_term;

static void handle(int signal) {
    static const char text[] = "\nfinishing what runs and saving; once more to exit at once\n";
    (void)signal;
    if (received)
        _exit(CLC_EXIT_AT_ONCE);
    received = 1;
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        return;
}

void clc_signals_install(void) {
    struct sigaction action;
    if (depth++)
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
    if (--depth)
        return;
    sigaction(SIGINT, &former_int, NULL);
    sigaction(SIGTERM, &former_term, NULL);
}

bool clc_signals_stop(void) {
    return received != 0 && !deferred;
}

bool clc_signals_defer(bool defer) {
    const bool before = deferred;
    deferred = defer;
    return before;
}
