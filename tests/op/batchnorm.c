/* Batch normalisation against its reference: any number of rows and channels, ReLU and residual or
 * not, large means, NaN. */
#include "batchnorm_case.h"
#include "node_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double unit = 6e-8; /* rounding of a float, 2^-24 */

typedef struct tolerances {
    double y, mean, variance, d, dweight, dbias;
} tolerances;

/* 1 / sqrt(variance + eps) of the steepest channel, by the reference: few rows may lie close
 * together. */
static double steepest(const reference_batchnorm *r) {
    double most = 1;
    for (int c = 0; c < r->channels; c++) {
        double mean = 0, squares = 0;
        for (int i = 0; i < r->rows; i++)
            mean += r->x[i * r->channels + c] / r->rows;
        for (int i = 0; i < r->rows; i++)
            squares += pow(r->x[i * r->channels + c] - mean, 2) / r->rows;
        most = fmax(most, 1 / sqrt(squares + 1e-5));
    }
    return most;
}

/* Weight and dy are at most 1. `digits` is what sums over chunks of 512 rows lose, sqrt(512)
 * roundings; `shift` the error of xhat from the rounding of the mean and of scale x + shift. */
static tolerances tolerance_of(const batchnorm_case *c, double steep) {
    const double digits = 16 * unit, shift = 4 * steep * (fabs(c->mean) + 2) * unit;
    return (tolerances){.y = 4 * digits + shift,
                        .mean = digits + 3 * fabs(c->mean) * unit, /* two products, one sum */
                        .variance = digits,
                        .d = steep * (4 * digits + shift),
                        .dweight = sqrt(c->rows) * (4 * digits + shift),
                        .dbias = sqrt(c->rows) * digits};
}

/* Some twenty operations an element in each direction. */
static bool affordable(const batchnorm_case *c) {
    return test_affordable(40.0 * c->rows * c->channels);
}

static void check_training(const batchnorm_case *c) {
    if (!affordable(c))
        return;
    batchnorm_data d = make_data(c);
    const tolerances t = tolerance_of(c, steepest(&d.reference));
    batchnorm_buffers b;
    clc_sequence sequence = {0};
    const reference_batchnorm *r = &d.reference;
    reference_batchnorm_training(r);
    avoid_kinks(c, &d, 2 * t.y);
    reference_batchnorm_backward(r);
    make_buffers(c, &d, &b);
    CHECK(clc_batchnorm_build_training(&sequence, test_device(), &b.args));
    CHECK(clc_batchnorm_build_backward(&sequence, test_device(), &b.args));
    test_run(&sequence);
    expect_within(&b.all[Y], r->y, t.y);
    expect_within(&b.all[MEAN], r->running_mean, t.mean);
    expect_within(&b.all[VARIANCE], r->running_variance, t.variance);
    expect_within(&b.all[DX], r->dx, t.d);
    expect_within(&b.all[DWEIGHT], r->dweight, t.dweight);
    expect_within(&b.all[DBIAS], r->dbias, t.dbias);
    if (c->residual)
        expect_within(&b.all[DRESIDUAL], r->dresidual, 0);
    release_buffers(&b);
    free_data(&d);
}

static void check_inference(const batchnorm_case *c) {
    if (!affordable(c))
        return;
    batchnorm_data d = make_data(c);
    batchnorm_buffers b;
    clc_sequence sequence = {0};
    const double *const statistics[2] = {widen(d.mean, d.channels), widen(d.variance, d.channels)};
    reference_batchnorm_inference(&d.reference);
    make_buffers(c, &d, &b);
    CHECK(clc_batchnorm_build_inference(&sequence, test_device(), &b.args));
    test_run(&sequence);
    expect_within(&b.all[Y], d.reference.y, (4 * fabs(c->mean) + 32) * unit);
    test_expect(&b.all[MEAN], statistics[0], 0);
    test_expect(&b.all[VARIANCE], statistics[1], 0);
    release_buffers(&b);
    free_data(&d);
    free((double *)statistics[0]);
    free((double *)statistics[1]);
}

static void every_number_of_rows_and_channels(void **state) {
    static const int rows[] = {1, 2, 7, 31, 33, 511, 513}, channels[] = {1, 3, 8, 13, 16, 48};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t k = 0; k < sizeof channels / sizeof *channels; k++) {
            const bool relu = (i + k) % 2, residual = (i + k) / 2 % 2;
            const batchnorm_case c = {rows[i], channels[k], relu, residual, 0.3, 1};
            check_training(&c);
            check_inference(&c);
        }
}

