/* Opening and closing a device. */
#ifndef CLC_DEVICE_OPEN_H
#define CLC_DEVICE_OPEN_H

#include "core/config.h"
#include "device/device.h"

/* Opens the device that `selector` names: a flat number, "cpu", "gpu" or a part of a name (any
 * case); NULL or "" chooses the best one that can train. */
clc_status clc_device_open(const char *selector, clc_profile profile, clc_device **device);

/* The same, used as section [device] of a configuration says. */
clc_status clc_device_open_as(const char *selector, const clc_config_device *config,
                              clc_device **device);

/* Releases everything; all buffers and kernels must have been released before. */
void clc_device_close(clc_device **device);

#endif
