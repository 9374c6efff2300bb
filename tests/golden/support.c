#include "golden/golden.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const clc_st_tensor *golden_tensor(const clc_safetensors *file, const char *name) {
    const clc_st_tensor *tensor = clc_safetensors_find(file, name);
    if (!tensor)
        fail_msg("tensor %s is missing", name);
    return tensor;
}

double *golden_doubles(const clc_st_tensor *tensor) {
    double *values = malloc((tensor->count ? tensor->count : 1) * sizeof *values);
    assert_non_null(values);
    assert_true(tensor->dtype == CLC_F32 || tensor->dtype == CLC_F64);
    for (size_t i = 0; i < tensor->count; i++)
        values[i] = tensor->dtype == CLC_F32 ? (double)((const float *)tensor->data)[i]
                                             : ((const double *)tensor->data)[i];
    return values;
}

int32_t *golden_integers(const clc_st_tensor *tensor) {
    int32_t *values = malloc((tensor->count ? tensor->count : 1) * sizeof *values);
    assert_non_null(values);
    assert_int_equal(tensor->dtype, CLC_I64);
    for (size_t i = 0; i < tensor->count; i++)
        values[i] = (int32_t)((const int64_t *)tensor->data)[i];
    return values;
}

float *golden_floats(const clc_st_tensor *tensor) {
    double *values = golden_doubles(tensor);
    float *floats = malloc((tensor->count ? tensor->count : 1) * sizeof *floats);
    for (size_t i = 0; i < tensor->count; i++)
        floats[i] = (float)values[i];
    free(values);
    return floats;
}

void golden_upload(const clc_st_tensor *from, const clc_tensor *to) {
    const size_t *s = from->shape, bytes = from->count * sizeof(float);
    float *values = golden_floats(from);
    assert_int_equal(from->count, to->count);
    if (from->rank == 4) {
        float *images = malloc(bytes);
        golden_to_nhwc(values, images, s[0], s[1], s[2], s[3]);
        free(values);
        values = images;
    }
    CHECK(clc_buffer_write(test_device(), to->value, 0, bytes, values));
    free(values);
}

void golden_upload_ints(const clc_st_tensor *from, const clc_tensor *to) {
    int32_t *values = golden_integers(from);
    assert_int_equal(from->count, to->count);
    CHECK(clc_buffer_write(test_device(), to->value, 0, from->count * sizeof *values, values));
    free(values);
}

float *golden_download(const clc_st_tensor *like, cl_mem buffer) {
    const size_t *s = like->shape, bytes = like->count * sizeof(float);
    float *values = malloc(bytes);
    CHECK(clc_buffer_read(test_device(), buffer, 0, bytes, values));
    if (like->rank == 4) {
        float *images = malloc(bytes);
        golden_to_nhwc(values, images, s[0], s[2] * s[3], s[1], 1);
        free(values);
        values = images;
    }
    return values;
}

double golden_number(const clc_safetensors *file, const char *key) {
    const char *text = clc_safetensors_metadata(file, key);
    if (!text)
        fail_msg("metadata %s is missing", key);
    return strtod(text, NULL);
}

int golden_list(const clc_safetensors *file, const char *key, int *values, int most) {
    const char *text = clc_safetensors_metadata(file, key);
    int count = 0;
    if (!text)
        fail_msg("metadata %s is missing", key);
    for (char *end; *text && count < most; text = end + (*end == ',')) {
        values[count++] = (int)strtol(text, &end, 10);
        assert_true(end != text);
    }
    return count;
}

void golden_load_params(const clc_safetensors *file, clc_params *params, const char *prefix) {
    for (size_t i = 0; i < params->count; i++) {
        char name[160];
        const clc_param *param = &params->items[i];
        snprintf(name, sizeof name, "%s%s", prefix, param->name);
        const clc_st_tensor *tensor = golden_tensor(file, name);
        assert_int_equal(tensor->count, param->count);
        double *values = golden_doubles(tensor);
        float *floats = malloc(param->count * sizeof *floats);
        for (size_t k = 0; k < param->count; k++)
            floats[k] = (float)values[k];
        CHECK(clc_param_import(param, test_device(), floats));
        free(floats);
        free(values);
    }
}

bool golden_param_close(const clc_safetensors *file, const char *name, const clc_param *param,
                        cl_mem buffer, double tolerance) {
    double *want = golden_doubles(golden_tensor(file, name));
    float *got = malloc(param->count * sizeof *got);
    CHECK(clc_param_read(param, test_device(), buffer, 0, got));
    bool close = test_close(name, got, want, param->count, tolerance);
    free(got);
    free(want);
    return close;
}

int golden_attempts(void) {
    return getenv("CLC_GOLDEN") ? 32 : 1;
}

void golden_report(int attempt, bool close) {
    if (close && attempt > 0)
        print_message("# the input as it is missed; nudged input %d passed\n", attempt);
}

void golden_nudge(float *values, size_t count, int attempt) {
    clc_rng rng = clc_rng_make(7, (uint32_t)attempt);
    for (size_t i = 0; attempt && i < count; i++)
        values[i] *= 1.0f + (2.0f * clc_uniform(clc_rng_next(&rng)) - 1.0f) / 262144.0f;
}

void golden_to_nhwc(const float *from, float *to, size_t n, size_t c, size_t h, size_t w) {
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < c; k++)
            for (size_t p = 0; p < h * w; p++)
                to[(i * h * w + p) * c + k] = from[(i * c + k) * h * w + p];
}
