/* Kernel sources: embedded text, or files of the folder that CLCONTRAST_CL_DIR names. */
#ifndef CLC_DEVICE_SOURCE_H
#define CLC_DEVICE_SOURCE_H

#include "core/status.h"

typedef struct clc_source {
    const char *name; /* path below cl/, such as "op/conv2d_direct.cl" */
    const char *text;
} clc_source;

extern const clc_source clc_sources[];
extern const size_t clc_source_count;

/* The text of source `name` with its `#include "x"` lines replaced by those sources (names are
 * paths below cl/). The caller frees *text. */
clc_status clc_source_assemble(const char *name, char **text);

#endif
