/* The linear probe's kernels, each against its reference in double. */
#include "harness.h"
#include "linear_reference.h"
#include "data/order.h"

#include <math.h>
#include <stdlib.h>

static double *widened(const float *from, size_t count) {
    double *values = doubles(count);
    for (size_t i = 0; i < count; i++)
        values[i] = (double)from[i];
    return values;
}

/* Signed central differences: the error is about step^2 plus 1e-16 / step. */
static void the_reference_gradient_is_a_derivative(void **state) {
    (void)state;
    const size_t n = 7, dim = 5, classes = 3;
    const double step = 1e-5;
    float *noise = test_random(n * dim + dim * classes + classes, 1);
    double *x = widened(noise, n * dim);
    int32_t *labels = random_labels(n, (int)classes, 2);
    model m = model_make(dim, classes), grad = model_make(dim, classes);
    for (size_t i = 0; i < dim * classes; i++)
        m.w[i] = (double)noise[n * dim + i];
    for (size_t c = 0; c < classes; c++)
        m.b[c] = (double)noise[n * dim + dim * classes + c];
    reference_loss(&m, x, labels, n, &grad);
    for (size_t i = 0; i < (dim + 1) * classes; i++) {
        double *at = i < dim * classes ? &m.w[i] : &m.b[i - dim * classes];
        const double want = i < dim * classes ? grad.w[i] : grad.b[i - dim * classes];
        const double before = *at;
        *at = before + step;
        const double above = reference_loss(&m, x, labels, n, NULL);
        *at = before - step;
        const double below = reference_loss(&m, x, labels, n, NULL);
        *at = before;
        assert_true(fabs((above - below) / (2 * step) - want) < 1e-9);
    }
    model_free(&m);
    model_free(&grad);
    free(noise);
    free(x);
    free(labels);
}

static clc_launch_spec spec(const char *kernel, size_t groups) {
    return (clc_launch_spec){.source = "eval/linear.cl",
                             .kernel = kernel,
                             .groups = {groups},
                             .local = {test_device()->group_size}};
}

static test_buffer integers(const char *name, const int32_t *values, size_t count) {
    test_buffer buffer = test_buffer_make(name, NULL, count);
    CHECK(clc_buffer_write(test_device(), buffer.mem, 0, count * sizeof *values, values));
    return buffer;
}

static int32_t *read_integers(const test_buffer *buffer) {
    int32_t *values = malloc(buffer->count * sizeof *values);
    assert_non_null(values);
    assert_true(test_buffer_intact(buffer));
    CHECK(clc_buffer_read(test_device(), buffer->mem, 0, buffer->count * sizeof *values, values));
    return values;
}

/* Sums of up to 250 rows about the first, which is a few deviations off the mean: a few times
 * sqrt(250) * 6e-8 * 10. Each feature is compared at its own scale. */
static void check_standard(size_t rows, size_t dim, size_t groups) {
    float *x = features_of_all_scales(rows, dim, rows);
    double *want = reference_standard(x, rows, dim);
    test_buffer in = test_buffer_make("x", x, rows * dim);
    test_buffer part = test_buffer_make("part", NULL, groups * 2 * dim);
    test_buffer out = test_buffer_make("standard", NULL, 2 * dim);
    const clc_launch_spec moments = spec("linear_moments", groups),
                          merge = spec("linear_standard", 3);
    clc_sequence sequence = {0};
    CHECK(CLC_LAUNCH(&sequence, test_device(), &moments, CLC_MEM(in.mem), CLC_MEM(part.mem),
                     CLC_INT(rows), CLC_INT(dim)));
    CHECK(CLC_LAUNCH(&sequence, test_device(), &merge, CLC_MEM(in.mem), CLC_MEM(part.mem),
                     CLC_MEM(out.mem), CLC_INT(rows), CLC_INT(dim), CLC_INT(groups)));
    test_run(&sequence);
    assert_true(test_buffer_intact(&part));
    float *got = test_buffer_read(&out);
    for (size_t i = 0; i < 2 * dim; i++)
        assert_true(test_close("standard", got + i, want + i, 1, 1e-5));
    test_buffer_release(&in);
    test_buffer_release(&part);
    test_buffer_release(&out);
    free(got);
    free(want);
    free(x);
}

