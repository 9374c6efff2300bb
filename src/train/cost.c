#include "train/cost.h"

#include "core/clock.h"

#include <math.h>

void clc_cost_start(clc_cost *cost, double started) {
    *cost = (clc_cost){.seconds = started};
    clc_energy_start(&cost->energy, NULL);
}

clc_status clc_cost_tell(clc_cost *cost, const clc_device *device, clc_metrics_files *metrics,
                         int64_t step) {
    const double now = clc_seconds(), joules = clc_energy_read(&cost->energy);
    const char *const keys[] = {"seconds", "device_megabytes", "joules"};
    const double values[] = {now - cost->seconds, (double)device->peak / 1e6,
                             joules - cost->joules};
    cost->seconds = now;
    cost->joules = joules;
    return clc_metrics_event(metrics, "cost", step, keys, values, isnan(joules) ? 2 : 3);
}
