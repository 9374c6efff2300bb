/* Lines for the person at the terminal: plain text on stderr, so that stdout stays for results; or
 * for the program that said clc_log_to. All of the library's text goes through here. */
#ifndef CLC_CORE_LOG_H
#define CLC_CORE_LOG_H

#include "clcontrast/log.h"

#include <stdbool.h>

/* Where text goes; log NULL: to stderr and stdout. */
typedef struct clc_log_sink {
    clc_log_callback log;
    void *context;
} clc_log_sink;

/* Sets it and returns what was before. */
clc_log_sink clc_log_swap(clc_log_sink sink);

/* Silences clc_log (warnings still show), or not; returns what was before. */
bool clc_log_quiet(bool quiet);

/* One line of information. */
void clc_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One line that begins with "warning: ". */
void clc_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Text that was asked for, with its newlines: on stdout. */
void clc_log_result(const char *text);

/* A line that replaces itself on a terminal; nothing when stderr is not one. An ordinary line
 * printed later clears it first. An empty text clears it. */
void clc_live(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether clc_live shows anything. */
bool clc_live_enabled(void);

#endif
