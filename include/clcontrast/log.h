/* Where the library's text goes. */
#ifndef CLCONTRAST_LOG_H
#define CLCONTRAST_LOG_H

#include "clcontrast/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum clc_log_level {
    CLC_LOG_INFO,
    CLC_LOG_WARNING,
    CLC_LOG_RESULT /* tables of an evaluation, of several lines */
} clc_log_level;

/* Takes a text without its last newline. It is called by one thread at a time, any of the library's
 * own among them, and must not call the library. */
typedef void (*clc_log_callback)(void *context, clc_log_level level, const char *text);

/* From now on all text of the process goes to `log`, and nothing to stderr and stdout; NULL: there,
 * as at first. */
CLC_API void clc_log_to(clc_log_callback log, void *context);

#ifdef __cplusplus
}
#endif
#endif
