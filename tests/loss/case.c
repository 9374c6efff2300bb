#include "loss/case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double *random_doubles(size_t count, uint64_t seed) {
    float *floats = test_random(count, seed);
    double *values = malloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = (double)floats[i];
    free(floats);
    return values;
}

static size_t count_of(const clc_loss_shape *shape) {
    return (size_t)shape->views * (size_t)shape->images * (size_t)shape->dim;
}

static void shorten(double *rows, int count, int dim) {
    for (int i = 0; i < count; i++) {
        double squares = 0;
        for (int k = 0; k < dim; k++)
            squares += rows[i * dim + k] * rows[i * dim + k];
        for (int k = 0; k < dim; k++)
            rows[i * dim + k] = (double)(float)(rows[i * dim + k] / sqrt(squares));
    }
}

loss_case loss_case_make(const char *name, const clc_loss_shape *shape,
                         const clc_config_loss *options, int classes, uint64_t seed) {
    loss_case c = {.reference = {.name = name, .shape = *shape, .options = *options}};
    reference_loss *r = &c.reference;
    const size_t count = count_of(shape);
    r->z = random_doubles(count, seed);
    r->scale = strcmp(name, "npair") ? 1 / options->temperature : 1;
    r->bias = options->bias;
    if (shape->targets)
        r->target = random_doubles(count, seed + 1000);
    if (shape->queue) {
        r->queue = random_doubles((size_t)shape->queue * (size_t)shape->dim, seed + 2000);
        shorten(r->queue, shape->queue, shape->dim);
    }
    if (shape->labels) {
        clc_rng rng = clc_rng_make(seed, 3);
        r->labels = malloc((size_t)shape->images * sizeof *r->labels);
        for (int i = 0; i < shape->images; i++)
            r->labels[i] = (int32_t)(clc_rng_next(&rng) % (uint32_t)classes);
    }
    return c;
}

static test_buffer upload(const char *name, const double *values, size_t count) {
    float *floats = malloc((count ? count : 1) * sizeof *floats);
    for (size_t i = 0; i < count; i++)
        floats[i] = (float)values[i];
    test_buffer buffer = test_buffer_make(name, floats, count);
    free(floats);
    return buffer;
}

static test_buffer upload_labels(const reference_loss *r) {
    const size_t count = (size_t)r->shape.images;
    float *bits = malloc(count * sizeof *bits);
    memcpy(bits, r->labels, count * sizeof *bits);
    test_buffer buffer = test_buffer_make("labels", bits, count);
    free(bits);
    return buffer;
}

enum {
    Z,
    DZ,
    TARGET,
    DTARGET,
    QUEUE,
    CENTER,
    LABELS,
    SCALE,
    DSCALE,
    BIAS,
    DBIAS,
    VALUE,
    WORK,
    BUFFERS
};

static void make_buffers(const loss_case *c, const clc_loss *loss, test_buffer b[BUFFERS]) {
    const reference_loss *r = &c->reference;
    const size_t count = count_of(&r->shape);
    const double log_scale = log(r->scale);
    b[Z] = upload("z", r->z, count);
    b[DZ] = test_buffer_make("dz", NULL, count);
    if (r->target)
        b[TARGET] = upload("target", r->target, count);
    if (c->target_gradient)
        b[DTARGET] = test_buffer_make("dtarget", NULL, count);
    if (r->queue)
        b[QUEUE] = upload("queue", r->queue, (size_t)r->shape.queue * (size_t)r->shape.dim);
    if (r->center)
        b[CENTER] = upload("center", r->center, (size_t)r->shape.dim);
    if (r->labels)
        b[LABELS] = upload_labels(r);
    if (c->learned) {
        b[SCALE] = upload("scale", &log_scale, 1);
        b[BIAS] = upload("bias", &r->bias, 1);
        b[DSCALE] = test_buffer_make("dscale", NULL, 1);
        b[DBIAS] = test_buffer_make("dbias", NULL, 1);
    }
    b[VALUE] = test_buffer_make("loss", NULL, 1);
    b[WORK] = test_buffer_make(
        "workspace", NULL, loss->workspace(test_device(), &r->shape, &r->options) / sizeof(float));
}

static void read_results(loss_case *c, const test_buffer b[BUFFERS]) {
    float *value = test_buffer_read(&b[VALUE]);
    free(c->dz);
    free(c->dtarget);
    free(c->dscale);
    c->value = *value;
    free(c->center);
    c->center = c->reference.center ? test_buffer_read(&b[CENTER]) : NULL;
    c->dtarget = c->target_gradient ? test_buffer_read(&b[DTARGET]) : NULL;
    c->dz = test_buffer_read(&b[DZ]);
    c->dscale = NULL;
    if (c->learned) {
        float *scale = test_buffer_read(&b[DSCALE]), *bias = test_buffer_read(&b[DBIAS]);
        c->dscale = malloc(2 * sizeof *c->dscale);
        c->dscale[0] = *scale;
        c->dscale[1] = *bias;
        free(scale);
        free(bias);
    }
    free(value);
}

