/* The device's roofline, measured: the ceilings of arithmetic and of memory (Williams et al., CACM
 * 2009). */
#ifndef CLC_DEVICE_ROOFLINE_H
#define CLC_DEVICE_ROOFLINE_H

#include "device/device.h"

typedef struct clc_roofline {
    double flops; /* multiply-adds a second, each counted as two */
    double bytes; /* read and written a second, by a copy that no cache holds */
} clc_roofline;

/* Measures both; takes about a second, and two buffers of 64 MB (less on a device with little
 * memory). */
clc_status clc_roofline_measure(clc_device *device, clc_roofline *roofline);

/* The least seconds that work of so many operations and bytes needs. */
double clc_roofline_seconds(const clc_roofline *roofline, double flops, double bytes);

#endif
