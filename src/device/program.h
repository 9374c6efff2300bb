/* Programs: assembled from embedded text, built with -D constants, cached in memory and on disk. */
#ifndef CLC_DEVICE_PROGRAM_H
#define CLC_DEVICE_PROGRAM_H

#include "device/device.h"

/* Announces that a program will be needed: all that were announced are compiled together, on all cores, when the
 * first kernel is created. `source` must be static text. */
clc_status clc_program_request(clc_device *device, const char *source, const char *options);

/* Starts compiling what was announced in the background; without it that happens when a kernel is created. */
void clc_programs_start(clc_device *device);

/* Creates kernel `name` of `source` (a path below cl/) built with `options` (such as "-DC=64").
 * Fails with CLC_BUILD and the build log. The caller releases *kernel. Not to be called in a
 * training step. */
clc_status clc_kernel_create(clc_device *device, const char *source, const char *name,
                             const char *options, cl_kernel *kernel);

/* How many programs were built from source, and how many were loaded from the disk cache. */
typedef struct clc_program_counts {
    unsigned built, loaded;
    double build_seconds;
} clc_program_counts;
clc_program_counts clc_program_counts_get(const clc_device *device);

/* For device.c. */
clc_status clc_program_cache_create(clc_program_cache **cache);
void clc_program_cache_free(clc_program_cache **cache);

#endif
