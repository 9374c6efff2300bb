/* Energy that the machine's processors have taken, where Linux tells it (RAPL). */
#ifndef CLC_CORE_ENERGY_H
#define CLC_CORE_ENERGY_H

#include <stdbool.h>

enum { CLC_ENERGY_ZONES = 16 }; /* processor packages at most */

typedef struct clc_energy_meter {
    const char *folder;                                     /* where zones are */
    int zones;                                              /* 0: none tells it */
    double last[CLC_ENERGY_ZONES], range[CLC_ENERGY_ZONES]; /* microjoules */
    double
        joules; /* since the start: of all that runs on the processors, not of this process only */
} clc_energy_meter;

/* Begins to count. `folder`: NULL for Linux's, /sys/class/powercap. */
void clc_energy_start(clc_energy_meter *meter, const char *folder);

/* Brings meter->joules up to date; returns them, NaN where nothing tells. Call it at least every
 * half an hour, for counters begin anew some time. */
double clc_energy_read(clc_energy_meter *meter);

#endif
