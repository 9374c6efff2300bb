/* Probing OpenCL devices: one flat, stable numbering over all platforms. */
#ifndef CLCONTRAST_DEVICE_H
#define CLCONTRAST_DEVICE_H

#include "clcontrast/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct clc_device_info {
    int number;    /* what --device takes */
    char type[16]; /* "cpu", "gpu", "accelerator", "other" */
    char name[128];
    char vendor[128];
    char platform[128];
    char driver[128];
    char opencl[64]; /* device version, such as "OpenCL 1.2 pocl" */
    unsigned compute_units;
    unsigned float_width;    /* native float vector width, at least 1 */
    uint64_t memory;         /* bytes */
    uint64_t largest_buffer; /* bytes */
    uint64_t local_memory;   /* bytes a work-group */
    size_t max_group;        /* work-items a work-group */
    size_t max_group_sizes[3];
    unsigned alignment;   /* of sub-buffers, bytes */
    char extensions[256]; /* those that matter here, separated by blanks */
    bool can_train;
    char reason[128]; /* why not, or "" */
} clc_device_info;

/* Lists every device of every platform. *devices is to be freed with clc_devices_free; *count may
 * be 0. A platform without devices or with a failing driver is passed over; `*notes`, if not NULL,
 * receives a line on each such platform (same owner; "" if none). Fails with CLC_NO_DEVICE when
 * there is no OpenCL platform at all. */
CLC_API clc_status clc_devices_probe(clc_device_info **devices, size_t *count, char **notes);
CLC_API void clc_devices_free(clc_device_info **devices, size_t *count, char **notes);

#ifdef __cplusplus
}
#endif
#endif
