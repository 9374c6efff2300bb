/* Every loss on pairs in every arrangement against its reference, and at the edges of what it is
 * defined for. */
#include "harness.h"
#include "loss/case.h"
#include "loss/pairs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An arrangement of a loss. */
typedef struct variant {
    const char *name;
    int views;
    bool targets, queue, labels;
    clc_config_loss options;
} variant;

static const variant softmax_variants[] = {
    {"ntxent", 2, 0, 0, 0, {LOSS_UNIT, .temperature = 0.2}},
    {"ntxent", 3, 0, 0, 0, {LOSS_UNIT, .temperature = 0.5}},
    {"ntxent", 2, 0, 0, 0, {.temperature = 2, .weight = 3}},
    {"supcon", 2, 0, 0, 1, {LOSS_UNIT, .temperature = 0.1}},
    {"supcon", 1, 0, 0, 1, {LOSS_UNIT, .temperature = 0.3}},
    {"infonce", 2, 0, 0, 0, {.temperature = 0.1, .normalize = true, .weight = 0.4}},
    {"infonce", 2, 0, 0, 0, {LOSS_UNIT, .temperature = 0.3, .symmetric = true}},
    {"infonce", 1, 1, 0, 0, {LOSS_UNIT, .temperature = 0.2}},
    {"infonce", 2, 1, 0, 0, {LOSS_UNIT, .temperature = 0.2}},
    {"infonce", 2, 1, 0, 0, {LOSS_UNIT, .temperature = 0.2, .symmetric = true}},
    {"infonce",
     1,
     1,
     1,
     0,
     {LOSS_UNIT, .temperature = 0.2, .negatives = CLC_CONFIG_NEGATIVES_QUEUE}},
    {"infonce",
     2,
     1,
     1,
     0,
     {LOSS_UNIT, .temperature = 0.2, .negatives = CLC_CONFIG_NEGATIVES_BOTH}},
    {"infonce",
     2,
     0,
     1,
     1,
     {LOSS_UNIT, .temperature = 0.2, .negatives = CLC_CONFIG_NEGATIVES_BOTH}},
    {"npair", 2, 0, 0, 0, {.temperature = 1, .weight = 1, .l2 = 0.02}},
    {"npair", 2, 0, 0, 0, {LOSS_UNIT, .temperature = 1}},
    {"clip", 2, 0, 0, 0, {LOSS_UNIT, .temperature = 0.07}},
    {"simcse", 2, 0, 0, 0, {LOSS_UNIT, .temperature = 0.05}},
    {"simcse", 3, 0, 0, 0, {LOSS_UNIT, .temperature = 0.2}},
    {"simcse", 3, 0, 0, 1, {.temperature = 1.5, .weight = 2}},
    {"logistic", 2, 0, 0, 0, {LOSS_UNIT, .temperature = 0.5}},
    {"logistic", 2, 0, 0, 0, {LOSS_UNIT, .temperature = 0.1, .bias = -10}},
    {"logistic", 2, 0, 0, 1, {LOSS_UNIT, .temperature = 0.2}},
    {"logistic", 2, 1, 1, 0, {LOSS_UNIT, .temperature = 0.2, .bias = -1}},
};
enum { SOFTMAX_VARIANTS = sizeof softmax_variants / sizeof *softmax_variants };

/* Margin losses: all combinations of options. */
enum { CONTRASTIVE_VARIANTS = 24, TRIPLET_VARIANTS = 36 };

static variant contrastive_variant(int i) {
    return (variant){"contrastive",
                     2,
                     0,
                     0,
                     i & 1,
                     {.temperature = 1,
                      .weight = 1,
                      .normalize = !(i & 2),
                      .linear = i & 4,
                      .margin = i & 2 ? 2.5 : 0.9,
                      .positive_margin = 0.1,
                      .distance = i / 8}};
}

