/* SwAV and DINO: scores against their references, with several views, a queue and a centre. */
#include "harness.h"
#include "loss/case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct variant {
    const char *name;
    int views, large, queue;
    clc_config_loss options;
} variant;

#define SWAV(e, n, w)                                                                              \
    { .temperature = 0.1, .epsilon = e, .iterations = n, .weight = w }
#define DINO(t, m)                                                                                 \
    { .temperature = 0.1, .teacher_temperature = t, .center_momentum = m, .weight = 1 }

static const variant variants[] = {
    {"swav", 2, 2, 0, SWAV(0.05, 3, 1)}, {"swav", 2, 2, 23, SWAV(0.05, 3, 2)},
    {"swav", 5, 2, 0, SWAV(0.05, 1, 1)}, {"dino", 2, 2, 0, DINO(0.04, 0.9)},
    {"dino", 6, 2, 0, DINO(0.04, 1)},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static loss_case make(const variant *v, int images, int scores) {
    const clc_loss_shape shape = {.images = images,
                                  .views = v->views,
                                  .large = v->large,
                                  .dim = scores,
                                  .queue = v->queue,
                                  .targets = !strcmp(v->name, "dino")};
    loss_case c = loss_case_make(v->name, &shape, &v->options, 1, (uint64_t)(images + scores));
    if (shape.targets) {
        c.reference.center = malloc((size_t)scores * sizeof(double));
        for (int k = 0; k < scores; k++)
            c.reference.center[k] = (double)(float)(0.1 * sin(k));
    }
    return c;
}

/* Scores up to 1 over 0.04: their rounding 2^-24 / 0.04 is the relative error of a probability;
 * eight for the sums of Sinkhorn's rounds. */
static const double tolerance = 8 * 6e-8 / 0.04;

static void any_shape(void **state) {
    (void)state;
    static const int images[] = {1, 3, 17, 40}, scores[] = {1, 7, 32, 50};
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        for (size_t s = 0; s < sizeof scores / sizeof *scores; s++)
            for (int k = 0; k < VARIANTS; k++) {
                loss_case c = make(&variants[k], images[i], scores[s]);
                loss_case_expect(&c, 30, tolerance);
                loss_case_free(&c);
            }
}

static void the_center_follows_the_teacher(void **state) {
    (void)state;
    for (int k = 3; k < VARIANTS; k++) {
        loss_case c = make(&variants[k], 11, 7);
        const double momentum = variants[k].options.center_momentum;
        double want[7];
        for (int j = 0; j < 7; j++) {
            want[j] = momentum * c.reference.center[j];
            for (int r = 0; r < 22; r++)
                want[j] += (1 - momentum) * c.reference.target[r * 7 + j] / 22;
        }
        loss_case_run(&c);
        assert_true(test_close("center", c.center, want, 7, 1e-6));
        loss_case_free(&c);
    }
}

static void equal_scores_stay_finite(void **state) {
    (void)state;
    static const double values[] = {0, 1, -1};
    for (int k = 0; k < VARIANTS; k++)
        for (int i = 0; i < 3; i++) {
            loss_case c = make(&variants[k], 6, 7);
            for (int n = 0; n < variants[k].views * 6 * 7; n++)
                c.reference.z[n] = values[i];
            loss_case_expect_finite(&c, tolerance);
            loss_case_free(&c);
        }
}

static void nan_reaches_the_loss(void **state) {
    (void)state;
    for (int k = 0; k < VARIANTS; k++) {
        loss_case c = make(&variants[k], 6, 7);
        c.reference.z[20] = NAN;
        loss_case_run(&c);
        assert_true(isnan(c.value));
        loss_case_free(&c);
    }
}

static void impossible_options_are_refused(void **state) {
    (void)state;
    const clc_loss_shape good = {.images = 4, .views = 2, .large = 2, .dim = 8, .targets = true};
    const clc_loss_shape one = {.images = 4, .views = 1, .large = 1, .dim = 8, .targets = true};
    const clc_config_loss swav = SWAV(0, 3, 1), dino = DINO(0, 0.9);
    assert_int_equal(clc_loss_check(&clc_loss_swav, &good, &swav), CLC_INVALID);
    assert_int_equal(clc_loss_check(&clc_loss_dino, &good, &dino), CLC_INVALID);
    for (int k = 0; k < VARIANTS; k++)
        assert_int_equal(
            clc_loss_check(clc_loss_find(variants[k].name), &one, &variants[k].options),
            CLC_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_shape),
        cmocka_unit_test(the_center_follows_the_teacher),
        cmocka_unit_test(equal_scores_stay_finite),
        cmocka_unit_test(nan_reaches_the_loss),
        cmocka_unit_test(impossible_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
