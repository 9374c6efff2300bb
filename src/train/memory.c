#include "train/memory.h"

#include "core/log.h"

#include <math.h>
#include <stdio.h>

static const double usable = CLC_USABLE_PERCENT / 100.0;

static double megabytes(double bytes) {
    return bytes / 1e6;
}

static bool fits(const clc_step *step, size_t *total, size_t *largest) {
    clc_memory_line lines[CLC_MEMORY_LINES];
    clc_step_memory(step, lines, total, largest);
    return (double)*total <= usable * (double)step->device->info.memory &&
           *largest <= step->device->info.largest_buffer;
}

/* Halves *images, a setting of `config`, until the plan fits; 0 if it never does. */
static int fitting(const clc_step *step, const clc_dataset *data, clc_config *config, int *images) {
    size_t total, largest;
    for (*images = config->training.batch / 2; *images >= 2; *images /= 2) {
        clc_step trial = {0};
        bool good = clc_step_plan(&trial, step->device, config, data) == CLC_OK &&
                    fits(&trial, &total, &largest);
        clc_step_release(&trial);
        if (good)
            return *images;
    }
    return 0;
}

/* Settings that would make it fit. */
static void advise(const clc_step *step, const clc_dataset *data, char *advice, size_t size) {
    const clc_device_info *info = &step->device->info;
    const double most = usable / 2 * (double)info->memory;
    clc_config fewer = *step->config, parts = *step->config;
    if (step->residence.resident && (double)data->bytes > most) {
        snprintf(advice, size,
                 "the images alone are %.0f MB; --set data.residency=host would bring them a batch "
                 "at a time",
                 megabytes((double)data->bytes));
        return;
    }
    const int batch = fitting(step, data, &fewer, &fewer.training.batch);
    const int part = fitting(step, data, &parts, &parts.training.micro_batch);
    size_t used = 0;
    if (!batch && !part)
        snprintf(advice, size,
                 "no batch would fit; use a narrower encoder (encoder.width) or data.limit");
    if (batch)
        used = (size_t)snprintf(advice, size, "--set training.batch=%d would fit", batch);
    if (part)
        snprintf(advice + used, size - used, "%s--set training.micro_batch=%d would fit%s",
                 batch ? ", and " : "", part, batch ? " and keep the batch" : "");
}

static clc_status refuse(const clc_step *step, const clc_dataset *data, size_t total,
                         size_t largest) {
    const clc_device_info *info = &step->device->info;
    char advice[192];
    advise(step, data, advice, sizeof advice);
    return clc_fail(
        CLC_MEMORY,
        "training needs %.0f MB in all and %.0f MB in one buffer, but device %d (%s) has "
        "%.0f MB of which %.0f %% can be used, and %.0f MB a buffer; %s",
        megabytes((double)total), megabytes((double)largest), info->number, info->name,
        megabytes((double)info->memory), 100 * usable, megabytes((double)info->largest_buffer),
        advice);
}

clc_status clc_memory_check(clc_step *step, const clc_dataset *data) {
    clc_memory_line lines[CLC_MEMORY_LINES];
    size_t total, largest;
    if (!fits(step, &total, &largest) && clc_step_unsettle(step))
        clc_log("the images don't fit the device beside the rest: they are brought a batch at a "
                "time");
    size_t n = clc_step_memory(step, lines, &total, &largest);
    clc_log("memory plan (MB):");
    for (size_t i = 0; i < n; i++)
        clc_log("  %-16s %10.2f", lines[i].what, megabytes((double)lines[i].bytes));
    clc_log("  %-16s %10.2f of %.0f", "total", megabytes((double)total),
            megabytes((double)step->device->info.memory));
    return fits(step, &total, &largest) ? CLC_OK : refuse(step, data, total, largest);
}