static void features_are_measured(void **state) {
    (void)state;
    check_standard(1, 1, 1);
    check_standard(2, 3, 8);
    check_standard(17, 16, 4);
    check_standard(250, 19, 7);
    check_standard(61, 200, 4); /* more features than keep their length */
}

/* Batch 2 of an order, and of the rows as they are: there the last batch repeats the last row. */
static void batches_are_gathered(void **state) {
    (void)state;
    const size_t rows = 23, dim = 7, count = 9;
    float *x = features_of_all_scales(rows, dim, 3), standard[14];
    double *s = reference_standard(x, rows, dim), *want = doubles(count * dim);
    int32_t order[23], at[2] = {2, 55};
    clc_epoch_order(1, 1, order, rows);
    for (size_t i = 0; i < 2 * dim; i++)
        standard[i] = (float)s[i];
    test_buffer in = test_buffer_make("x", x, rows * dim), out = {0};
    test_buffer by = test_buffer_make("standard", standard, 2 * dim);
    test_buffer list = integers("order", order, rows), state_buffer = integers("state", at, 2);
    for (int ordered = 0; ordered < 2; ordered++) {
        clc_sequence sequence = {0};
        const clc_launch_spec gather = spec("linear_gather", 4);
        out = test_buffer_make("batch", NULL, count * dim);
        CHECK(CLC_LAUNCH(&sequence, test_device(), &gather, CLC_MEM(in.mem), CLC_MEM(by.mem),
                         CLC_MEM(list.mem), CLC_MEM(state_buffer.mem), CLC_MEM(out.mem),
                         CLC_INT(count), CLC_INT(dim), CLC_INT(ordered), CLC_INT(rows)));
        test_run(&sequence);
        for (size_t i = 0; i < count * dim; i++) {
            size_t row = 2 * count + i / dim < rows ? 2 * count + i / dim : rows - 1, d = i % dim;
            row = ordered ? (size_t)order[row] : row;
            want[i] = ((double)x[row * dim + d] - (double)standard[d]) * (double)standard[dim + d];
        }
        test_expect(&out, want, 1e-6);
        test_buffer_release(&out);
    }
    test_buffer_release(&in);
    test_buffer_release(&by);
    test_buffer_release(&list);
    test_buffer_release(&state_buffer);
    free(x);
    free(s);
    free(want);
}

/* An exp and a sum of `classes` terms: their roundings relative to 1 / n. */
static void check_softmax(size_t n, size_t classes, float scale) {
    float *logits = test_random(n * classes, n), *bias = test_random(classes, 9);
    double *want = doubles(n * classes);
    int32_t *labels = random_labels(3 * n, (int)classes, 4), *chosen = malloc(n * sizeof *chosen);
    int32_t *order = malloc(3 * n * sizeof *order), at[2] = {1, 0};
    assert_true(order && chosen);
    clc_epoch_order(2, 0, order, 3 * n);
    for (size_t i = 0; i < n * classes; i++) {
        logits[i] *= scale;
        want[i] = (double)logits[i] + (double)bias[i % classes];
    }
    for (size_t r = 0; r < n; r++)
        chosen[r] = labels[order[n + r]];
    softmax_gradient(want, chosen, n, classes);
    test_buffer io = test_buffer_make("logits", logits, n * classes);
    test_buffer b = test_buffer_make("bias", bias, classes);
    test_buffer l = integers("labels", labels, 3 * n), o = integers("order", order, 3 * n);
    test_buffer s = integers("state", at, 2);
    const clc_launch_spec softmax = spec("linear_softmax", 5);
    clc_sequence sequence = {0};
    CHECK(CLC_LAUNCH(&sequence, test_device(), &softmax, CLC_MEM(io.mem), CLC_MEM(b.mem),
                     CLC_MEM(l.mem), CLC_MEM(o.mem), CLC_MEM(s.mem), CLC_INT(n), CLC_INT(classes)));
    test_run(&sequence);
    /* Logits of size `scale` carry roundings of scale * 6e-8 into the exponent. */
    test_expect(&io, want, 1e-5 + (double)scale * 2e-7);
    test_buffer *all[] = {&io, &b, &l, &o, &s};
    for (size_t i = 0; i < 5; i++)
        test_buffer_release(all[i]);
    free(logits);
    free(bias);
    free(want);
    free(labels);
    free(chosen);
    free(order);
}

