/* Distillation against its reference: any number of classes and samples, temperatures, labels
 * beside the teacher's scores or none. */
#include "harness.h"
#include "loss/case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static loss_case make(int images, int views, int classes, double temperature, double labels) {
    const clc_loss_shape shape = {.images = images,
                                  .views = views,
                                  .dim = classes,
                                  .targets = true,
                                  .labels = labels > 0,
                                  .classes = classes};
    const clc_config_loss options = {
        .weight = 1.5, .temperature = temperature, .label_weight = labels};
    loss_case c = loss_case_make("distillation", &shape, &options, classes,
                                 (uint64_t)(images * 100 + classes));
    /* So far apart that slopes are above the rounding of the reference's differences. */
    for (int i = 0; i < views * images * classes && temperature > 1; i++) {
        c.reference.z[i] *= 8;
        c.reference.target[i] *= 8;
    }
    return c;
}

/* As of crossentropy; the exponent, of up to 10 at a temperature of 0.1, is rounded by 2^-21 more,
 * and slopes are as many times steeper. */
static const double tolerance = 8e-6;

static void any_shape(void **state) {
    (void)state;
    static const int images[] = {1, 3, 17, 63, 64, 65}, classes[] = {2, 7, 10, 32, 101};
    static const double temperatures[] = {1, 0.1, 2};
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        for (size_t c = 0; c < sizeof classes / sizeof *classes; c++)
            for (int views = 1; views < 3; views++) {
                loss_case case_ = make(images[i], views, classes[c], temperatures[(i + c) % 3],
                                       views == 2 ? 0.7 : 0);
                loss_case_expect(&case_, 40, tolerance);
                loss_case_free(&case_);
            }
}

static void samples_without_a_label_learn_from_the_teacher_alone(void **state) {
    (void)state;
    loss_case c = make(11, 1, 7, 0.5, 2), plain = make(11, 1, 7, 0.5, 0);
    for (int i = 0; i < 11; i += 3)
        c.reference.labels[i] = -1 - i;
    memcpy(plain.reference.z, c.reference.z, 77 * sizeof *plain.reference.z);
    memcpy(plain.reference.target, c.reference.target, 77 * sizeof *plain.reference.target);
    loss_case_run(&plain);
    loss_case_run(&c); /* small enough for any simulator; the next line may leave it out */
    loss_case_expect(&c, 77, tolerance);
    for (int i = 0; i < 77; i++)
        if (c.reference.labels[i / 7] < 0)
            assert_true(c.dz[i] == plain.dz[i]);
    for (int i = 0; i < 11; i++)
        c.reference.labels[i] = -1;
    loss_case_run(&c);
    assert_true(c.value == plain.value);
    loss_case_free(&c);
    loss_case_free(&plain);
}

/* Where both say the same there is nothing to learn, and the loss is the teacher's entropy. */
static void nothing_is_learned_of_equal_scores(void **state) {
    (void)state;
    loss_case c = make(5, 1, 7, 0.2, 0);
    memcpy(c.reference.target, c.reference.z, 35 * sizeof *c.reference.z);
    loss_case_run(&c);
    for (int i = 0; i < 35; i++)
        assert_true(fabs((double)c.dz[i]) < 1e-6);
    assert_true(c.value > 0);
    loss_case_free(&c);
}

/* Far beyond what exp() of a float can hold. */
static void large_scores_stay_finite(void **state) {
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        loss_case c = make(5, 1, 7, 0.1, 0.5);
        for (int k = 0; k < 35; k++) {
            c.reference.z[k] = sign * 1000.0 * (k % 7 == 3) + k % 3;
            c.reference.target[k] = 1000.0 * (k % 7 == 2) - k % 5;
        }
        loss_case_expect_finite(&c, tolerance);
        loss_case_free(&c);
    }
}

static void nan_reaches_the_loss(void **state) {
    (void)state;
    for (int of_teacher = 0; of_teacher < 2; of_teacher++) {
        loss_case c = make(6, 1, 7, 1, 0);
        *(of_teacher ? &c.reference.target[20] : &c.reference.z[20]) = NAN;
        loss_case_run(&c);
        assert_true(isnan(c.value));
        loss_case_free(&c);
    }
}

static void what_has_no_teacher_is_refused(void **state) {
    (void)state;
    const clc_config_loss plain = {.weight = 1}, labels = {.weight = 1, .label_weight = 1};
    const clc_loss_shape without = {.images = 4, .views = 1, .dim = 8},
                         one = {.images = 4, .views = 1, .dim = 1, .targets = true},
                         unlabelled = {.images = 4, .views = 1, .dim = 8, .targets = true};
    assert_int_equal(clc_loss_check(&clc_loss_distillation, &without, &plain), CLC_INVALID);
    assert_int_equal(clc_loss_check(&clc_loss_distillation, &one, &plain), CLC_INVALID);
    assert_int_equal(clc_loss_check(&clc_loss_distillation, &unlabelled, &labels), CLC_INVALID);
    CHECK(clc_loss_check(&clc_loss_distillation, &unlabelled, &plain));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_shape),
        cmocka_unit_test(samples_without_a_label_learn_from_the_teacher_alone),
        cmocka_unit_test(nothing_is_learned_of_equal_scores),
        cmocka_unit_test(large_scores_stay_finite),
        cmocka_unit_test(nan_reaches_the_loss),
        cmocka_unit_test(what_has_no_teacher_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
