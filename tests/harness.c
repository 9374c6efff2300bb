#include "harness.h"

#include "device/open.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CANARY_FLOATS = 1024 }; /* a multiple of any sub-buffer alignment */
static const float canary = -12345.678f;

static clc_device *shared;

clc_device *test_device(void) {
    if (!shared) {
        const char *profile = getenv("CLC_TEST_PROFILE");
        clc_profile kind = !profile                      ? CLC_PROFILE_AUTO
                           : strcmp(profile, "gpu") == 0 ? CLC_PROFILE_GPU
                                                         : CLC_PROFILE_CPU;
        const char *sync = getenv("CLC_TEST_SYNC");
        CHECK(clc_device_open(getenv("CLC_TEST_DEVICE"), kind, &shared));
        shared->sync_every = sync && strcmp(sync, "every") == 0;
    }
    return shared;
}

bool test_affordable(double work) {
    const char *limit = getenv("CLC_TEST_WORK");
    return !limit || work <= strtod(limit, NULL);
}

int test_close_device(void **state) {
    (void)state;
    if (!shared)
        return 0;
    unsigned buffers = shared->buffers;
    clc_device_close(&shared);
    if (buffers)
        fprintf(stderr, "%u device buffers were not released\n", buffers);
    return buffers ? -1 : 0;
}

float *test_random(size_t count, uint64_t seed) {
    clc_rng rng = clc_rng_make(seed, 0);
    float *values = malloc((count ? count : 1) * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = 2.0f * clc_uniform(clc_rng_next(&rng)) - 1.0f;
    return values;
}

clc_features test_features(const float *values, size_t rows, int dim) {
    clc_features features = {.rows = rows, .dim = dim};
    CHECK(clc_features_upload(test_device(), values, &features));
    return features;
}

test_buffer test_buffer_make(const char *name, const float *values, size_t count) {
    clc_device *device = test_device();
    test_buffer buffer = {NULL, NULL, count, name};
    size_t total = count + 2 * CANARY_FLOATS;
    float *content = malloc(total * sizeof *content);
    assert_non_null(content);
    for (size_t i = 0; i < total; i++) {
        bool inside = i >= CANARY_FLOATS && i < CANARY_FLOATS + count;
        content[i] = !inside ? canary : values ? values[i - CANARY_FLOATS] : NAN;
    }
    CHECK(clc_buffer_create(device, total * sizeof *content, name, &buffer.whole));
    CHECK(clc_buffer_write(device, buffer.whole, 0, total * sizeof *content, content));
    CHECK(clc_buffer_sub(buffer.whole, CANARY_FLOATS * sizeof(float),
                         (count ? count : 1) * sizeof(float), &buffer.mem));
    free(content);
    return buffer;
}

static float *read_whole(const test_buffer *buffer) {
    size_t total = buffer->count + 2 * CANARY_FLOATS;
    float *content = malloc(total * sizeof *content);
    assert_non_null(content);
    CHECK(clc_buffer_read(test_device(), buffer->whole, 0, total * sizeof *content, content));
    return content;
}

bool test_buffer_intact(const test_buffer *buffer) {
    float *content = read_whole(buffer);
    bool intact = true;
    for (size_t i = 0; i < CANARY_FLOATS; i++)
        intact =
            intact && content[i] == canary && content[CANARY_FLOATS + buffer->count + i] == canary;
    free(content);
    return intact;
}

float *test_buffer_read(const test_buffer *buffer) {
    if (!test_buffer_intact(buffer))
        fail_msg("%s: written outside its %zu elements", buffer->name, buffer->count);
    float *content = read_whole(buffer);
    memmove(content, content + CANARY_FLOATS, buffer->count * sizeof *content);
    return content;
}

void test_buffer_release(test_buffer *buffer) {
    if (buffer->mem)
        clReleaseMemObject(buffer->mem);
    clc_buffer_release(test_device(), &buffer->whole);
    buffer->mem = NULL;
}

static double largest(const double *want, size_t count) {
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs(want[i]));
    return most > 0 ? most : 1;
}

double test_error(const float *got, const double *want, size_t count) {
    double worst = 0, scale = largest(want, count);
    for (size_t i = 0; i < count; i++) {
        double error = fabs((double)got[i] - want[i]) / scale;
        if (!(error <= worst))
            worst = error;
        if (isnan(worst))
            return worst;
    }
    return worst;
}

static test_measure measured;

test_measure test_measured(void) {
    return measured;
}

/* NaN is the greatest. */
static void measure(const char *name, double error, double tolerance) {
    measured.comparisons++;
    const bool less = !(error * measured.tolerance > measured.error * tolerance);
    if (measured.comparisons > 1 && less && !isnan(error))
        return;
    measured.error = error;
    measured.tolerance = tolerance;
    snprintf(measured.name, sizeof measured.name, "%s", name);
}

bool test_close(const char *name, const float *got, const double *want, size_t count,
                double tolerance) {
    double scale = largest(want, count);
    const double error = test_error(got, want, count);
    measure(name, error, tolerance);
    if (error <= tolerance)
        return true;
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - want[i]) <= tolerance * scale)) {
            print_message(
                "# %s: element %zu of %zu is %.9g, expected %.9g (scale %g, tolerance %g)\n", name,
                i, count, (double)got[i], want[i], scale, tolerance);
            break;
        }
    return false;
}

void test_expect(const test_buffer *buffer, const double *want, double tolerance) {
    float *got = test_buffer_read(buffer);
    bool close = test_close(buffer->name, got, want, buffer->count, tolerance);
    free(got);
    assert_true(close);
}

void test_run(clc_sequence *sequence) {
    CHECK(clc_sequence_run(sequence, test_device()));
    CHECK(clc_device_finish(test_device()));
    clc_sequence_free(sequence);
}
