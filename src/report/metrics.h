/* metrics.csv (the same bits for the same run, so no times) and metrics.jsonl (with times) of a
 * run. */
#ifndef CLC_REPORT_METRICS_H
#define CLC_REPORT_METRICS_H

#include "clcontrast/device.h"
#include "core/path.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct clc_metrics_files {
    FILE *csv, *jsonl;
    FILE *events; /* TensorBoard's; NULL: not asked for */
    char csv_path[CLC_PATH_BYTES], jsonl_path[CLC_PATH_BYTES];
} clc_metrics_files;

/* Opens both in `folder`. With resumed_step >= 0 rows of later steps are dropped and writing goes
 * on behind the rest; with -1 both begin anew. */
clc_status clc_metrics_open(clc_metrics_files *files, const char *folder, int64_t resumed_step);

/* The same figures also to an event file, from now on. */
clc_status clc_metrics_open_events(clc_metrics_files *files, const char *folder,
                                   int64_t resumed_step);

/* A JPEG of the run's folder to the event file, if there are both. */
clc_status clc_metrics_picture(clc_metrics_files *files, int64_t step, const char *folder,
                               const char *name, const char *tag);

/* One row; step and epoch count from 1. */
typedef struct clc_metrics_entry {
    int64_t step;
    int epoch;
    double loss, rate, gradient_norm, images_per_second;
    bool watched; /* whether these were measured: see train/watch.h */
    double deviation, rank, alignment, uniformity;
} clc_metrics_entry;
clc_status clc_metrics_row(clc_metrics_files *files, const clc_metrics_entry *entry);

/* One line {"event": ..., "step": ..., <key>: <value>} in metrics.jsonl only. */
clc_status clc_metrics_event(clc_metrics_files *files, const char *event, int64_t step,
                             const char *const *keys, const double *values, size_t n);

/* The event "trained", which says on what device and by which version. */
clc_status clc_metrics_trained(clc_metrics_files *files, int64_t step, double seconds,
                               const clc_device_info *device);

void clc_metrics_close(clc_metrics_files *files);

#endif
