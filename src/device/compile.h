/* Compiling a program, or many at once; which there are and who waits for them is program.c's. */
#ifndef CLC_DEVICE_COMPILE_H
#define CLC_DEVICE_COMPILE_H

#include "device/device.h"
#include "device/disk_cache.h"

typedef struct clc_program_entry {
    clc_cache_key key;
    const char *source;
    char *text, *options;  /* while it waits to be compiled, else NULL */
    unsigned char *binary; /* between a compiling thread and the device's context */
    size_t binary_size;
    bool stored; /* the binary is in the disk cache */
    cl_program program;
} clc_program_entry;

/* The program of entry's binary, which is freed; NULL if the device doesn't take it. */
cl_program clc_compile_load(clc_device *device, clc_program_entry *entry);

/* Gives a binary, stored in the disk cache, to each of `count` entries that waits without: on every
 * core, this thread being one of the workers. `total`, their number, is for the progress shown. */
void clc_compile_all(const clc_device *device, clc_program_entry *entries, size_t count,
                     size_t total);

/* Builds entry's text in the device's own context. Fails with CLC_BUILD and the build log. The
 * caller releases *program. */
clc_status clc_compile_build(clc_device *device, const clc_program_entry *entry,
                             cl_program *program);

#endif
