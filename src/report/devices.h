/* The device table of `clcontrast devices`. */
#ifndef CLC_REPORT_DEVICES_H
#define CLC_REPORT_DEVICES_H

#include "clcontrast/device.h"

#include <stdio.h>

/* Probes and prints all devices as a table, or with `json` as one JSON object {"devices": [...],
 * "notes": ...}. No device at all is a failure, after the notes have been printed. */
clc_status clc_devices_report(FILE *file, bool json);

#endif
