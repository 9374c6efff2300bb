/* Ctrl-C and SIGTERM: the first asks training to stop after the step, a second one exits at once. */
#ifndef CLC_TRAIN_SIGNALS_H
#define CLC_TRAIN_SIGNALS_H

#include <stdbool.h>

/* The exit status of an immediate exit: 128 + SIGINT, as a shell would report. */
enum { CLC_EXIT_AT_ONCE = 130 };

/* Installs the handlers; clc_signals_restore puts the former ones back. */
void clc_signals_install(void);
void clc_signals_restore(void);

/* Whether one of the signals has come since clc_signals_install. */
bool clc_signals_stop(void);

#endif
