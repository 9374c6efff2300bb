/* Losses at every place of a map against their references. */
#include "dense/losses.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- references -- */

static double reference_pixels(const double *x, const uint8_t *labels, int rows, int classes,
                               double scale, double *d) {
    double loss = 0;
    memset(d, 0, (size_t)(rows * classes) * sizeof *d);
    for (int r = 0; r < rows; r++) {
        double sum = 0, most = -INFINITY;
        if (labels[r] >= classes)
            continue;
        for (int c = 0; c < classes; c++)
            most = fmax(most, x[r * classes + c]);
        for (int c = 0; c < classes; c++)
            sum += exp(x[r * classes + c] - most);
        for (int c = 0; c < classes; c++)
            d[r * classes + c] =
                scale * (exp(x[r * classes + c] - most) / sum - (c == labels[r] ? 1 : 0));
        loss += log(sum) + most - x[r * classes + labels[r]];
    }
    return scale * loss;
}

static double reference_centres(const double *x, const float *heat, const float *sides, int rows,
                                int classes, double scale, double *d) {
    const int channels = classes + CLC_BOX_SIDES;
    double loss = 0;
    for (int r = 0; r < rows; r++) {
        for (int c = 0; c < classes; c++) {
            const double v = x[r * channels + c], p = 1 / (1 + exp(-v)), q = 1 / (1 + exp(v));
            const double y = (double)heat[r * classes + c];
            double *to = &d[r * channels + c];
            *to = 0;
            if (y == 1) {
                loss -= q * q * log(p);
                *to = scale * (2 * p * q * q * log(p) - q * q * q);
            } else if (y >= 0) {
                loss -= pow(1 - y, 4) * p * p * log(q);
                *to = scale * pow(1 - y, 4) * (p * p * p - 2 * p * p * q * log(q));
            }
        }
        for (int k = 0; k < CLC_BOX_SIDES; k++) {
            const float *side = sides + r * (1 + CLC_BOX_SIDES);
            const double off = x[r * channels + classes + k] - (double)side[1 + k];
            loss += (double)side[0] * fabs(off);
            d[r * channels + classes + k] = scale * (double)side[0] * ((off > 0) - (off < 0));
        }
    }
    return scale * loss;
}

/* -- cases -- */

typedef struct loss_case {
    int rows, classes, channels;
    float *x, *heat, *sides;
    uint8_t *labels;
    double *wide, *want;
} loss_case;

static loss_case make(int rows, int classes, bool centres) {
    loss_case c = {rows, classes, classes + (centres ? CLC_BOX_SIDES : 0), NULL, NULL, NULL, NULL,
                   NULL, NULL};
    const size_t n = (size_t)(rows * c.channels);
    c.x = test_random(n, 1);
    c.heat = test_random((size_t)(rows * classes), 2);
    c.sides = test_random((size_t)(rows * (1 + CLC_BOX_SIDES)), 3);
    c.labels = malloc((size_t)rows);
    c.wide = malloc(n * sizeof *c.wide);
    c.want = malloc(n * sizeof *c.want);
    for (size_t i = 0; i < n; i++) {
        c.x[i] *= 8;
        c.wide[i] = (double)c.x[i];
    }
    for (int i = 0; i < rows; i++)
        c.labels[i] = (uint8_t)(i * 7 % 5 == 2 ? 255 : i * 13 % classes);
    for (int i = 0; i < rows * classes; i++)
        c.heat[i] = i * 11 % 7 == 3 ? 1.0f : c.heat[i]; /* a half is below 0 */
    for (int i = 0; i < rows; i++)
        c.sides[i * (1 + CLC_BOX_SIDES)] = i % 3 ? 0 : 0.5f;
    return c;
}

static void release(loss_case *c) {
    free(c->x);
    free(c->heat);
    free(c->sides);
    free(c->labels);
    free(c->wide);
    free(c->want);
}

static cl_mem upload(const void *data, size_t bytes) {
    cl_mem buffer = NULL;
    CHECK(clc_buffer_create(test_device(), bytes, "test", &buffer));
    CHECK(clc_buffer_write(test_device(), buffer, 0, bytes, data));
    return buffer;
}

static double largest(const double *values, size_t n) {
    double most = 1e-30;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(values[i]));
    return most;
}

