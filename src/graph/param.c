#include "graph/param.h"

#include "core/math.h"
#include "core/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Every tensor begins at a multiple of this many floats: sub-buffer alignment of any device, and
 * whole vectors for the optimizer. */
enum { PARAM_ALIGN = 256 };

clc_param *clc_params_find(const clc_params *params, const char *name) {
    for (size_t i = 0; i < params->count; i++)
        if (!strcmp(params->items[i].name, name))
            return &params->items[i];
    return NULL;
}

static size_t shape_count(int rank, const int *shape) {
    size_t count = 1;
    for (int d = 0; d < rank; d++)
        count *= (size_t)shape[d];
    return count;
}

clc_status clc_params_add(clc_params *params, const char *name, clc_param_kind kind, int rank,
                          const int *shape, int *index) {
    const clc_param *found = clc_params_find(params, name);
    if (found) {
        if (found->kind != kind || found->rank != rank ||
            memcmp(found->shape, shape, (size_t)rank * sizeof *shape) != 0)
            return clc_fail(CLC_INVALID, "parameter %s exists with another shape", name);
        *index = (int)(found - params->items);
        return CLC_OK;
    }
    if (params->count == params->capacity) {
        size_t capacity = params->capacity ? params->capacity * 2 : 64;
        clc_param *items = realloc(params->items, capacity * sizeof *items);
        if (!items)
            return clc_fail_alloc(capacity * sizeof *items);
        params->items = items;
        params->capacity = capacity;
    }
    clc_param *param = &params->items[params->count];
    *param = (clc_param){.kind = kind, .rank = rank, .count = shape_count(rank, shape)};
    snprintf(param->name, sizeof param->name, "%s", name);
    memcpy(param->shape, shape, (size_t)rank * sizeof *shape);
    *index = (int)params->count++;
    return CLC_OK;
}

void clc_params_layout(clc_params *params) {
    size_t offset = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < params->count; i++) {
            clc_param *param = &params->items[i];
            if (clc_param_trainable(param) != (pass == 0))
                continue;
            param->offset = offset;
            offset += clc_round_up(param->count, PARAM_ALIGN);
        }
        if (pass == 0)
            params->trainable = offset;
    }
    params->total = offset;
}

clc_status clc_params_allocate(clc_params *params, clc_device *device, bool training, int states) {
    clc_status status = CLC_OK;
    const size_t f = sizeof(float);
    params->states = training ? states : 0;
    CLC_TRY(clc_buffer_create(device, params->total * f, "parameters", &params->value));
    CLC_TRY(clc_buffer_zero(device, params->value, 0, params->total * f));
    if (training) {
        size_t bytes = params->trainable * f, all = bytes * (size_t)states;
        CLC_TRY(clc_buffer_create(device, bytes, "gradients", &params->grad));
        CLC_TRY(clc_buffer_zero(device, params->grad, 0, bytes));
        CLC_TRY(clc_buffer_create(device, all, "optimizer state", &params->state));
        CLC_TRY(clc_buffer_zero(device, params->state, 0, all));
    }
    for (size_t i = 0; i < params->count; i++) {
        clc_param *param = &params->items[i];
        CLC_TRY(clc_buffer_sub(params->value, param->offset * f, param->count * f, &param->value));
        if (training && clc_param_trainable(param))
            CLC_TRY(
                clc_buffer_sub(params->grad, param->offset * f, param->count * f, &param->grad));
    }
    return clc_device_finish(device);
fail:
    return status;
}

/* Of a convolution or a linear layer: the input channels that an output sees. */
static double fan_in_of(const clc_param *param) {
    return (double)param->count / param->shape[param->rank - 1];
}

/* A bias follows its weight in the list: `fan_in` is that of the last linear weight. */
static void fill_initial(const clc_param *param, float *data, double *fan_in, clc_rng *rng) {
    const double bound = (double)param->initial;
    if (param->deviation > 0) {
        *fan_in = INFINITY;
        clc_fill_normal(data, param->count, (double)param->deviation, rng);
        return;
    }
    switch (param->kind) {
    case CLC_PARAM_CONV_WEIGHT:
        clc_fill_normal(data, param->count,
                        sqrt(2.0 * param->shape[param->rank - 2] / (double)param->count), rng);
        return;
    case CLC_PARAM_LINEAR_WEIGHT:
        *fan_in = fan_in_of(param);
        clc_fill_uniform(data, param->count, bound > 0 ? bound : 1.0 / sqrt(*fan_in), rng);
        return;
    case CLC_PARAM_LINEAR_BIAS:
        clc_fill_uniform(data, param->count, bound > 0 ? bound : 1.0 / sqrt(*fan_in), rng);
        return;
    case CLC_PARAM_NORM_WEIGHT:
    case CLC_PARAM_NORM_VARIANCE:
        for (size_t i = 0; i < param->count; i++)
            data[i] = 1.0f;
        return;
    case CLC_PARAM_CONSTANT:
        for (size_t i = 0; i < param->count; i++)
            data[i] = param->initial;
        return;
    case CLC_PARAM_NORM_BIAS:
    case CLC_PARAM_NORM_MEAN:
    case CLC_PARAM_TABLE:
        memset(data, 0, param->count * sizeof *data);
        return;
    }
}

