#include "train/memory.h"

#include "core/log.h"

#include <stdio.h>

/* Share of the device's memory that a plan may take: drivers and programs need the rest. */
static const double usable = 0.95;

static double megabytes(double bytes) {
    return bytes / 1e6;
}

static bool fits(const clc_step *step, size_t *total, size_t *largest) {
    clc_memory_line lines[CLC_MEMORY_LINES];
    clc_step_memory(step, lines, total, largest);
    return (double)*total <= usable * (double)step->device->info.memory &&
           *largest <= step->device->info.largest_buffer;
}

/* The largest batch, by halving, whose plan fits; 0 if none does. */
static int fitting_batch(const clc_step *step, const clc_dataset *data) {
    clc_config config = *step->config;
    size_t total, largest;
    for (int batch = config.training.batch / 2; batch >= 2; batch /= 2) {
        clc_step trial = {0};
        config.training.batch = batch;
        bool good = clc_step_plan(&trial, step->device, &config, data) == CLC_OK &&
                    fits(&trial, &total, &largest);
        clc_step_release(&trial);
        if (good)
            return batch;
    }
    return 0;
}

static clc_status refuse(const clc_step *step, const clc_dataset *data, size_t total,
                         size_t largest) {
    const clc_device_info *info = &step->device->info;
    char advice[128];
    int batch = fitting_batch(step, data);
    if (batch)
        snprintf(advice, sizeof advice, "--set training.batch=%d would fit", batch);
    else
        snprintf(advice, sizeof advice,
                 "no batch would fit; use a narrower encoder (encoder.width) or data.limit");
    return clc_fail(CLC_MEMORY,
                    "training needs %.0f MB in all and %.0f MB in one buffer, but device %d (%s) has "
                    "%.0f MB of which %.0f %% can be used, and %.0f MB a buffer; %s",
                    megabytes((double)total), megabytes((double)largest), info->number, info->name,
                    megabytes((double)info->memory), 100 * usable,
                    megabytes((double)info->largest_buffer), advice);
}

clc_status clc_memory_check(const clc_step *step, const clc_dataset *data) {
    clc_memory_line lines[CLC_MEMORY_LINES];
    size_t total, largest;
    size_t n = clc_step_memory(step, lines, &total, &largest);
    clc_log("memory plan (MB):");
    for (size_t i = 0; i < n; i++)
        clc_log("  %-16s %10.2f", lines[i].what, megabytes((double)lines[i].bytes));
    clc_log("  %-16s %10.2f of %.0f", "total", megabytes((double)total),
            megabytes((double)step->device->info.memory));
    return fits(step, &total, &largest) ? CLC_OK : refuse(step, data, total, largest);
}