void loss_case_run(loss_case *c) {
    const reference_loss *r = &c->reference;
    const clc_loss *loss = clc_loss_find(r->name);
    test_buffer b[BUFFERS] = {{0}};
    clc_sequence sequence = {0};
    assert_non_null(loss);
    make_buffers(c, loss, b);
    const clc_loss_buffers buffers = {.z = b[Z].mem,
                                      .dz = b[DZ].mem,
                                      .target = b[TARGET].mem,
                                      .dtarget = b[DTARGET].mem,
                                      .queue = b[QUEUE].mem,
                                      .labels = b[LABELS].mem,
                                      .center = b[CENTER].mem,
                                      .log_scale = b[SCALE].mem,
                                      .dlog_scale = b[DSCALE].mem,
                                      .bias = b[BIAS].mem,
                                      .dbias = b[DBIAS].mem,
                                      .value = b[VALUE].mem,
                                      .workspace = b[WORK].mem};
    CHECK(clc_loss_build(loss, &sequence, test_device(), &r->shape, &r->options, &buffers));
    test_run(&sequence);
    read_results(c, b);
    for (int i = 0; i < BUFFERS; i++)
        if (b[i].mem) {
            assert_true(test_buffer_intact(&b[i]));
            test_buffer_release(&b[i]);
        }
}

static void print_case(const loss_case *c) {
    const clc_loss_shape *s = &c->reference.shape;
    const clc_config_loss *o = &c->reference.options;
    print_message(
        "# %s: %d images, %d views of %d, targets %d, queue %d, labels %d; t %g, normalize %d, "
        "negatives %d, distance %d, margin %g, linear %d, mining %d, soft %d\n",
        c->reference.name, s->images, s->views, s->dim, s->targets, s->queue, s->labels,
        o->temperature, o->normalize, o->negatives, o->distance, o->margin, o->linear, o->mining,
        o->soft);
}

static void expect_loss(const loss_case *c, double tolerance) {
    const double want = reference_value(&c->reference);
    if (!(fabs((double)c->value - want) <= tolerance * fmax(1, fabs(want)))) {
        print_case(c);
        fail_msg("loss %.9g, expected %.9g", (double)c->value, want);
    }
}

/* A GPU's groups do whole panels of pairs, of which a small case uses few. */
bool loss_case_affordable(const loss_case *c) {
    const clc_loss_shape *s = &c->reference.shape;
    const double each = test_device()->profile == CLC_PROFILE_GPU ? 20 : 3;
    return test_affordable(each * (double)count_of(s) * (s->views * s->images + s->queue));
}

void loss_case_expect(loss_case *c, int samples, double tolerance) {
    reference_loss *r = &c->reference;
    if (!loss_case_affordable(c))
        return;
    const size_t count = count_of(&r->shape), step = count / (size_t)samples + 1;
    const size_t n = (count + step - 1) / step;
    double *want = malloc(n * sizeof *want);
    float *got = malloc(n * sizeof *got);
    loss_case_run(c);
    reference_freeze(&c->reference);
    expect_loss(c, tolerance);
    for (size_t i = 0; i < n; i++) {
        got[i] = c->dz[i * step];
        want[i] = reference_slope(r, &r->z[i * step], 1e-6);
    }
    /* Where the loss is flat, rounding of 1e-16 / 1e-6 stands in the differences. */
    for (size_t i = 0; i < n; i++)
        want[i] = fabs(want[i]) < 1e-9 ? 0 : want[i];
    const bool close = test_close("dz", got, want, n, tolerance);
    if (!close)
        print_case(c);
    free(got);
    free(want);
    assert_true(close);
}

void loss_case_expect_finite(loss_case *c, double tolerance) {
    if (!loss_case_affordable(c))
        return;
    loss_case_run(c);
    reference_freeze(&c->reference);
    expect_loss(c, tolerance);
    for (size_t i = 0; i < count_of(&c->reference.shape); i++)
        if (!isfinite(c->dz[i])) {
            print_case(c);
            fail_msg("gradient %zu is %g", i, (double)c->dz[i]);
        }
}

void loss_case_free(loss_case *c) {
    reference_loss *r = &c->reference;
    free(r->z);
    free(r->target);
    free(r->queue);
    free(r->labels);
    free(c->dz);
    free(c->dtarget);
    free(c->dscale);
    free(c->center);
    free(r->center);
    free(r->codes);
    *c = (loss_case){0};
}
