/* `clcontrast check`: every kernel against its plain-C reference, on the device at hand. */
#ifndef CLC_CHECK_CHECK_H
#define CLC_CHECK_CHECK_H

#include "core/status.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct clc_check_options {
    const char *device;           /* as clc_device_open takes it */
    const char *const *overrides; /* of section [device]: which kernels */
    size_t override_count;
    const char *const *families; /* only these; family_count 0: all */
    size_t family_count;
    bool quick; /* small cases, once, instead of all, twice: at full speed and launch by launch */
} clc_check_options;

/* Runs the families of kernels one after the other, each in a process of its own, so that a driver
 * that crashes or hangs leaves the others; writes a line for each to `file` and, if one failed,
 * what a report of it should hold. Fails with CLC_OPENCL if a family failed, CLC_IO if the program
 * with the tests is not where it was installed, CLC_INVALID if no family has that name,
 * CLC_INTERRUPTED after a signal. */
clc_status clc_check(const clc_check_options *options, FILE *file);

#endif