clc_status clc_params_initialise(clc_params *params, clc_device *device, uint64_t seed) {
    clc_status status = CLC_OK;
    float *data = NULL;
    size_t largest = 0;
    double fan_in = 1;
    for (size_t i = 0; i < params->count; i++)
        largest = params->items[i].count > largest ? params->items[i].count : largest;
    CLC_NEW(data, largest);
    for (size_t i = 0; i < params->count; i++) {
        clc_rng rng = clc_rng_make(seed, (uint32_t)i);
        fill_initial(&params->items[i], data, &fan_in, &rng);
        CLC_TRY(clc_param_import(&params->items[i], device, data));
    }
fail:
    free(data);
    return status;
}

static bool permuted(const clc_param *param) {
    return param->kind == CLC_PARAM_CONV_WEIGHT || param->kind == CLC_PARAM_LINEAR_WEIGHT;
}

void clc_param_outer_shape(const clc_param *param, size_t shape[4]) {
    const int rank = param->rank;
    for (int d = 0; d < rank; d++) {
        const int channels = d < 2 ? rank - 1 - d : d - 2;
        shape[d] = (size_t)param->shape[permuted(param) ? channels : d];
    }
}

/* Weights are (rows,inner,outer) on the device and (outer,inner,rows) outside: rows are the taps of
 * a convolution (1 for linear layers). */
static void permute(const clc_param *param, const float *from, float *to, bool outwards) {
    const size_t inner = (size_t)param->shape[param->rank - 2],
                 outer = (size_t)param->shape[param->rank - 1], taps = param->count / inner / outer;
    enum {
        BLOCK = 16
    }; /* of outer channels: so many streams outside, whole cache lines on the device */
    for (size_t first = 0; first < outer; first += BLOCK)
        for (size_t i = 0; i < inner; i++)
            for (size_t t = 0; t < taps; t++)
                for (size_t o = first; o < first + BLOCK && o < outer; o++) {
                    size_t device = (t * inner + i) * outer + o,
                           outside = (o * inner + i) * taps + t;
                    if (outwards)
                        to[outside] = from[device];
                    else
                        to[device] = from[outside];
                }
}

clc_status clc_param_write(const clc_param *param, clc_device *device, cl_mem buffer, size_t offset,
                           const float *data) {
    clc_status status = CLC_OK;
    float *copy = NULL;
    const size_t bytes = param->count * sizeof *data;
    if (!permuted(param))
        return clc_buffer_write(device, buffer, offset, bytes, data);
    CLC_NEW(copy, param->count);
    permute(param, data, copy, false);
    CLC_TRY(clc_buffer_write(device, buffer, offset, bytes, copy));
fail:
    free(copy);
    return status;
}

clc_status clc_param_read(const clc_param *param, clc_device *device, cl_mem buffer, size_t offset,
                          float *data) {
    clc_status status = CLC_OK;
    float *copy = NULL;
    const size_t bytes = param->count * sizeof *data;
    if (!permuted(param))
        return clc_buffer_read(device, buffer, offset, bytes, data);
    CLC_NEW(copy, param->count);
    CLC_TRY(clc_buffer_read(device, buffer, offset, bytes, copy));
    permute(param, copy, data, true);
fail:
    free(copy);
    return status;
}

clc_status clc_param_import(const clc_param *param, clc_device *device, const float *data) {
    return clc_param_write(param, device, param->value, 0, data);
}

clc_status clc_param_export(const clc_param *param, clc_device *device, cl_mem buffer,
                            float *data) {
    return clc_param_read(param, device, buffer, 0, data);
}

void clc_params_release(clc_params *params, clc_device *device) {
    for (size_t i = 0; i < params->count; i++) {
        if (params->items[i].value)
            clReleaseMemObject(params->items[i].value);
        if (params->items[i].grad)
            clReleaseMemObject(params->items[i].grad);
    }
    clc_buffer_release(device, &params->value);
    clc_buffer_release(device, &params->grad);
    clc_buffer_release(device, &params->state);
    free(params->items);
    *params = (clc_params){0};
}
