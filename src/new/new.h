/* `clcontrast new`: a first configuration for data at hand. */
#ifndef CLC_NEW_NEW_H
#define CLC_NEW_NEW_H

#include "core/status.h"

#include <stddef.h>
#include <stdio.h>

typedef struct clc_new_options {
    const char *data;   /* what data.train may be */
    const char *device; /* as --device says; NULL: the best */
    const char *const *overrides;
    size_t override_count;
} clc_new_options;

/* Looks at the data and the device, chooses what fits both, times some steps, and writes a
 * configuration with its reasons as comments. Overrides stand in it as they are given. Progress
 * goes to stderr. CLC_INVALID, CLC_FORMAT, CLC_IO: the data are of no use for training, and why;
 * CLC_INTERRUPTED after Ctrl-C. */
clc_status clc_new(const clc_new_options *options, FILE *file);

#endif
