#define _POSIX_C_SOURCE 200809L
#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static bool quiet;
static bool live; /* a live line is on the screen; under the lock of stderr */

bool clc_log_quiet(bool value) {
    const bool before = quiet;
    quiet = value;
    return before;
}

bool clc_live_enabled(void) {
    return !quiet && isatty(STDERR_FILENO);
}

static void clear_live(void) {
    if (live)
        fputs("\r\033[K", stderr);
    live = false;
}

static void print_line(const char *prefix, const char *format, va_list arguments) {
    flockfile(stderr);
    clear_live();
    fputs(prefix, stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    funlockfile(stderr);
}

void clc_log(const char *format, ...) {
    if (quiet)
        return;
    va_list arguments;
    va_start(arguments, format);
    print_line("", format, arguments);
    va_end(arguments);
}

void clc_warn(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_line("warning: ", format, arguments);
    va_end(arguments);
}

void clc_live(const char *format, ...) {
    if (!clc_live_enabled())
        return;
    flockfile(stderr);
    clear_live();
    va_list arguments;
    va_start(arguments, format);
    live = vfprintf(stderr, format, arguments) > 0;
    va_end(arguments);
    fflush(stderr);
    funlockfile(stderr);
}
