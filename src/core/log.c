#define _POSIX_C_SOURCE 200809L
#include "core/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool quiet;
static bool live; /* a live line is on the screen; under the lock of stderr */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static clc_log_sink sink; /* under the lock */

clc_log_sink clc_log_swap(clc_log_sink next) {
    pthread_mutex_lock(&lock);
    const clc_log_sink before = sink;
    sink = next;
    pthread_mutex_unlock(&lock);
    return before;
}

void clc_log_to(clc_log_callback log, void *context) {
    clc_log_swap((clc_log_sink){log, context});
}

bool clc_log_quiet(bool value) {
    const bool before = quiet;
    quiet = value;
    return before;
}

static bool to_terminal(void) {
    pthread_mutex_lock(&lock);
    const bool terminal = !sink.log;
    pthread_mutex_unlock(&lock);
    return terminal;
}

bool clc_live_enabled(void) {
    return !quiet && to_terminal() && isatty(STDERR_FILENO);
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

/* Under the lock. Of a text for which there is no memory, the format. */
static void hand_over(clc_log_level level, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, arguments);
    sink.log(sink.context, level, text ? text : format);
    free(text);
}

static void tell(clc_log_level level, const char *prefix, const char *format, va_list arguments) {
    pthread_mutex_lock(&lock);
    if (sink.log)
        hand_over(level, format, arguments);
    else
        print_line(prefix, format, arguments);
    pthread_mutex_unlock(&lock);
}

void clc_log(const char *format, ...) {
    if (quiet)
        return;
    va_list arguments;
    va_start(arguments, format);
    tell(CLC_LOG_INFO, "", format, arguments);
    va_end(arguments);
}

void clc_warn(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    tell(CLC_LOG_WARNING, "warning: ", format, arguments);
    va_end(arguments);
}

static void hand_over_result(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    hand_over(CLC_LOG_RESULT, format, arguments);
    va_end(arguments);
}

void clc_log_result(const char *text) {
    const size_t length = strlen(text);
    pthread_mutex_lock(&lock);
    if (sink.log)
        hand_over_result("%.*s", (int)(length && text[length - 1] == '\n' ? length - 1 : length),
                         text);
    else
        fputs(text, stdout);
    pthread_mutex_unlock(&lock);
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
