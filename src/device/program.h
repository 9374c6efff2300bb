/* Programs: assembled from embedded text, built with -D constants, cached in memory and on disk. */
#ifndef CLC_DEVICE_PROGRAM_H
#define CLC_DEVICE_PROGRAM_H

#include "device/device.h"

/* Announces that the program of `source` (a path below cl/; static text) with `options` will be
 * needed: all that were announced are compiled together when the first kernel is created. *number
 * names it on this device. */
clc_status clc_program_request(clc_device *device, const char *source, const char *options,
                               size_t *number);

/* Creates kernel `name` of program `number`, compiling what waits, or waiting for it alone
 * while clc_programs_start's compilation goes on. Fails with CLC_BUILD and the build log. The
 * caller releases *kernel. In training steps only until each has met all its launches once. */
clc_status clc_program_kernel(clc_device *device, size_t number, const char *name,
                              cl_kernel *kernel);

/* Starts compiling what was announced in the background; without it that happens when a kernel is
 * created. */
void clc_programs_start(clc_device *device);

/* Writes what was announced and not compiled to `folder`: a file each, whose first line is a
 * comment with the build options. *count receives their number. */
clc_status clc_programs_write(const clc_device *device, const char *folder, size_t *count);

/* Compiles what was announced and puts it into the disk cache, also where the driver has a cache of
 * its own and training therefore doesn't: later starts then load it without the driver's front end.
 * Returns how many of *count programs are there now. Not while clc_programs_start's compilation
 * goes on. */
size_t clc_programs_keep(clc_device *device, size_t *count);

/* Both in one. */
clc_status clc_kernel_create(clc_device *device, const char *source, const char *name,
                             const char *options, cl_kernel *kernel);

/* How many programs were built from source, and how many were loaded from the disk cache. */
typedef struct clc_program_counts {
    unsigned built, loaded;
    double build_seconds;
} clc_program_counts;
clc_program_counts clc_program_counts_get(const clc_device *device);

/* For open.c. */
clc_status clc_program_cache_create(clc_program_cache **cache);
void clc_program_cache_free(clc_program_cache **cache);

#endif
