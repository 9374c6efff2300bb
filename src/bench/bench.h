/* Benchmarks: the training step by op, and the loss by number of views. */
#ifndef CLC_BENCH_BENCH_H
#define CLC_BENCH_BENCH_H

#include "clcontrast/train.h"
#include "core/status.h"

#include <stdint.h>
#include <stdio.h>

/* Times the step that the configuration describes and prints it op by op, or with `layers` by op
 * and layer: time, share, GFLOP/s, GB/s and percentage of the device's measured roofline; or one
 * JSON object. Without data.train random images of 32 x 32 x 3 serve. */
clc_status clc_bench_step(const clc_train_options *options, bool layers, bool json, FILE *file);

/* The time of a step, device memory, and how many views of an image go through the networks and the
 * teacher. */
typedef struct clc_bench_times {
    double seconds;
    uint64_t bytes;
    int views, teacher_views;
} clc_bench_times;
clc_status clc_bench_time(const clc_train_options *options, clc_bench_times *times);

/* Times a step of every method with the same networks, and prints it relative to SimCLR's, beside
 * what the passes through the networks alone would be: three a view, one a teacher's. */
clc_status clc_bench_methods(const clc_train_options *options, bool json, FILE *file);

/* Times what brings the configuration's images in: the list, each decoder, scaling, copies into
 * batches, and what a training step waits for them; or prints one JSON object. */
clc_status clc_bench_data(const clc_train_options *options, bool json, FILE *file);

/* Times matrix products by our own kernel, CLBlast and, where installed, OpenBLAS; each is checked
 * first. */
clc_status clc_bench_gemm(const char *device, bool json, FILE *file);

/* Times the search for the nearest of a million rows by batches of queries: time, share of the
 * memory bandwidth and of the arithmetic that the roofline says. Takes 512 MB of device memory. */
clc_status clc_bench_search(const char *device, bool json, FILE *file);

/* Times NT-Xent (or, with `all`, every loss on pairs) and its gradient for 1,024 to 65,536 views of
 * 128 dimensions; prints time and workspace beside the bytes that a dense similarity matrix would
 * take. `most` limits the views. */
clc_status clc_bench_loss(const char *device, int most, bool all, bool json, FILE *file);

#endif
