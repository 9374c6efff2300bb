/* Sees what tests launch, draw and read: the linker puts these functions in front of those of the
 * library and the harness (-Wl,--wrap). */
#include "runner.h"

#include "harness.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

enum { KERNELS = 12, SEEDS = 8, SOURCES = 64, OPTION_BYTES = 1024 };

typedef struct launched {
    const char *source, *kernel;
    char options[OPTION_BYTES];
} launched;

static launched kernels[KERNELS]; /* the newest, in turn */
static size_t kernel_count;
static uint64_t seeds[SEEDS];
static size_t seed_count;
static const char *sources[SOURCES];
static size_t source_count;
static check_reads reads;

clc_status __real_clc_sequence_add(clc_sequence *sequence, clc_device *device,
                                   const clc_launch_spec *spec, const clc_arg *args, size_t n);
clc_status __wrap_clc_sequence_add(clc_sequence *sequence, clc_device *device,
                                   const clc_launch_spec *spec, const clc_arg *args, size_t n);
clc_status __real_clc_buffer_read(clc_device *device, cl_mem buffer, size_t offset, size_t bytes,
                                  void *data);
clc_status __wrap_clc_buffer_read(clc_device *device, cl_mem buffer, size_t offset, size_t bytes,
                                  void *data);
clc_status __real_clc_buffer_create(clc_device *device, size_t bytes, const char *what,
                                    cl_mem *buffer);
clc_status __wrap_clc_buffer_create(clc_device *device, size_t bytes, const char *what,
                                    cl_mem *buffer);
float *__real_test_random(size_t count, uint64_t seed);
float *__wrap_test_random(size_t count, uint64_t seed);

static void note_source(const char *source) {
    for (size_t i = 0; i < source_count; i++)
        if (!strcmp(sources[i], source))
            return;
    if (source_count < SOURCES)
        sources[source_count++] = source;
}

static void note_seed(uint64_t seed) {
    for (size_t i = 0; i < seed_count; i++)
        if (seeds[i] == seed)
            return;
    if (seed_count < SEEDS)
        seeds[seed_count++] = seed;
}

clc_status __wrap_clc_sequence_add(clc_sequence *sequence, clc_device *device,
                                   const clc_launch_spec *spec, const clc_arg *args, size_t n) {
    const char *options = spec->options ? spec->options : "";
    const launched *newest = kernel_count ? &kernels[(kernel_count - 1) % KERNELS] : NULL;
    note_source(spec->source);
    if (!newest || strcmp(newest->kernel, spec->kernel) || strcmp(newest->options, options)) {
        launched *k = &kernels[kernel_count++ % KERNELS];
        k->source = spec->source;
        k->kernel = spec->kernel;
        snprintf(k->options, sizeof k->options, "%s", options);
    }
    return __real_clc_sequence_add(sequence, device, spec, args, n);
}

/* Places that nothing is written to, such as those behind a list's end, are the same in each run.
 */
clc_status __wrap_clc_buffer_create(clc_device *device, size_t bytes, const char *what,
                                    cl_mem *buffer) {
    const clc_status status = __real_clc_buffer_create(device, bytes, what, buffer);
    return status == CLC_OK ? clc_buffer_zero(device, *buffer, 0, clc_buffer_bytes(bytes) / 4 * 4)
                            : status;
}

clc_status __wrap_clc_buffer_read(clc_device *device, cl_mem buffer, size_t offset, size_t bytes,
                                  void *data) {
    const clc_status status = __real_clc_buffer_read(device, buffer, offset, bytes, data);
    if (status == CLC_OK) {
        reads.count++;
        reads.digest = XXH64(data, bytes, reads.digest);
    }
    return status;
}

float *__wrap_test_random(size_t count, uint64_t seed) {
    note_seed(seed);
    return __real_test_random(count, seed);
}

check_reads check_reads_get(void) {
    return reads;
}

void check_trace_print(void) {
    for (size_t i = kernel_count > KERNELS ? kernel_count - KERNELS : 0; i < kernel_count; i++) {
        const launched *k = &kernels[i % KERNELS];
        printf("kernel %s %s %s\n", k->source, k->kernel, k->options);
    }
    for (size_t i = 0; i < seed_count; i++)
        printf("seed %llu\n", (unsigned long long)seeds[i]);
    check_trace_forget();
}

void check_trace_forget(void) {
    kernel_count = seed_count = 0;
}

void check_sources_print(void) {
    for (size_t i = 0; i < source_count; i++)
        printf("source %s\n", sources[i]);
}