static void the_gradient_of_the_logits_is_right(void **state) {
    (void)state;
    check_softmax(1, 1, 1);
    check_softmax(3, 2, 5);
    check_softmax(13, 10, 5);
    check_softmax(8, 1000, 10);
    check_softmax(7, 5, 300); /* exp of such logits would overflow */
}

/* Block 1 of n rows, of which `left` are there, of a set of n + left. */
static void check_loss(size_t n, size_t left, size_t classes, float scale) {
    float *logits = test_random(n * classes, n), *bias = test_random(classes, 9);
    const size_t rows = n + left;
    double *want = doubles(n * classes), *sums = doubles(n + classes);
    int32_t *labels = random_labels(rows, (int)classes, 4), at[2] = {1, 0};
    for (size_t i = 0; i < n * classes; i++) {
        logits[i] *= scale;
        want[i] = (double)logits[i] + (double)bias[i % classes];
    }
    for (size_t r = 0; r < n; r++) {
        double *row = want + r * classes;
        const double weight = r < left ? 1 / (double)rows : 0;
        sums[r] = weight * softmax_gradient(row, labels + (r < left ? n + r : 0), 1, classes);
        for (size_t c = 0; c < classes; c++) {
            row[c] *= weight;
            sums[n + c] += row[c];
        }
    }
    test_buffer io = test_buffer_make("logits", logits, n * classes);
    test_buffer b = test_buffer_make("bias", bias, classes);
    test_buffer l = integers("labels", labels, rows), s = integers("state", at, 2);
    test_buffer out = test_buffer_make("losses and sums", NULL, n + classes);
    const clc_launch_spec loss = spec("linear_loss", 5), sum = spec("linear_sums", 1);
    clc_sequence sequence = {0};
    CHECK(CLC_LAUNCH(&sequence, test_device(), &loss, CLC_MEM(io.mem), CLC_MEM(b.mem),
                     CLC_MEM(l.mem), CLC_MEM(s.mem), CLC_MEM(out.mem), CLC_INT(n), CLC_INT(classes),
                     CLC_INT(rows)));
    CHECK(CLC_LAUNCH(&sequence, test_device(), &sum, CLC_MEM(io.mem), CLC_MEM(out.mem), CLC_INT(n),
                     CLC_INT(classes)));
    test_run(&sequence);
    test_expect(&io, want, 1e-5 + (double)scale * 2e-7);
    test_expect(&out, sums, 1e-5 + (double)scale * 2e-7);
    test_buffer *all[] = {&io, &b, &l, &s, &out};
    for (size_t i = 0; i < 5; i++)
        test_buffer_release(all[i]);
    free(logits);
    free(bias);
    free(want);
    free(sums);
    free(labels);
}

static void the_loss_of_a_block_is_right(void **state) {
    (void)state;
    check_loss(1, 1, 1, 1);
    check_loss(3, 2, 2, 5);
    check_loss(13, 13, 10, 5);
    check_loss(8, 1, 1000, 10);
    check_loss(17, 7, 5, 300);
}