static variant triplet_variant(int i) {
    return (variant){"triplet",
                     2,
                     0,
                     0,
                     i & 1,
                     {.temperature = 1,
                      .weight = 1,
                      .soft = i & 2 && i / 12 != CLC_CONFIG_MINING_SEMIHARD,
                      .margin = 0.3,
                      .normalize = i % 5 != 2,
                      .distance = i / 4 % 3,
                      .mining = i / 12}};
}

enum { VARIANTS = SOFTMAX_VARIANTS + CONTRASTIVE_VARIANTS + TRIPLET_VARIANTS };

static variant variant_at(int i) {
    if (i < SOFTMAX_VARIANTS)
        return softmax_variants[i];
    i -= SOFTMAX_VARIANTS;
    return i < CONTRASTIVE_VARIANTS ? contrastive_variant(i)
                                    : triplet_variant(i - CONTRASTIVE_VARIANTS);
}

static loss_case make(const variant *v, int images, int dim, int classes, uint64_t seed) {
    const clc_loss_shape shape = {.images = images,
                                  .views = v->views,
                                  .dim = dim,
                                  .targets = v->targets,
                                  .queue = v->queue ? 29 : 0,
                                  .labels = v->labels};
    return loss_case_make(v->name, &shape, &v->options, classes, seed);
}

/* A similarity is a sum of dim products of size at most 1 (raw: dim / 3), divided by t: its error
 * is about 2^-24 (sqrt(dim) + 4) / t, and that is the relative error of every weight and the
 * absolute one of the loss. A gradient is a sum of such terms; 8 covers the sums and the
 * cancellation in du - u (u . du). Raw distances are as long as dim, and slopes 1 / d of near pairs
 * multiply an error by up to 10. */
static double tolerance(const variant *v, int dim) {
    const double similarity = ldexp(1, -24) * (sqrt(dim) + 4) * (v->options.normalize ? 1 : dim);
    return 8 * similarity * fmax(4, 1 / v->options.temperature);
}

static void check_shape(int images, int dim, int classes, int samples) {
    for (int i = 0; i < VARIANTS; i++) {
        const variant v = variant_at(i);
        loss_case c = make(&v, images, dim, classes, (uint64_t)(100 * i + images));
        loss_case_expect(&c, samples, tolerance(&v, dim));
        loss_case_free(&c);
    }
}

static void thirteen_images(void **state) {
    (void)state;
    check_shape(13, 16, 4, 50);
}

static void more_than_a_tile(void **state) {
    (void)state;
    check_shape(67, 9, 5, 16);
}

/* Two vectors each of one image, or four of two: the smallest batches that are pairs. */
static void one_or_two_images(void **state) {
    (void)state;
    for (int images = 1; images <= 2; images++)
        for (int i = 0; i < VARIANTS; i++) {
            const variant v = variant_at(i);
            loss_case c = make(&v, images, 9, 2, (uint64_t)i);
            const clc_loss *loss = clc_loss_find(v.name);
            if (images == 1 && v.views == 1 && !v.targets)
                assert_int_equal(clc_loss_check(loss, &c.reference.shape, &v.options), CLC_INVALID);
            else
                loss_case_expect(&c, 20, tolerance(&v, 9));
            loss_case_free(&c);
        }
}

/* Several blocks of anchors with lists, and more rows than a group handles. */
static void many_anchors_with_labels(void **state) {
    (void)state;
    for (int i = 0; i < TRIPLET_VARIANTS; i += 5) {
        const variant v = triplet_variant(i | 1);
        loss_case c = make(&v, 150, 9, 6, (uint64_t)i);
        loss_case_expect(&c, 3, tolerance(&v, 9));
        loss_case_free(&c);
    }
}

/* With one work-group NT-Xent and SupCon meet these as pairs, each once (cl/loss/symmetric.cl); the
 * others don't. The means over terms above 0 jump where a term is 0: of 20,000 pairs none may lie
 * at a margin by chance, and with these seeds none does. */
