/* Lines for the person at the terminal: plain text on stderr, so that stdout stays for results. */
#ifndef CLC_CORE_LOG_H
#define CLC_CORE_LOG_H

#include <stdbool.h>

/* Silences clc_log (warnings still show), or not; returns what was before. */
bool clc_log_quiet(bool quiet);

/* One line of information. */
void clc_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One line that begins with "warning: ". */
void clc_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line that replaces itself on a terminal; nothing when stderr is not one. An ordinary line
 * printed later clears it first. An empty text clears it. */
void clc_live(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether clc_live shows anything. */
bool clc_live_enabled(void);

#endif
