/* metrics.csv (the same bits for the same run, so no times) and metrics.jsonl (with times) of a run. */
#ifndef CLC_REPORT_METRICS_H
#define CLC_REPORT_METRICS_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct clc_metrics_files {
    FILE *csv, *jsonl;
    char csv_path[1024], jsonl_path[1024];
} clc_metrics_files;

/* Opens both in `folder`. With resumed_step >= 0 rows of later steps are dropped and writing goes on behind
 * the rest; with -1 both begin anew. */
clc_status clc_metrics_open(clc_metrics_files *files, const char *folder, int64_t resumed_step);

/* One row: the step counts from 1, the epoch from 1. */
clc_status clc_metrics_row(clc_metrics_files *files, int64_t step, int epoch, double loss,
                           double rate, double gradient_norm, double images_per_second);

/* One line {"event": ..., "step": ..., <key>: <value>} in metrics.jsonl only. */
clc_status clc_metrics_event(clc_metrics_files *files, const char *event, int64_t step,
                             const char *const *keys, const double *values, size_t n);

void clc_metrics_close(clc_metrics_files *files);

#endif
