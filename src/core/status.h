/* How the library reports failure: a clc_status, and a message kept per thread. */
#ifndef CLC_CORE_STATUS_H
#define CLC_CORE_STATUS_H

#include "clcontrast/status.h"

#include <stddef.h>
#include <stdlib.h>

/* Stores the formatted message for clc_error() and returns `status`. */
clc_status clc_fail(clc_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts the formatted text and ": " in front of the present message; returns `status`. */
clc_status clc_fail_context(clc_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Fails with CLC_MEMORY, naming the number of bytes of host memory asked for. */
clc_status clc_fail_alloc(size_t bytes);

/* Both need a local `clc_status status` and a `fail:` label that cleans up. */
#define CLC_TRY(call)                                                                              \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != CLC_OK)                                                                      \
            goto fail;                                                                             \
    } while (0)

/* Allocates `n` zeroed elements (at least one) and assigns them to `pointer`. */
#define CLC_NEW(pointer, n)                                                                        \
    do {                                                                                           \
        size_t clc_new_count = (size_t)(n);                                                        \
        (pointer) = calloc(clc_new_count ? clc_new_count : 1, sizeof *(pointer));                  \
        if (!(pointer)) {                                                                          \
            status = clc_fail_alloc(clc_new_count * sizeof *(pointer));                            \
            goto fail;                                                                             \
        }                                                                                          \
    } while (0)

#endif
