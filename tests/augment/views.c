#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pixels are in [0, 1]. Floats of few steps stay within 1e-6 of the double reference; a rotation's
 * coordinates are rounded to size 2^-24 pixels, some times, and pixels differ by up to 1 (3e-5 at
 * 32); factors of contrast and brightness multiply both by up to 2.2. */
static double tolerance(const clc_augment *a) {
    return a->settings.rotation > 0 ? 3e-5 : 1e-5;
}

/* The worst difference of a view from the reference. A pixel nearer to the threshold than the
 * tolerance may be solarised or not. */
static double view_error(const clc_augment *a, const augment_view *v, const uint8_t *source,
                         const float *got) {
    double *image = malloc(clc_augment_floats(a) * sizeof *image), worst = 0;
    assert_non_null(image);
    reference_view(a, v, source, image);
    for (size_t i = 0; i < clc_augment_floats(a); i++) {
        const size_t c = i % (size_t)a->channels;
        const double x = image[i], far = x - (double)a->settings.solarise_threshold;
        const double as_is = fabs((double)got[i] * (double)a->settings.std.values[c] +
                                  (double)a->settings.mean.values[c] - x);
        const double turned = fabs((double)got[i] * (double)a->settings.std.values[c] +
                                   (double)a->settings.mean.values[c] - (1 - x));
        double error = v->solarise && far >= 0 ? turned : as_is;
        if (v->solarise && fabs(far) < tolerance(a))
            error = fmin(turned, as_is);
        if (!(error <= worst))
            worst = error;
    }
    free(image);
    return worst;
}

static void expect_views(clc_device *device, const clc_augment *a, const char *name) {
    enum { COUNT = 11, IMAGES = 9, VIEWS = 2 };
    const int samples[IMAGES] = {10, 3, 3, 0, 7, 1, 9, 5, 4};
    if (!test_affordable(IMAGES * VIEWS * (double)clc_augment_floats(a)))
        return;
    const size_t image = (size_t)(a->height * a->width * a->channels);
    uint8_t *pixels = random_images(a, COUNT);
    augment_view drawn[IMAGES * VIEWS];
    float *got = device_views(device, a, pixels, COUNT, samples, IMAGES, VIEWS, 2, drawn);
    for (int i = 0; i < IMAGES * VIEWS; i++) {
        const augment_view want = reference_draw(a, samples[i % IMAGES], 2, (uint32_t)(i / IMAGES));
        expect_draw(&drawn[i], &want);
        const double error = view_error(a, &want, pixels + (size_t)want.sample * image,
                                        got + (size_t)i * clc_augment_floats(a));
        if (!(error <= tolerance(a)))
            fail_msg("%s, view %d: off by %g, more than %g", name, i, error, tolerance(a));
    }
    free(got);
    free(pixels);
}

static clc_augment jittered(float brightness, float contrast, float saturation, float hue) {
    clc_augment a = plain(12, 12, 3, 12);
    a.settings.jitter = 1;
    a.settings.brightness = brightness;
    a.settings.contrast = contrast;
    a.settings.saturation = saturation;
    a.settings.hue = hue;
    return a;
}

void each_stage_alone(void **state) {
    (void)state;
    clc_device *device = test_device();
    clc_augment a = everything(17, 13, 3, 12), b = plain(12, 12, 3, 12);
    a.settings.rotation = a.settings.jitter = a.settings.grey = a.settings.blur =
        a.settings.solarise = 0;
    expect_views(device, &a, "crop and flips");
    a = b;
    a.settings.rotation = 180;
    a.settings.rotation_probability = 1;
    expect_views(device, &a, "rotation");
    a = jittered(0.8f, 0, 0, 0);
    expect_views(device, &a, "brightness");
    a = jittered(0, 0.8f, 0, 0);
    expect_views(device, &a, "contrast");
    a = jittered(0, 0, 0.8f, 0);
    expect_views(device, &a, "saturation");
    a = jittered(0, 0, 0, 0.5f);
    expect_views(device, &a, "hue");
    a = b;
    a.settings.grey = 1;
    expect_views(device, &a, "grey");
    a = b;
    a.settings.blur = 1;
    a.settings.blur_sigma.values[0] = 0.1f;
    a.settings.blur_sigma.values[1] = 4;
    a.settings.blur_kernel = 23; /* the widest for 12 pixels */
    expect_views(device, &a, "blur");
    a = b;
    a.settings.solarise = 1;
    a.settings.solarise_threshold = 0.3f;
    expect_views(device, &a, "solarise");
}

