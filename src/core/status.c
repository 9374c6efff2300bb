#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_BYTES = 16384 };

static _Thread_local char message[MESSAGE_BYTES];

const char *clc_version(void) {
    return CLC_VERSION;
}

const char *clc_status_name(clc_status status) {
    static const char *const names[] = {
#define STATUS_NAME(name, meaning) #name,
        CLC_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
    };
    return (size_t)status < sizeof names / sizeof *names ? names[status] : "UNKNOWN";
}

const char *clc_error(void) {
    return message;
}

clc_status clc_fail(clc_status status, const char *format, ...) {
    /* An argument may be the present message: format aside first. */
    char text[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    memcpy(message, text, sizeof message);
    return status;
}

clc_status clc_fail_context(clc_status status, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return clc_fail(status, "%s: %s", text, message);
}

clc_status clc_fail_alloc(size_t bytes) {
    return clc_fail(CLC_MEMORY,
                    "out of host memory: %zu bytes could not be allocated; use a smaller batch",
                    bytes);
}
