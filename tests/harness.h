/* What kernel tests share: a device, guarded and poisoned buffers, and a comparison that passes
 * only when proven close. */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include "core/rng.h"
#include "device/device.h"
#include "device/sequence.h"
#include "eval/features.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Fails the running test with clc_error() unless `call` returns CLC_OK. */
#define CHECK(call)                                                                                \
    do {                                                                                           \
        if ((call) != CLC_OK)                                                                      \
            fail_msg("%s: %s", #call, clc_error());                                                \
    } while (0)

/* Opens the device that CLC_TEST_DEVICE selects (default: the best), with the profile that
 * CLC_TEST_PROFILE names (cpu, gpu; default: the device's own), once a process. Its absence fails.
 * CLC_TEST_SYNC=every: as device.sync = every.
 */
clc_device *test_device(void);

/* Whether a case of so many multiply-adds is to be run: CLC_TEST_WORK sets a limit, for simulators.
 */
bool test_affordable(double work);

/* Closes it; fails if a buffer is still alive. A cmocka group teardown. */
int test_close_device(void **state);

/* Floats in [-1, 1), the same for the same seed. Freed by the caller. */
float *test_random(size_t count, uint64_t seed);

/* Features of these values (rows,dim) on the device: clc_buffer_release their data. */
clc_features test_features(const float *values, size_t rows, int dim);

/* A device buffer between two canaries. */
typedef struct test_buffer {
    cl_mem whole, mem; /* mem: what the kernel gets, `count` floats */
    size_t count;
    const char *name;
} test_buffer;

/* A buffer that holds `values`, or NaN everywhere if NULL (an output, or a workspace). */
test_buffer test_buffer_make(const char *name, const float *values, size_t count);

/* Reads the buffer; fails the test when a canary was overwritten. Freed by the caller. */
float *test_buffer_read(const test_buffer *buffer);

/* Whether the canaries are intact. */
bool test_buffer_intact(const test_buffer *buffer);
void test_buffer_release(test_buffer *buffer);

/* The largest |got - want| relative to the largest |want| (or 1 if all are 0); NaN if any is NaN.
 */
double test_error(const float *got, const double *want, size_t count);

/* What test_close has compared so far: the greatest error beside its tolerance, and whose it is. */
typedef struct test_measure {
    size_t comparisons;
    double error, tolerance;
    char name[128];
} test_measure;
test_measure test_measured(void);

/* Whether !(error > tolerance) holds for certain; prints the worst element if not. */
bool test_close(const char *name, const float *got, const double *want, size_t count,
                double tolerance);

/* Reads `buffer`, checks canaries, compares with `want` and fails the test if it is not close. */
void test_expect(const test_buffer *buffer, const double *want, double tolerance);

/* Runs the sequence, waits and frees it. */
void test_run(clc_sequence *sequence);

#endif
