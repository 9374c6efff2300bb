#include "device/roofline.h"

#include "device/sequence.h"

#include <stdio.h>

enum { CHAINS = 12, ROUNDS = 1 << 16, REPEATS = 8 };
static const size_t copy_bytes = (size_t)64 << 20;

/* The shortest of some runs, in seconds. */
static clc_status best_of(clc_sequence *sequence, clc_device *device, double *seconds) {
    clc_status status = CLC_OK;
    clc_launch *launch = &sequence->items[sequence->count - 1];
    *seconds = 1e30;
    for (int i = 0; i < REPEATS; i++) {
        launch->seconds = 0;
        CLC_TRY(clc_sequence_profile(sequence, device));
        *seconds = launch->seconds < *seconds ? launch->seconds : *seconds;
    }
fail:
    return status;
}

static clc_launch_spec spec(const clc_device *device, const char *kernel, const char *options) {
    return (clc_launch_spec){.source = "roofline.cl",
                             .kernel = kernel,
                             .options = options,
                             .groups = {(size_t)device->groups * 4},
                             .local = {device->group_size}};
}

static clc_status measure_fma(clc_device *device, double *rate) {
    clc_status status = CLC_OK;
    clc_sequence sequence = {0};
    cl_mem out = NULL;
    char options[64];
    double seconds;
    const unsigned width = device->profile == CLC_PROFILE_CPU ? device->vector_width : 1;
    snprintf(options, sizeof options, "-DVW=%u -DCHAINS=%d", width, CHAINS);
    const clc_launch_spec s = spec(device, "roofline_fma", options);
    const size_t items = s.groups[0] * s.local[0];
    CLC_TRY(clc_buffer_create(device, items * width * sizeof(float), "roofline", &out));
    CLC_TRY(CLC_LAUNCH(&sequence, device, &s, CLC_MEM(out), CLC_INT(ROUNDS), CLC_FLOAT(0.999f),
                       CLC_FLOAT(1e-3f)));
    CLC_TRY(best_of(&sequence, device, &seconds));
    *rate = 2.0 * (double)items * width * CHAINS * ROUNDS / seconds;
fail:
    clc_sequence_free(&sequence);
    clc_buffer_release(device, &out);
    return status;
}

static clc_status measure_copy(clc_device *device, double *rate) {
    clc_status status = CLC_OK;
    clc_sequence sequence = {0};
    cl_mem from = NULL, to = NULL;
    char options[32];
    double seconds;
    size_t bytes = copy_bytes;
    while (bytes > device->info.memory / 8 || bytes > device->info.largest_buffer)
        bytes /= 2;
    const unsigned width = device->profile == CLC_PROFILE_CPU ? device->vector_width : 4;
    snprintf(options, sizeof options, "-DVW=%u", width);
    const clc_launch_spec s = spec(device, "roofline_copy", options);
    CLC_TRY(clc_buffer_create(device, bytes, "roofline", &from));
    CLC_TRY(clc_buffer_create(device, bytes, "roofline", &to));
    CLC_TRY(clc_buffer_zero(device, from, 0, bytes));
    CLC_TRY(CLC_LAUNCH(&sequence, device, &s, CLC_MEM(from), CLC_MEM(to),
                       CLC_INT(bytes / sizeof(float) / width)));
    CLC_TRY(best_of(&sequence, device, &seconds));
    *rate = 2.0 * (double)bytes / seconds;
fail:
    clc_sequence_free(&sequence);
    clc_buffer_release(device, &from);
    clc_buffer_release(device, &to);
    return status;
}

clc_status clc_roofline_measure(clc_device *device, clc_roofline *roofline) {
    clc_status status = CLC_OK;
    CLC_TRY(measure_fma(device, &roofline->flops));
    CLC_TRY(measure_copy(device, &roofline->bytes));
fail:
    return status;
}

double clc_roofline_seconds(const clc_roofline *roofline, double flops, double bytes) {
    const double arithmetic = flops / roofline->flops, memory = bytes / roofline->bytes;
    return arithmetic > memory ? arithmetic : memory;
}