static void check_update(size_t dim, size_t classes, size_t groups) {
    const size_t n = dim * classes, count = 11;
    const double mu = 0.9, decay = 0.01, rate = 0.25;
    float *w = test_random(n, 1), *v = test_random(n, 2), *g = test_random(n, 3);
    float *logits = test_random(count * classes, 4), *bias = test_random(2 * classes, 5);
    const float rates[3] = {NAN, NAN, (float)rate};
    const int32_t at[2] = {1, 2};
    double *want_w = doubles(n), *want_v = doubles(n), *want_b = doubles(2 * classes);
    for (size_t i = 0; i < n; i++) {
        want_v[i] = mu * (double)v[i] + (double)g[i] + decay * (double)w[i];
        want_w[i] = (double)w[i] - rate * want_v[i];
    }
    for (size_t c = 0; c < classes; c++) {
        double sum = 0;
        for (size_t r = 0; r < count; r++)
            sum += (double)logits[r * classes + c];
        want_b[classes + c] = mu * (double)bias[classes + c] + sum;
        want_b[c] = (double)bias[c] - rate * want_b[classes + c];
    }
    test_buffer bw = test_buffer_make("weight", w, n), bv = test_buffer_make("momentum", v, n);
    test_buffer bg = test_buffer_make("gradient", g, n);
    test_buffer bl = test_buffer_make("logits", logits, count * classes);
    test_buffer bb = test_buffer_make("bias", bias, 2 * classes);
    test_buffer br = test_buffer_make("rates", rates, 3), bs = integers("state", at, 2);
    const clc_launch_spec update = spec("linear_update", groups + 1);
    clc_sequence sequence = {0};
    CHECK(CLC_LAUNCH(&sequence, test_device(), &update, CLC_MEM(bw.mem), CLC_MEM(bv.mem),
                     CLC_MEM(bg.mem), CLC_MEM(bl.mem), CLC_MEM(bb.mem), CLC_MEM(br.mem),
                     CLC_MEM(bs.mem), CLC_INT(dim), CLC_INT(classes), CLC_INT(count), CLC_FLOAT(mu),
                     CLC_FLOAT(decay)));
    test_run(&sequence);
    /* A handful of operations; the bias sums 11 terms. */
    test_expect(&bw, want_w, 1e-6);
    test_expect(&bv, want_v, 1e-6);
    test_expect(&bb, want_b, 2e-6);
    test_buffer *all[] = {&bw, &bv, &bg, &bl, &bb, &br, &bs};
    for (size_t i = 0; i < 7; i++)
        test_buffer_release(all[i]);
    float *floats[] = {w, v, g, logits, bias};
    for (size_t i = 0; i < 5; i++)
        free(floats[i]);
    free(want_w);
    free(want_v);
    free(want_b);
}

static void the_update_is_sgd_with_momentum(void **state) {
    (void)state;
    check_update(1, 1, 1);
    check_update(7, 3, 8);
    check_update(16, 10, 3);
    check_update(5, 101, 4);
}

static void the_greatest_logit_is_chosen(void **state) {
    (void)state;
    const float logits[12] = {1, 1, 0, 0, 2, 1, 0, -1, -3, -2, -1, 0}, bias[3] = {0, 0, 1};
    const int32_t want[4] = {0, 1, 0, 2};
    test_buffer l = test_buffer_make("logits", logits, 12), b = test_buffer_make("bias", bias, 3);
    test_buffer p = test_buffer_make("predicted", NULL, 4);
    const clc_launch_spec choose = spec("linear_predict", 3);
    clc_sequence sequence = {0};
    CHECK(CLC_LAUNCH(&sequence, test_device(), &choose, CLC_MEM(l.mem), CLC_MEM(b.mem),
                     CLC_MEM(p.mem), CLC_INT(4), CLC_INT(3)));
    test_run(&sequence);
    int32_t *got = read_integers(&p);
    assert_memory_equal(got, want, sizeof want);
    free(got);
    test_buffer_release(&l);
    test_buffer_release(&b);
    test_buffer_release(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_gradient_is_a_derivative),
        cmocka_unit_test(features_are_measured),
        cmocka_unit_test(batches_are_gathered),
        cmocka_unit_test(the_gradient_of_the_logits_is_right),
        cmocka_unit_test(the_loss_of_a_block_is_right),
        cmocka_unit_test(the_update_is_sgd_with_momentum),
        cmocka_unit_test(the_greatest_logit_is_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