static void many_rows(void **state) {
    (void)state;
    const unsigned groups = test_device()->groups;
    test_device()->groups = 1;
    for (int i = 0; i < VARIANTS; i += i < SOFTMAX_VARIANTS + CONTRASTIVE_VARIANTS ? 1 : 5) {
        const variant v = variant_at(i);
        loss_case c = make(&v, 100, 16, 40, (uint64_t)(i + 1));
        loss_case_expect(&c, 5, tolerance(&v, 16));
        loss_case_free(&c);
    }
    test_device()->groups = groups;
}

/* Every loss on inputs where it has no derivative, or none of its parts: finite, and with the
 * defined value. */
static void expect_finite(void (*change)(reference_loss *), int classes, double temperature) {
    for (int i = 0; i < VARIANTS; i++) {
        variant v = variant_at(i);
        v.options.temperature = temperature > 0 ? temperature : v.options.temperature;
        loss_case c = make(&v, 19, 9, classes, (uint64_t)i);
        change(&c.reference);
        loss_case_expect_finite(&c, tolerance(&v, 9));
        loss_case_free(&c);
    }
}

static void leave(reference_loss *r) {
    (void)r;
}

static void make_identical(reference_loss *r) {
    const size_t dim = (size_t)r->shape.dim;
    for (size_t i = 1; i < (size_t)(r->shape.views * r->shape.images); i++) {
        memcpy(r->z + i * dim, r->z, dim * sizeof *r->z);
        if (r->target)
            memcpy(r->target + i * dim, r->z, dim * sizeof *r->z);
    }
}

static void make_zero(reference_loss *r) {
    const size_t count = (size_t)(r->shape.views * r->shape.images * r->shape.dim);
    memset(r->z, 0, count * sizeof *r->z);
}

static void identical_embeddings(void **state) {
    (void)state;
    expect_finite(make_identical, 4, 0);
}

static void zero_embeddings(void **state) {
    (void)state;
    expect_finite(make_zero, 4, 0);
}

static void one_class_only(void **state) {
    (void)state;
    expect_finite(leave, 1, 0);
}

static void low_temperature(void **state) {
    (void)state;
    expect_finite(leave, 4, 0.01);
}

static void nan_reaches_the_loss(void **state) {
    (void)state;
    for (int i = 0; i < VARIANTS; i++) {
        const variant v = variant_at(i);
        loss_case c = make(&v, 33, 9, 4, (uint64_t)i);
        c.reference.z[8 * 9 + 3] = NAN;
        c.value = NAN;
        if (loss_case_affordable(&c))
            loss_case_run(&c);
        if (!isnan(c.value))
            fail_msg("%s (variant %d) hides a NaN", v.name, i);
        loss_case_free(&c);
    }
}

/* CLIP's scale and SigLIP's bias: derivatives, and CLIP's limit of the scale. */
static void learned_scale_and_bias(void **state) {
    (void)state;
    const variant variants[] = {
        {"clip", 2, 0, 0, 0, {LOSS_UNIT, .temperature = 0.07}},
        {"logistic", 2, 0, 0, 0, {LOSS_UNIT, .temperature = 0.1, .bias = -10}}};
    for (int i = 0; i < 2; i++) {
        loss_case c = make(&variants[i], 21, 9, 1, 5);
        reference_loss *r = &c.reference;
        c.learned = true;
        loss_case_expect(&c, 20, tolerance(&variants[i], 9));
        const double by_scale = r->scale * reference_slope(r, &r->scale, 1e-6);
        const double by_bias = reference_slope(r, &r->bias, 1e-6),
                     allowed = tolerance(&variants[i], 9);
        if (!loss_case_affordable(&c))
            loss_case_run(&c);
        assert_true(fabs((double)c.dscale[0] - by_scale) <= allowed * fmax(1, fabs(by_scale)));
        if (i == 1)
            assert_true(fabs((double)c.dscale[1] - by_bias) <= allowed * fmax(1, fabs(by_bias)));
        r->scale = 200; /* counts as 100 */
        loss_case_run(&c);
        r->scale = 100;
        const double want = reference_value(r);
        assert_true(fabs((double)c.value - want) <= 10 * allowed * fmax(1, fabs(want)));
        loss_case_free(&c);
    }
}

