#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 97 };

/* All fields of each view are the host's, to the last bit. */
static void expect_draws(const clc_augment *a, int views) {
    const int images =
        test_affordable((double)(COUNT * views) * (double)clc_augment_floats(a)) ? COUNT : 7;
    uint8_t *pixels = random_images(a, COUNT);
    int samples[COUNT];
    augment_view *drawn = malloc((size_t)(COUNT * views) * sizeof *drawn);
    assert_non_null(drawn);
    for (int i = 0; i < COUNT; i++)
        samples[i] = (i * 31) % COUNT;
    free(device_views(test_device(), a, pixels, COUNT, samples, images, views, 5, drawn));
    for (int i = 0; i < images * views; i++) {
        const augment_view want = reference_draw(a, samples[i % images], 5, (uint32_t)(i / images));
        expect_draw(&drawn[i], &want);
    }
    free(drawn);
    free(pixels);
}

void draws_are_the_hosts(void **state) {
    (void)state;
    clc_augment a = everything(17, 13, 3, 12);
    expect_draws(&a, 3);
    a.settings.crop_scale.values[0] = a.settings.crop_scale.values[1] = 0.9f; /* few boxes fit */
    a.settings.crop_ratio.values[0] = 0.3f;
    a.settings.crop_ratio.values[1] = 3;
    a.settings.rotation = 360;
    expect_draws(&a, 2);
    a = everything(10, 12, 1, 10);
    a.settings.crop = CLC_CONFIG_CROP_RANDOM;
    a.settings.crop_padding = 3;
    a.settings.crop_probability = 0.5f;
    expect_draws(&a, 2);
    a = plain(9, 16, 1, 12);
    a.settings.crop = CLC_CONFIG_CROP_CENTER;
    expect_draws(&a, 1);
}

void views_do_not_depend_on_the_batch(void **state) {
    (void)state;
    enum { IMAGES = 64, VIEWS = 2 };
    const clc_augment a = everything(17, 13, 3, 12);
    if (!test_affordable(IMAGES * VIEWS * (double)clc_augment_floats(&a)))
        return;
    const size_t n = clc_augment_floats(&a) * sizeof(float);
    uint8_t *pixels = random_images(&a, COUNT);
    int samples[IMAGES];
    for (int i = 0; i < IMAGES; i++)
        samples[i] = (i * 37) % COUNT;
    float *whole = device_views(test_device(), &a, pixels, COUNT, samples, IMAGES, VIEWS, 3, NULL);
    const int batches[][2] = {{63, 1}, {0, 1}, {5, 7}, {50, 7}, {1, 63}};
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        const int first = batches[b][0], images = batches[b][1];
        float *part =
            device_views(test_device(), &a, pixels, COUNT, samples + first, images, VIEWS, 3, NULL);
        for (int v = 0; v < VIEWS; v++)
            for (int i = 0; i < images; i++)
                assert_memory_equal(
                    part + (size_t)(v * images + i) * clc_augment_floats(&a),
                    whole + (size_t)(v * IMAGES + first + i) * clc_augment_floats(&a), n);
        free(part);
    }
    free(whole);
    free(pixels);
}

void epochs_views_samples_and_seeds_differ(void **state) {
    (void)state;
    clc_augment a = everything(17, 13, 3, 12);
    const augment_view base = reference_draw(&a, 3, 1, 0);
    augment_view others[5] = {reference_draw(&a, 4, 1, 0), reference_draw(&a, 3, 2, 0),
                              reference_draw(&a, 3, 1, 1)};
    a.seed ^= 1;
    others[3] = reference_draw(&a, 3, 1, 0);
    a.seed ^= 1 ^ (UINT64_C(1) << 40);
    others[4] = reference_draw(&a, 3, 1, 0);
    for (int i = 0; i < 5; i++) {
        assert_true(others[i].brightness != base.brightness);
        assert_true(others[i].sigma != base.sigma);
        assert_true(others[i].cosine != base.cosine);
        assert_true(others[i].hue != base.hue);
    }
}

/* `hits` of n draws of probability p: within 5 standard deviations. */
static void expect_share(int hits, int n, double p) {
    assert_true(fabs(hits - n * p) <= 5 * sqrt(n * p * (1 - p)));
}

void frequencies_are_as_configured(void **state) {
    (void)state;
    enum { DRAWS = 20000 };
    const clc_augment a = everything(32, 32, 3, 32);
    int flips = 0, rotations = 0, jitters = 0, greys = 0, blurs = 0, solarised = 0, upper = 0;
    int orders[24] = {0}, codes[24] = {0};
    for (int i = 0; i < DRAWS; i++) {
        const augment_view v = reference_draw(&a, i, 0, 0);
        int o = 0;
        flips += v.horizontal_flip;
        rotations += v.rotate;
        jitters += v.jitter;
        greys += v.grey;
        blurs += v.blur;
        solarised += v.solarise;
        upper += v.contrast > 1.1f; /* contrast 1.2: factors from 0 to 2.2 */
        assert_true(v.height * v.width >= 0.15 * 32 * 32 && v.height <= 32 && v.width <= 32);
        assert_true(v.top >= 0 && v.top + v.height <= 32 && v.left >= 0 && v.left + v.width <= 32);
        assert_true(v.contrast >= 0 && v.contrast <= 2.2f && fabsf(v.hue) <= 0.5f);
        assert_true(v.sigma >= 0.1f && v.sigma <= 2);
        while (o < 24 && codes[o] && codes[o] != v.order)
            o++;
        assert_true(o < 24);
        codes[o] = v.order;
        orders[o]++;
    }
    expect_share(flips, DRAWS, 0.5);
    expect_share(rotations, DRAWS, 0.4);
    expect_share(jitters, DRAWS, 0.8);
    expect_share(greys, DRAWS, 0.2);
    expect_share(blurs, DRAWS, 0.5);
    expect_share(solarised, DRAWS, 0.3);
    expect_share(upper, DRAWS, 0.5);
    for (int o = 0; o < 24; o++)
        expect_share(orders[o], DRAWS, 1.0 / 24);
}

void box_without_a_fit_is_the_largest_in_the_middle(void **state) {
    (void)state;
    enum { IMAGES = 5 };
    const int samples[IMAGES] = {0, 1, 2, 3, 4};
    clc_augment a = everything(8, 40, 1, 8);
    a.settings.crop_scale.values[0] = a.settings.crop_scale.values[1] =
        1; /* the area of all, but the shape of a square: too high */
    a.settings.crop_ratio.values[0] = 0.5f;
    a.settings.crop_ratio.values[1] = 2;
    a.settings.crop_probability = 1;
    uint8_t *pixels = random_images(&a, IMAGES);
    augment_view drawn[IMAGES];
    free(device_views(test_device(), &a, pixels, IMAGES, samples, IMAGES, 1, 0, drawn));
    for (int i = 0; i < IMAGES; i++) {
        assert_int_equal(drawn[i].height, 8);
        assert_int_equal(drawn[i].width, 16);
        assert_int_equal(drawn[i].top, 0);
        assert_int_equal(drawn[i].left, 12);
    }
    free(pixels);
}
