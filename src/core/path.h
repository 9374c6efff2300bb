/* Paths in arrays of the caller's. */
#ifndef CLC_CORE_PATH_H
#define CLC_CORE_PATH_H

#include "core/status.h"

enum { CLC_PATH_BYTES = 4096 }; /* of a path, with its final zero: no system call takes more */

/* Puts the formatted path into `path`; fails with CLC_INVALID, naming its beginning, where it is
 * longer than that. */
clc_status clc_path_format(char path[CLC_PATH_BYTES], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