void all_stages_over_odd_sizes(void **state) {
    (void)state;
    const int sizes[][4] = {{28, 28, 1, 28}, {32, 32, 3, 32}, {13, 17, 3, 11},
                            {5, 7, 1, 16},   {1, 1, 3, 1},    {70, 53, 3, 9}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int *s = sizes[i];
        clc_augment a = everything(s[0], s[1], s[2], s[3]);
        a.settings.blur_kernel = s[3] == 28 ? 0 : a.settings.blur_kernel;
        a.settings.mean.values[0] = 0.3f;
        a.settings.mean.values[1] = 0.4f;
        a.settings.mean.values[2] = 0.5f;
        a.settings.std.values[0] = 0.25f;
        a.settings.std.values[1] = 0.5f;
        a.settings.std.values[2] = 0.75f;
        char name[64];
        snprintf(name, sizeof name, "%dx%dx%d to %d", s[0], s[1], s[2], s[3]);
        expect_views(test_device(), &a, name);
    }
}

/* The same device with groups of `items`, or vectors of `width` floats. */
static clc_device shaped(unsigned items, unsigned width) {
    clc_device device = *test_device();
    device.group_size = items;
    device.vector_width = width;
    return device;
}

static float *views_of(const clc_augment *a, unsigned items, unsigned width) {
    enum { COUNT = 6 };
    const int samples[COUNT] = {0, 1, 2, 3, 4, 5};
    clc_device changed = shaped(items, width);
    uint8_t *pixels = random_images(a, COUNT);
    float *views = device_views(&changed, a, pixels, COUNT, samples, COUNT, 2, 0, NULL);
    free(pixels);
    return views;
}

void any_group_size_gives_the_same_bits(void **state) {
    (void)state;
    const clc_augment a = everything(17, 13, 3, 12);
    const unsigned items[] = {3, 16, 64}, width = test_device()->vector_width;
    const size_t n = 12 * clc_augment_floats(&a);
    float *want = views_of(&a, 1, width);
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        if (items[i] > test_device()->info.max_group)
            continue;
        float *got = views_of(&a, items[i], width);
        for (size_t j = 0; j < n; j++)
            if (memcmp(&got[j], &want[j], sizeof *got))
                fail_msg("groups of %u: element %zu is %.9g, not %.9g", items[i], j, (double)got[j],
                         (double)want[j]);
        free(got);
    }
    free(want);
}

void vectors_of_any_width(void **state) {
    (void)state;
    const clc_augment a = everything(17, 13, 3, 13);
    float *want = views_of(&a, 1, 1);
    for (unsigned width = 4; width <= 16; width *= 2) {
        float *got = views_of(&a, 1, width);
        for (size_t j = 0; j < 12 * clc_augment_floats(&a); j++)
            if (!(fabsf(got[j] - want[j]) <= 1e-6f) &&
                !(a.settings.solarise > 0 && fabsf(got[j] - (1 - want[j])) <= 1e-6f))
                fail_msg("width %u: element %zu is %.9g, not %.9g", width, j, (double)got[j],
                         (double)want[j]);
        free(got);
    }
    free(want);
}

void evaluation_changes_nothing_but_size_and_scale(void **state) {
    (void)state;
    enum { COUNT = 3 };
    const int samples[COUNT] = {2, 0, 1};
    clc_augment train = everything(14, 14, 3, 14);
    train.settings.mean.values[1] = 0.4f;
    train.settings.std.values[1] = 0.5f;
    clc_augment a = clc_augment_evaluation(&train, true);
    uint8_t *pixels = random_images(&a, COUNT);
    float *got = device_views(test_device(), &a, pixels, COUNT, samples, COUNT, 1, 9, NULL);
    for (size_t i = 0; i < COUNT * clc_augment_floats(&a); i++) {
        const size_t c = i % 3,
                     from = (size_t)samples[i / clc_augment_floats(&a)] * clc_augment_floats(&a);
        const double x = pixels[from + i % clc_augment_floats(&a)] / 255.0;
        const double want =
            (x - (double)a.settings.mean.values[c]) / (double)a.settings.std.values[c];
        assert_true(fabs((double)got[i] - want) <= 1e-6);
    }
    free(got);
    free(pixels);
    train.settings.size = 9;
    a = clc_augment_evaluation(&train, true);
    expect_views(test_device(), &a, "resized for evaluation");
    train.settings.crop = CLC_CONFIG_CROP_RANDOM;
    a = clc_augment_evaluation(&train, true);
    expect_views(test_device(), &a, "the middle for evaluation");
}

void crops_beyond_the_border_are_black(void **state) {
    (void)state;
    clc_augment a = plain(6, 8, 3, 8);
    a.settings.crop = CLC_CONFIG_CROP_RANDOM;
    a.settings.crop_probability = 1;
    a.settings.crop_padding = 12; /* some crops hold no pixel at all */
    expect_views(test_device(), &a, "random crop");
    a.settings.size = 11;
    a.settings.crop = CLC_CONFIG_CROP_CENTER;
    expect_views(test_device(), &a, "centre crop larger than the image");
}
