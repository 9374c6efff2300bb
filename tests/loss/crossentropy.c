/* Cross-entropy of a classifier against its reference: any number of classes and samples, smoothed
 * labels, samples without one. */
#include "harness.h"
#include "loss/case.h"

#include <math.h>
#include <stdlib.h>

static loss_case make(int images, int views, int classes, double smoothing) {
    const clc_loss_shape shape = {
        .images = images, .views = views, .dim = classes, .labels = true, .classes = classes};
    const clc_config_loss options = {.smoothing = smoothing, .weight = 1.5, .temperature = 1};
    return loss_case_make("crossentropy", &shape, &options, classes,
                          (uint64_t)(images * 100 + classes));
}

/* A log of up to 5 of the sum of 101 exponentials, rounded by 2^-22, and the difference from it are
 * the relative error of a probability; the reference's value of 7, rounded by 2^-50 over 2e-6, is
 * as much of a gradient of 1 / 2000. */
static const double tolerance = 4e-6;

static void any_shape(void **state) {
    (void)state;
    static const int images[] = {1, 3, 17, 63, 64, 65}, classes[] = {2, 7, 10, 32, 101};
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        for (size_t c = 0; c < sizeof classes / sizeof *classes; c++)
            for (int views = 1; views < 3; views++) {
                loss_case case_ = make(images[i], views, classes[c], i % 2 ? 0.1 : 0);
                loss_case_expect(&case_, 40, tolerance);
                loss_case_free(&case_);
            }
}

/* They count nothing, and what is drawn to them gets no gradient. */
static void samples_without_a_label_are_left_out(void **state) {
    (void)state;
    for (int smooth = 0; smooth < 2; smooth++) {
        loss_case c = make(11, 2, 7, 0.2 * smooth);
        for (int i = 0; i < 11; i += 3)
            c.reference.labels[i] = -1 - i;
        loss_case_run(&c); /* small enough for any simulator; the next line may leave it out */
        loss_case_expect(&c, 154, tolerance);
        for (int r = 0; r < 22; r++)
            for (int k = 0; k < 7 && c.reference.labels[r % 11] < 0; k++)
                assert_true(c.dz[r * 7 + k] == 0.0f);
        for (int i = 0; i < 11; i++)
            c.reference.labels[i] = -1;
        loss_case_run(&c);
        assert_true(c.value == 0.0f);
        for (int k = 0; k < 154; k++)
            assert_true(c.dz[k] == 0.0f);
        loss_case_free(&c);
    }
}

/* Far beyond what exp() of a float can hold. */
static void large_scores_stay_finite(void **state) {
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        loss_case c = make(5, 1, 7, 0.1);
        for (int k = 0; k < 35; k++)
            c.reference.z[k] = sign * 1000.0 * (k % 7 == 3) + k % 3;
        loss_case_expect_finite(&c, tolerance);
        loss_case_free(&c);
    }
}

static void nan_reaches_the_loss(void **state) {
    (void)state;
    loss_case c = make(6, 1, 7, 0);
    c.reference.z[20] = NAN;
    loss_case_run(&c);
    assert_true(isnan(c.value));
    loss_case_free(&c);
}

static void what_are_no_scores_is_refused(void **state) {
    (void)state;
    const clc_config_loss options = {.weight = 1};
    const clc_loss_shape bad[] = {
        {.images = 4, .views = 2, .dim = 8, .labels = true},
        {.images = 4, .views = 1, .dim = 8, .labels = true, .classes = 7},
        {.images = 4, .views = 1, .dim = 8, .classes = 8},
        {.images = 4, .views = 1, .dim = 1, .labels = true, .classes = 1},
        {.images = 0, .views = 1, .dim = 8, .labels = true, .classes = 8}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(clc_loss_check(&clc_loss_crossentropy, &bad[i], &options), CLC_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_shape),
        cmocka_unit_test(samples_without_a_label_are_left_out),
        cmocka_unit_test(large_scores_stay_finite),
        cmocka_unit_test(nan_reaches_the_loss),
        cmocka_unit_test(what_are_no_scores_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