static void check(int rows, int classes, bool centres) {
    clc_device *device = test_device();
    const float scale = 0.25f;
    const size_t r = (size_t)rows, k = (size_t)classes;
    loss_case c = make(rows, classes, centres);
    const double loss =
        centres ? reference_centres(c.wide, c.heat, c.sides, rows, classes, (double)scale, c.want)
                : reference_pixels(c.wide, c.labels, rows, classes, (double)scale, c.want);
    const size_t n = r * (size_t)c.channels;
    test_buffer x = test_buffer_make("x", c.x, n), d = test_buffer_make("gradient", NULL, n);
    test_buffer parts = test_buffer_make("parts", NULL, device->groups);
    test_buffer value = test_buffer_make("loss", NULL, 1);
    clc_dense_loss l = {.rows = rows,
                        .classes = classes,
                        .x = x.mem,
                        .gradient = d.mem,
                        .scale = upload(&scale, sizeof scale),
                        .labels = upload(c.labels, r),
                        .heat = upload(c.heat, r * k * sizeof(float)),
                        .sides = upload(c.sides, r * (1 + CLC_BOX_SIDES) * sizeof(float)),
                        .parts = parts.mem,
                        .value = value.mem};
    clc_sequence sequence = {0};
    CHECK(centres ? clc_centres_build(&sequence, device, &l)
                  : clc_pixels_build(&sequence, device, &l));
    test_run(&sequence);
    /* Probabilities of up to 16 ulp, which may cancel; terms of the sum are
     * differences of numbers up to 16. */
    test_expect(&d, c.want, 1e-6 * (double)scale / largest(c.want, n));
    test_expect(&value, &loss, rows * 4e-6 * (double)scale / largest(&loss, 1));
    assert_true(test_buffer_intact(&parts));
    cl_mem *const uploaded[] = {&l.scale, &l.labels, &l.heat, &l.sides};
    for (size_t i = 0; i < sizeof uploaded / sizeof *uploaded; i++)
        clc_buffer_release(device, uploaded[i]);
    test_buffer_release(&x);
    test_buffer_release(&d);
    test_buffer_release(&parts);
    test_buffer_release(&value);
    release(&c);
}

static const int shapes[][2] = {{1, 2},  {7, 1},   {13, 5},   {63, 21},
                                {64, 3}, {65, 20}, {257, 11}, {1031, 2}};

static void cross_entropy_of_pixels(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check(shapes[i][0], shapes[i][1], false);
}

static void focal_loss_of_centres(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check(shapes[i][0], shapes[i][1], true);
}

/* The gradients of both references against signed central differences. */
static void references_agree_with_finite_differences(void **state) {
    enum { ROWS = 9, CLASSES = 4 };
    const double h = 1e-6;
    (void)state;
    for (int centres = 0; centres < 2; centres++) {
        loss_case c = make(ROWS, CLASSES, centres);
        double unused[ROWS * (CLASSES + CLC_BOX_SIDES)];
        for (int i = 0; i < ROWS * c.channels; i++) {
            double sides[2], old = c.wide[i];
            for (int s = 0; s < 2; s++) {
                c.wide[i] = old + (s ? h : -h);
                sides[s] =
                    centres ? reference_centres(c.wide, c.heat, c.sides, ROWS, CLASSES, 0.5, unused)
                            : reference_pixels(c.wide, c.labels, ROWS, CLASSES, 0.5, unused);
            }
            c.wide[i] = old;
            if (centres)
                reference_centres(c.wide, c.heat, c.sides, ROWS, CLASSES, 0.5, c.want);
            else
                reference_pixels(c.wide, c.labels, ROWS, CLASSES, 0.5, c.want);
            assert_true(fabs((sides[1] - sides[0]) / (2 * h) - c.want[i]) <= 1e-7);
        }
        release(&c);
    }
}

/* Of equal logits it is the lower class. */
static void a_pixel_is_of_the_greatest_logit(void **state) {
    const float x[] = {1, 3, 2, 5, 5, 4, -1, -2, 0, 2, 2, 2};
    const uint8_t want[] = {1, 0, 2, 0};
    uint8_t got[4];
    clc_sequence sequence = {0};
    clc_dense_loss l = {.rows = 4, .classes = 3, .x = upload(x, sizeof x)};
    (void)state;
    CHECK(clc_buffer_create(test_device(), sizeof got, "labels", &l.labels));
    CHECK(clc_pixels_predict(&sequence, test_device(), &l));
    test_run(&sequence);
    CHECK(clc_buffer_read(test_device(), l.labels, 0, sizeof got, got));
    assert_memory_equal(got, want, sizeof want);
    clc_buffer_release(test_device(), &l.x);
    clc_buffer_release(test_device(), &l.labels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_agree_with_finite_differences),
        cmocka_unit_test(cross_entropy_of_pixels),
        cmocka_unit_test(focal_loss_of_centres),
        cmocka_unit_test(a_pixel_is_of_the_greatest_logit),
    };
    return cmocka_run_group_tests_name("dense losses", tests, NULL, test_close_device);
}
