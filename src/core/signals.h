/* Ctrl-C and SIGTERM: the first asks what runs to save and stop, a second one exits at once. */
#ifndef CLC_CORE_SIGNALS_H
#define CLC_CORE_SIGNALS_H

#include <stdbool.h>

/* The exit status of an immediate exit: 128 + SIGINT, as a shell would report. */
enum { CLC_EXIT_AT_ONCE = 130 };

/* Installs the handlers; clc_signals_restore puts the former ones back. Calls nest: the outermost
 * pair counts, so that a signal between the runs of a sweep, or in one run after its last step, is
 * not lost. */
void clc_signals_install(void);
void clc_signals_restore(void);

/* Until NULL is said, in this thread `stop` is asked instead and clc_signals_install installs
 * nothing: for a program that has handlers of its own. Its first "yes" holds. To be said outside of
 * install and restore.
 */
void clc_signals_ask(bool (*stop)(void *context), void *context);

/* Whether one of the signals has come since the outermost clc_signals_install. */
bool clc_signals_stop(void);

/* Until false is said, clc_signals_stop is false: for what would have to be done again. Returns
 * what was before. */
bool clc_signals_defer(bool defer);

#endif
