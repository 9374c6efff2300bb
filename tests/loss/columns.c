/* Barlow Twins, VICReg and the cosine regression against their references and at the edges. */
#include "harness.h"
#include "loss/case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct variant {
    const char *name;
    int views;
    bool targets;
    clc_config_loss options;
} variant;

static const variant variants[] = {
    {"barlow", 2, false, {.lambda = 0.0051, .variance_epsilon = 1e-5, .weight = 0.5}},
    {"barlow", 2, false, {.lambda = 0.5, .variance_epsilon = 0.01, .weight = 1}},
    {"vicreg", 2, false, {.invariance = 25, .variance = 25, .covariance = 1, .weight = 1}},
    {"vicreg", 2, false, {.invariance = 1, .variance = 0, .covariance = 10, .weight = 1}},
    {"cosine", 1, true, {.weight = 1}},
    {"cosine", 2, true, {.weight = 2}},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static loss_case make(const variant *v, int images, int dim) {
    const clc_loss_shape shape = {
        .images = images, .views = v->views, .dim = dim, .targets = v->targets};
    return loss_case_make(v->name, &shape, &v->options, 1, (uint64_t)(images + dim));
}

/* Sums over images and dimensions of terms of size 1; differences of the views' means leave out a
 * digit. */
static double tolerance(int images, int dim) {
    return 64 * ldexp(1, -24) * (sqrt(images) + sqrt(dim));
}

static void any_shape(void **state) {
    (void)state;
    static const int images[] = {3, 17, 64, 131}, dims[] = {1, 7, 16, 33};
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        for (size_t d = 0; d < sizeof dims / sizeof *dims; d++)
            for (int k = 0; k < VARIANTS; k++) {
                loss_case c = make(&variants[k], images[i], dims[d]);
                loss_case_expect(&c, 12, tolerance(images[i], dims[d]));
                loss_case_free(&c);
            }
}

/* Without stop-gradient the targets get theirs too. */
static void targets_may_have_a_gradient(void **state) {
    (void)state;
    for (int k = VARIANTS - 2; k < VARIANTS; k++) {
        loss_case c = make(&variants[k], 9, 7);
        const size_t count = (size_t)variants[k].views * 9 * 7;
        double *want = malloc(count * sizeof *want);
        c.target_gradient = true;
        loss_case_run(&c);
        for (size_t i = 0; i < count; i++)
            want[i] = reference_slope(&c.reference, &c.reference.target[i], 1e-6);
        assert_true(test_close("dtarget", c.dtarget, want, count, tolerance(9, 7)));
        free(want);
        loss_case_free(&c);
    }
}

/* Barlow Twins' columns are then +-1 whatever the embeddings: the gradient is next to 0. */
static void two_images(void **state) {
    (void)state;
    for (int k = 0; k < VARIANTS; k++) {
        loss_case c = make(&variants[k], 2, 16);
        loss_case_expect_finite(&c, tolerance(2, 16));
        loss_case_free(&c);
    }
}

/* All embeddings the same, zero, or far from zero. */
static void collapsed_embeddings_stay_finite(void **state) {
    (void)state;
    static const double values[] = {0, 1, 1e4};
    for (int k = 0; k < VARIANTS; k++)
        for (int i = 0; i < 3; i++) {
            loss_case c = make(&variants[k], 12, 7);
            for (int n = 0; n < variants[k].views * 12 * 7; n++)
                c.reference.z[n] = values[i];
            loss_case_expect_finite(&c, 1e-4);
            loss_case_free(&c);
        }
}

static void nan_reaches_the_loss(void **state) {
    (void)state;
    for (int k = 0; k < VARIANTS; k++) {
        loss_case c = make(&variants[k], 12, 7);
        c.reference.z[30] = NAN;
        loss_case_run(&c);
        assert_true(isnan(c.value));
        loss_case_free(&c);
    }
}

static void impossible_shapes_are_refused(void **state) {
    (void)state;
    for (int k = 0; k < VARIANTS; k++) {
        const clc_loss *loss = clc_loss_find(variants[k].name);
        const clc_loss_shape bad = {.images = 1, .views = 3, .dim = 4};
        assert_int_equal(clc_loss_check(loss, &bad, &variants[k].options), CLC_INVALID);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_shape),
        cmocka_unit_test(two_images),
        cmocka_unit_test(targets_may_have_a_gradient),
        cmocka_unit_test(collapsed_embeddings_stay_finite),
        cmocka_unit_test(nan_reaches_the_loss),
        cmocka_unit_test(impossible_shapes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
