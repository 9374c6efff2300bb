#include "batchnorm_case.h"

#include <math.h>
#include <stdlib.h>

double *widen(const float *values, size_t count) {
    double *wide = malloc(count * sizeof *wide);
    assert_non_null(wide);
    for (size_t i = 0; i < count; i++)
        wide[i] = (double)values[i];
    return wide;
}

static double *zeros(size_t count) {
    double *values = calloc(count, sizeof *values);
    assert_non_null(values);
    return values;
}

static void make_reference(const batchnorm_case *c, batchnorm_data *d) {
    d->reference = (reference_batchnorm){
        .rows = c->rows,
        .channels = c->channels,
        .relu = c->relu,
        .x = widen(d->x, d->count),
        .residual = c->residual ? widen(d->residual, d->count) : NULL,
        .weight = widen(d->weight, d->channels),
        .bias = widen(d->bias, d->channels),
        .running_mean = widen(d->mean, d->channels),
        .running_variance = widen(d->variance, d->channels),
        .before = zeros(d->count),
        .y = zeros(d->count),
        .dx = zeros(d->count),
        .dresidual = zeros(d->count),
        .dweight = zeros(d->channels),
        .dbias = zeros(d->channels),
    };
}

batchnorm_data make_data(const batchnorm_case *c) {
    batchnorm_data d = {.channels = (size_t)c->channels};
    d.count = (size_t)c->rows * d.channels;
    d.x = test_random(d.count, 1);
    d.residual = test_random(d.count, 2);
    d.dy = test_random(d.count, 3);
    d.weight = test_random(d.channels, 4);
    d.bias = test_random(d.channels, 5);
    d.mean = test_random(d.channels, 6);
    d.variance = test_random(d.channels, 7);
    for (size_t i = 0; i < d.count; i++)
        d.x[i] = (float)(c->mean + 0.1 * (double)(i % d.channels % 7)) + 1.7f * d.x[i];
    for (size_t i = 0; i < d.channels; i++) {
        d.mean[i] += (float)c->mean;
        d.variance[i] = 1.5f + d.variance[i];
    }
    make_reference(c, &d);
    return d;
}

void free_data(batchnorm_data *d) {
    const reference_batchnorm *r = &d->reference;
    double *const doubles[] = {(double *)r->x,
                               (double *)r->residual,
                               (double *)r->dy,
                               (double *)r->weight,
                               (double *)r->bias,
                               r->running_mean,
                               r->running_variance,
                               r->before,
                               r->y,
                               r->dx,
                               r->dresidual,
                               r->dweight,
                               r->dbias};
    float *const floats[] = {d->x, d->residual, d->dy, d->weight, d->bias, d->mean, d->variance};
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++)
        free(doubles[i]);
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        free(floats[i]);
}

void avoid_kinks(const batchnorm_case *c, batchnorm_data *d, double margin) {
    for (size_t i = 0; c->relu && i < d->count; i++)
        if (fabs(d->reference.before[i]) < margin)
            d->dy[i] = 0;
    d->reference.dy = widen(d->dy, d->count);
}

void make_buffers(const batchnorm_case *c, const batchnorm_data *d, batchnorm_buffers *b) {
    const size_t n = d->count, k = d->channels, splits = c->splits ? (size_t)c->splits : 1;
    const size_t workspace =
        clc_batchnorm_workspace(test_device(), c->rows, c->channels, (int)splits) / sizeof(float);
    const struct {
        const char *name;
        const float *values;
        size_t count;
    } make[BUFFERS] = {{"x", d->x, n},
                       {"residual", d->residual, n},
                       {"dy", d->dy, n},
                       {"weight", d->weight, k},
                       {"bias", d->bias, k},
                       {"running_mean", d->mean, k},
                       {"running_variance", d->variance, k},
                       {"y", NULL, n},
                       {"dx", NULL, n},
                       {"dresidual", NULL, n},
                       {"dweight", NULL, k},
                       {"dbias", NULL, k},
                       {"saved", NULL, splits * 6 * k},
                       {"workspace", NULL, workspace}};
    for (int i = 0; i < BUFFERS; i++)
        b->all[i] = test_buffer_make(make[i].name, make[i].values, make[i].count);
    const test_buffer *a = b->all;
    b->args = (clc_batchnorm_args){
        .rows = c->rows,
        .channels = c->channels,
        .splits = (int)splits,
        .relu = c->relu,
        .x = a[X].mem,
        .y = a[Y].mem,
        .residual = c->residual ? a[RESIDUAL].mem : NULL,
        .weight = a[WEIGHT].mem,
        .bias = a[BIAS].mem,
        .running_mean = a[MEAN].mem,
        .running_variance = a[VARIANCE].mem,
        .saved = a[SAVED].mem,
        .dy = a[DY].mem,
        .dx = a[DX].mem,
        .dresidual = c->residual ? a[DRESIDUAL].mem : NULL,
        .dweight = a[DWEIGHT].mem,
        .dbias = a[DBIAS].mem,
        .workspace = a[WORKSPACE].mem,
        .layer = "bn",
    };
}

void release_buffers(batchnorm_buffers *b) {
    for (int i = 0; i < BUFFERS; i++) {
        if (!test_buffer_intact(&b->all[i]))
            fail_msg("%s: written outside its elements", b->all[i].name);
        test_buffer_release(&b->all[i]);
    }
}

void expect_within(const test_buffer *buffer, const double *want, double absolute) {
    double largest = 0;
    for (size_t i = 0; i < buffer->count; i++)
        largest = fmax(largest, fabs(want[i]));
    test_expect(buffer, want, absolute / (largest > 0 ? largest : 1));
}
