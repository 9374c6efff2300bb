#include "core/path.h"

#include <stdarg.h>
#include <stdio.h>

clc_status clc_path_format(char path[CLC_PATH_BYTES], const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(path, CLC_PATH_BYTES, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= CLC_PATH_BYTES)
        return clc_fail(CLC_INVALID,
                        "the path %.60s... has %d bytes, more than the %d that a path may have; "
                        "choose a folder nearer to the root",
                        path, length, CLC_PATH_BYTES - 1);
    return CLC_OK;
}