static void many_rows_and_channels(void **state) {
    static const batchnorm_case cases[] = {{5000, 512, true, true, 0, 1},
                                           {5000, 8, true, false, -0.5, 1},
                                           {20011, 16, true, true, 0.2, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_training(&cases[i]);
        check_inference(&cases[i]);
    }
}

static void relu_and_residual_in_all_pairs(void **state) {
    (void)state;
    for (int pair = 0; pair < 4; pair++) {
        const batchnorm_case c = {97, 16, pair % 2, pair / 2, 0.2, 1};
        check_training(&c);
        check_inference(&c);
    }
}

/* The sum of squares minus the squared sum would leave nothing of the variance here. */
static void a_mean_far_above_the_deviation(void **state) {
    (void)state;
    for (int pair = 0; pair < 4; pair++) {
        const batchnorm_case c = {3000, 8, pair % 2, pair / 2, 1000, 1};
        check_training(&c);
        check_inference(&c);
    }
}

/* One split's part of the reference. The running averages begin at 0: what one step adds to them.
 */
static reference_batchnorm part_of(const reference_batchnorm *r, int splits, int split,
                                   double *mean, double *variance, double *dweight, double *dbias) {
    reference_batchnorm part = *r;
    const int first = r->rows / splits * split * r->channels;
    part.rows = r->rows / splits;
    part.x += first;
    part.residual = r->residual ? r->residual + first : NULL;
    part.dy = r->dy ? r->dy + first : NULL;
    part.before += first;
    part.y += first;
    part.dx += first;
    part.dresidual += first;
    part.running_mean = mean;
    part.running_variance = variance;
    part.dweight = dweight;
    part.dbias = dbias;
    return part;
}

/* Runs the reference on each split: forward, or backward. */
static void reference_splits(const batchnorm_case *c, batchnorm_data *d, bool backward) {
    const reference_batchnorm *r = &d->reference;
    for (int s = 0; s < c->splits; s++) {
        double mean[16] = {0}, variance[16] = {0}, dweight[16] = {0}, dbias[16] = {0};
        const reference_batchnorm part = part_of(r, c->splits, s, mean, variance, dweight, dbias);
        if (backward)
            reference_batchnorm_backward(&part);
        else
            reference_batchnorm_training(&part);
        for (int k = 0; k < c->channels; k++) {
            if (!backward && s == 0) {
                r->running_mean[k] *= 0.9;
                r->running_variance[k] *= 0.9;
            }
            r->running_mean[k] += backward ? 0 : mean[k] / c->splits;
            r->running_variance[k] += backward ? 0 : variance[k] / c->splits;
            r->dweight[k] += backward ? dweight[k] : 0;
            r->dbias[k] += backward ? dbias[k] : 0;
        }
    }
}

/* Each split is normalised by itself; the running averages take in the mean of all. */
static void splits(void **state) {
    static const batchnorm_case cases[] = {{6, 3, true, false, 0.1, 2},
                                           {64, 16, true, true, 0.3, 8},
                                           {2100, 8, false, true, -0.2, 3},
                                           {1100, 8, true, false, 0.2, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const batchnorm_case *c = &cases[i];
        if (!affordable(c))
            continue;
        batchnorm_data d = make_data(c);
        const reference_batchnorm *r = &d.reference;
        const tolerances t = tolerance_of(c, 20);
        batchnorm_buffers b;
        clc_sequence sequence = {0};
        reference_splits(c, &d, false);
        avoid_kinks(c, &d, 2 * t.y);
        reference_splits(c, &d, true);
        make_buffers(c, &d, &b);
        CHECK(clc_batchnorm_build_training(&sequence, test_device(), &b.args));
        CHECK(clc_batchnorm_build_backward(&sequence, test_device(), &b.args));
        test_run(&sequence);
        expect_within(&b.all[Y], r->y, t.y);
        expect_within(&b.all[MEAN], r->running_mean, t.mean);
        expect_within(&b.all[VARIANCE], r->running_variance, t.variance);
        expect_within(&b.all[DX], r->dx, t.d);
        expect_within(&b.all[DWEIGHT], r->dweight, t.dweight);
        expect_within(&b.all[DBIAS], r->dbias, t.dbias);
        release_buffers(&b);
        free_data(&d);
    }
}

static void frozen_statistics_stay(void **state) {
    (void)state;
    const batchnorm_case c = {40, 8, false, false, 0.5, 1};
    batchnorm_data d = make_data(&c);
    double *mean = widen(d.mean, d.channels), *variance = widen(d.variance, d.channels);
    batchnorm_buffers b;
    clc_sequence sequence = {0};
    reference_batchnorm_training(&d.reference);
    make_buffers(&c, &d, &b);
    b.args.frozen = true;
    CHECK(clc_batchnorm_build_training(&sequence, test_device(), &b.args));
    test_run(&sequence);
    expect_within(&b.all[Y], d.reference.y, 1e-5);
    test_expect(&b.all[MEAN], mean, 0);
    test_expect(&b.all[VARIANCE], variance, 0);
    release_buffers(&b);
    free_data(&d);
    free(mean);
    free(variance);
}

/* By the running statistics, which are constants: y as in inference, dx = scale d. */
static void fixed_statistics(void **state) {
    (void)state;
    const batchnorm_case c = {600, 8, false, false, 0.5, 2};
    batchnorm_data d = make_data(&c);
    const reference_batchnorm *r = &d.reference;
    batchnorm_buffers b;
    clc_sequence sequence = {0};
    reference_batchnorm_inference(r);
    avoid_kinks(&c, &d, 0);
    for (size_t i = 0; i < d.count; i++) {
        const size_t k = i % d.channels;
        const double inverse = 1 / sqrt((double)d.variance[k] + 1e-5);
        r->dx[i] = r->dy[i] * r->weight[k] * inverse;
        r->dweight[k] += r->dy[i] * (r->x[i] - (double)d.mean[k]) * inverse;
        r->dbias[k] += r->dy[i];
    }
    make_buffers(&c, &d, &b);
    b.args.fixed = true;
    CHECK(clc_batchnorm_build_training(&sequence, test_device(), &b.args));
    CHECK(clc_batchnorm_build_backward(&sequence, test_device(), &b.args));
    test_run(&sequence);
    const tolerances t = tolerance_of(&c, 2);
    expect_within(&b.all[Y], r->y, t.y);
    expect_within(&b.all[DX], r->dx, t.d);
    expect_within(&b.all[DWEIGHT], r->dweight, t.dweight);
    expect_within(&b.all[DBIAS], r->dbias, t.dbias);
    release_buffers(&b);
    free_data(&d);
}

/* A constant channel has variance 0: y is the bias, and nothing divides by 0. */
static void a_constant_channel(void **state) {
    (void)state;
    const batchnorm_case c = {64, 3, false, false, 0, 1};
    batchnorm_data d = make_data(&c);
    batchnorm_buffers b;
    clc_sequence sequence = {0};
    for (size_t i = 0; i < d.count; i++)
        d.x[i] = 12.25f;
    make_buffers(&c, &d, &b);
    CHECK(clc_batchnorm_build_training(&sequence, test_device(), &b.args));
    test_run(&sequence);
    for (size_t i = 0; i < d.count; i++)
        d.reference.y[i] = (double)d.bias[i % 3];
    /* 316 = 1 / sqrt(eps) times the rounding of 12.25 in scale x + shift. */
    expect_within(&b.all[Y], d.reference.y, 316 * 12.25 * 2 * unit);
    release_buffers(&b);
    free_data(&d);
}

/* Signed central differences of L = sum dy y in every input. */
static double loss_of(const reference_batchnorm *b) {
    double loss = 0;
    reference_batchnorm_training(b);
    for (int i = 0; i < b->rows * b->channels; i++)
        loss += b->dy[i] * b->y[i];
    return loss;
}

static void check_differences(const reference_batchnorm *b, const double *values, int count,
                              const double *gradient) {
    const double h = 1e-5;
    double *input = (double *)values;
    for (int i = 0; i < count; i++) {
        const double old = input[i];
        input[i] = old + h;
        const double above = loss_of(b);
        input[i] = old - h;
        const double below = loss_of(b);
        input[i] = old;
        const double difference = (above - below) / (2 * h);
        /* Truncation h^2, rounding 1e-16 / h. */
        if (!(fabs(difference - gradient[i]) <= 1e-7))
            fail_msg("element %d: gradient %g, difference %g", i, gradient[i], difference);
    }
}

static void reference_agrees_with_finite_differences(void **state) {
    (void)state;
    for (int pair = 0; pair < 4; pair++) {
        const batchnorm_case c = {7, 3, pair % 2, pair / 2, 0.2, 1};
        batchnorm_data d = make_data(&c);
        const reference_batchnorm *r = &d.reference;
        avoid_kinks(&c, &d, 0);
        reference_batchnorm_training(r);
        for (size_t i = 0; i < d.count; i++)
            assert_true(fabs(r->before[i]) > 1e-3); /* no ReLU switches within h */
        reference_batchnorm_backward(r);
        check_differences(r, r->x, 21, r->dx);
        check_differences(r, r->weight, 3, r->dweight);
        check_differences(r, r->bias, 3, r->dbias);
        if (c.residual)
            check_differences(r, r->residual, 21, r->dresidual);
        free_data(&d);
    }
}

/* Which elements of channel `channel` (and only those) are NaN. */
static void expect_nan(const test_buffer *buffer, int channels, int channel) {
    float *got = test_buffer_read(buffer);
    for (size_t i = 0; i < buffer->count; i++)
        if (isnan(got[i]) != ((int)(i % (size_t)channels) == channel))
            fail_msg("%s: element %zu is %g", buffer->name, i, (double)got[i]);
    free(got);
}

/* A NaN reaches every output of its channel, also through ReLU, and no other channel. */
static void nan_passes(void **state) {
    (void)state;
    for (int pair = 0; pair < 4; pair++) {
        const batchnorm_case c = {70, 16, pair % 2, pair / 2, 0, 1};
        batchnorm_data d = make_data(&c);
        batchnorm_buffers b;
        clc_sequence sequence = {0};
        d.x[33 * 16 + 5] = NAN;
        make_buffers(&c, &d, &b);
        CHECK(clc_batchnorm_build_training(&sequence, test_device(), &b.args));
        CHECK(clc_batchnorm_build_backward(&sequence, test_device(), &b.args));
        test_run(&sequence);
        expect_nan(&b.all[Y], 16, 5);
        expect_nan(&b.all[MEAN], 16, 5);
        expect_nan(&b.all[VARIANCE], 16, 5);
        expect_nan(&b.all[DX], 16, 5);
        expect_nan(&b.all[DWEIGHT], 16, 5);
        release_buffers(&b);
        free_data(&d);
    }
}

/* A NaN of the gradient or the residual does not get lost either. */
static void nan_of_other_inputs_passes(void **state) {
    (void)state;
    const batchnorm_case c = {70, 16, true, true, 0, 1};
    batchnorm_data d = make_data(&c);
    batchnorm_buffers b;
    clc_sequence sequence = {0};
    for (size_t i = 0; i < d.channels; i++)
        d.bias[i] = 20; /* all outputs above 0 */
    d.dy[33 * 16 + 5] = NAN;
    d.residual[9 * 16 + 7] = NAN;
    make_buffers(&c, &d, &b);
    CHECK(clc_batchnorm_build_training(&sequence, test_device(), &b.args));
    CHECK(clc_batchnorm_build_backward(&sequence, test_device(), &b.args));
    test_run(&sequence);
    float *y = test_buffer_read(&b.all[Y]);
    for (size_t i = 0; i < d.count; i++)
        assert_int_equal(isnan(y[i]) != 0, i == 9 * 16 + 7);
    free(y);
    expect_nan(&b.all[DX], 16, 5);
    expect_nan(&b.all[DBIAS], 16, 5);
    release_buffers(&b);
    free_data(&d);
}

/* Weight and bias still get theirs. */
static void an_input_without_gradient(void **state) {
    (void)state;
    const batchnorm_case shape = {7, 3, false, false, 0, 1};
    batchnorm_data d = make_data(&shape);
    const reference_batchnorm *r = &d.reference;
    node_case c;
    clc_tensor *in = NULL, *out = NULL;
    avoid_kinks(&shape, &d, 0);
    node_case_begin(&c, true);
    CHECK(clc_graph_input(c.graph, "x", clc_shape_rows(7, 3), false, &in));
    CHECK(clc_op_batchnorm(c.graph, "bn", in, NULL, false, &out));
    node_case_build(&c);
    node_case_set(in, d.x);
    node_case_set_grad(out, d.dy);
    node_case_set_param(&c, "bn.weight", d.weight);
    node_case_set_param(&c, "bn.bias", d.bias);
    node_case_forward(&c);
    node_case_backward(&c);
    reference_batchnorm_training(r);
    reference_batchnorm_backward(r);
    const tolerances t = tolerance_of(&shape, steepest(r));
    node_case_expect(&c, out, r->y, t.y);
    node_case_expect_param(&c, "bn.weight", r->dweight, t.dweight);
    node_case_expect_param(&c, "bn.bias", r->dbias, t.dbias);
    node_case_end(&c);
    free_data(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_agrees_with_finite_differences),
        cmocka_unit_test(every_number_of_rows_and_channels),
        cmocka_unit_test(relu_and_residual_in_all_pairs),
        cmocka_unit_test(many_rows_and_channels),
        cmocka_unit_test(a_mean_far_above_the_deviation),
        cmocka_unit_test(splits),
        cmocka_unit_test(frozen_statistics_stay),
        cmocka_unit_test(fixed_statistics),
        cmocka_unit_test(a_constant_channel),
        cmocka_unit_test(an_input_without_gradient),
        cmocka_unit_test(nan_passes),
        cmocka_unit_test(nan_of_other_inputs_passes),
    };
    return cmocka_run_group_tests_name("batchnorm", tests, NULL, test_close_device);
}