static void two_runs_give_the_same_bits(void **state) {
    (void)state;
    for (int i = 0; i < VARIANTS; i += 7) {
        const variant v = variant_at(i);
        const int images = test_affordable(40 * 40 * 9) ? 40 : 5;
        loss_case a = make(&v, images, 9, 4, 1), b = make(&v, images, 9, 4, 1);
        loss_case_run(&a);
        loss_case_run(&b);
        assert_true(a.value == b.value);
        assert_memory_equal(a.dz, b.dz, (size_t)(v.views * images * 9) * sizeof *a.dz);
        loss_case_free(&a);
        loss_case_free(&b);
    }
}

/* O(N): from 4,096 to 65,536 views 16 times the memory, and at most a tenth of the dense matrix. */
static void memory_grows_with_the_views_not_their_square(void **state) {
    (void)state;
    for (int i = 0; i < VARIANTS; i++) {
        const variant v = variant_at(i);
        const clc_loss *loss = clc_loss_find(v.name);
        clc_loss_shape shape = {.images = 2048,
                                .views = v.views,
                                .dim = 128,
                                .targets = v.targets,
                                .queue = v.queue ? 4096 : 0,
                                .labels = v.labels};
        const size_t small = loss->workspace(test_device(), &shape, &v.options);
        shape.images = 32768;
        const size_t large = loss->workspace(test_device(), &shape, &v.options);
        if (large > 17 * small || large > (size_t)4 * 65536 * 65536 / 10)
            fail_msg("%s (variant %d): %zu bytes become %zu", v.name, i, small, large);
    }
}

static void impossible_options_are_refused(void **state) {
    (void)state;
    const variant bad[] = {
        {"infonce",
         1,
         1,
         0,
         0,
         {LOSS_UNIT, .temperature = 0.2, .negatives = CLC_CONFIG_NEGATIVES_QUEUE}},
        {"infonce",
         1,
         0,
         0,
         0,
         {LOSS_UNIT, .temperature = 0.2, .negatives = CLC_CONFIG_NEGATIVES_BATCH}},
        {"clip", 3, 0, 0, 0, {LOSS_UNIT, .temperature = 0.2}},
        {"simcse", 1, 0, 0, 0, {LOSS_UNIT, .temperature = 0.2}},
        {"simcse", 4, 0, 0, 0, {LOSS_UNIT, .temperature = 0.2}},
        {"simcse", 2, 1, 0, 0, {LOSS_UNIT, .temperature = 0.2}},
        {"contrastive", 2, 0, 0, 0, {LOSS_UNIT, .temperature = 1, .margin = -1}},
        {"triplet", 2, 0, 0, 0, {LOSS_UNIT, .temperature = 1, .margin = NAN}},
        {"triplet",
         2,
         0,
         0,
         0,
         {LOSS_UNIT, .temperature = 1, .soft = true, .mining = CLC_CONFIG_MINING_SEMIHARD}},
        {"logistic", 2, 0, 0, 0, {LOSS_UNIT, .temperature = 0}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const clc_loss_shape shape = {
            .images = 8, .views = bad[i].views, .dim = 4, .targets = bad[i].targets};
        const clc_loss *loss = clc_loss_find(bad[i].name);
        assert_int_equal(clc_loss_check(loss, &shape, &bad[i].options), CLC_INVALID);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirteen_images),
        cmocka_unit_test(more_than_a_tile),
        cmocka_unit_test(one_or_two_images),
        cmocka_unit_test(many_anchors_with_labels),
        cmocka_unit_test(many_rows),
        cmocka_unit_test(identical_embeddings),
        cmocka_unit_test(zero_embeddings),
        cmocka_unit_test(one_class_only),
        cmocka_unit_test(low_temperature),
        cmocka_unit_test(nan_reaches_the_loss),
        cmocka_unit_test(learned_scale_and_bias),
        cmocka_unit_test(two_runs_give_the_same_bits),
        cmocka_unit_test(memory_grows_with_the_views_not_their_square),
        cmocka_unit_test(impossible_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
