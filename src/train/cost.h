/* What a training run costs: time, device memory and energy, told in its metrics. */
#ifndef CLC_TRAIN_COST_H
#define CLC_TRAIN_COST_H

#include "core/energy.h"
#include "device/device.h"
#include "report/metrics.h"

typedef struct clc_cost {
    clc_energy_meter energy;
    double seconds, joules; /* when it was last told */
} clc_cost;

/* `started`: clc_seconds() at the start of the run. Update cost->energy between (core/energy.h). */
void clc_cost_start(clc_cost *cost, double started);

/* Writes what the time since the last one has cost, and the most memory so far: all of them add up
 * to the run. */
clc_status clc_cost_tell(clc_cost *cost, const clc_device *device, clc_metrics_files *metrics,
                         int64_t step);

#endif
