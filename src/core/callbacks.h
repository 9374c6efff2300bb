/* The callbacks of who calls the library: text goes to theirs, signals stay theirs. */
#ifndef CLC_CORE_CALLBACKS_H
#define CLC_CORE_CALLBACKS_H

#include "clcontrast/log.h"

#include <stdbool.h>

typedef struct clc_callbacks {
    void *context;
    clc_log_callback log;        /* NULL: text is lost */
    bool (*stop)(void *context); /* NULL: nothing stops the work */
    bool given;                  /* false: nothing changes */
} clc_callbacks;

/* From here to clc_callbacks_leave, which is due after a success only, text goes to `log` and this
 * thread asks `stop`. Pairs nest in a thread: the outermost counts. CLC_INVALID: another thread is
 * between such a pair. */
clc_status clc_callbacks_enter(const clc_callbacks *callbacks);
void clc_callbacks_leave(const clc_callbacks *callbacks);

#endif
