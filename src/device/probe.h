/* The probe behind clc_devices_probe, with the handles that opening a device needs. */
#ifndef CLC_DEVICE_PROBE_H
#define CLC_DEVICE_PROBE_H

#include "clcontrast/device.h"

#include <CL/cl.h>

typedef struct clc_probed {
    cl_platform_id platform;
    cl_device_id id;
} clc_probed;

/* As clc_devices_probe; *handles (freed by the caller) is parallel to *devices. */
clc_status clc_probe(clc_device_info **devices, clc_probed **handles, size_t *count, char **notes);

/* Chooses among `count` devices; see clc_device_open for `selector`. */
clc_status clc_probe_select(const clc_device_info *devices, size_t count, const char *selector,
                            size_t *chosen);

#endif
