#include "support.h"

#include <stdlib.h>
#include <string.h>

clc_augment plain(int height, int width, int channels, int size) {
    return (clc_augment){.height = height,
                         .width = width,
                         .channels = channels,
                         .settings = {.size = size, .std = {3, {1, 1, 1}}},
                         .seed = 0x123456789ABCDEFu};
}

clc_augment everything(int height, int width, int channels, int size) {
    clc_augment a = plain(height, width, channels, size);
    a.settings.crop = CLC_CONFIG_CROP_RANDOM_RESIZED;
    a.settings.crop_scale.values[0] = 0.2f;
    a.settings.crop_scale.values[1] = 1;
    a.settings.crop_ratio.values[0] = 0.75f;
    a.settings.crop_ratio.values[1] = 4.0f / 3.0f;
    a.settings.crop_probability = 0.9f;
    a.settings.horizontal_flip = a.settings.vertical_flip = 0.5f;
    a.settings.rotation = 120;
    a.settings.rotation_probability = 0.4f;
    a.settings.jitter = 0.8f;
    a.settings.brightness = 0.4f;
    a.settings.contrast = 1.2f;
    a.settings.saturation = 0.7f;
    a.settings.hue = 0.5f;
    a.settings.grey = 0.2f;
    a.settings.blur = 0.5f;
    a.settings.blur_sigma.values[0] = 0.1f;
    a.settings.blur_sigma.values[1] = 2;
    a.settings.blur_kernel = size > 2 ? 5 : 1;
    a.settings.solarise = 0.3f;
    a.settings.solarise_threshold = 0.5f;
    return a;
}

uint8_t *random_images(const clc_augment *a, int count) {
    clc_rng rng = clc_rng_make(7, 1);
    const size_t n = (size_t)count * (size_t)(a->height * a->width * a->channels);
    uint8_t *pixels = malloc(n);
    assert_non_null(pixels);
    for (size_t i = 0; i < n; i++)
        pixels[i] = (uint8_t)(clc_rng_next(&rng) >> 24);
    return pixels;
}

/* -0 + 0 is 0. */
static augment_view unsign_zeros(augment_view v) {
    float *const all[] = {&v.cosine,     &v.sine, &v.brightness, &v.contrast,
                          &v.saturation, &v.hue,  &v.sigma};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i] += 0.0f;
    return v;
}

void expect_draw(const augment_view *got, const augment_view *want) {
    augment_view a = unsign_zeros(*got), b = unsign_zeros(*want);
    a.image = b.image; /* a place, not drawn */
    assert_memory_equal(&a, &b, sizeof a);
}

/* A buffer that holds the bytes. */
static cl_mem filled(clc_device *device, const void *bytes, size_t n) {
    cl_mem buffer = NULL;
    CHECK(clc_buffer_create(device, n, "test input", &buffer));
    CHECK(clc_buffer_write(device, buffer, 0, n, bytes));
    return buffer;
}

float *device_views(clc_device *device, const clc_augment *a, const uint8_t *pixels, int count,
                    const int *samples, int images, int views, uint32_t epoch,
                    augment_view *drawn) {
    const size_t bytes = (size_t)count * (size_t)(a->height * a->width * a->channels);
    augment_place *places = calloc((size_t)images, sizeof *places);
    assert_non_null(places);
    for (int i = 0; i < images; i++)
        places[i] = (augment_place){.offset = (uint64_t)samples[i] * bytes / (uint64_t)count,
                                    .height = a->height,
                                    .width = a->width};
    float *result =
        device_views_at(device, a, pixels, bytes, places, samples, images, views, epoch, drawn);
    free(places);
    return result;
}

float *device_views_at(clc_device *device, const clc_augment *a, const uint8_t *pixels,
                       size_t bytes, const augment_place *places, const int *samples, int images,
                       int views, uint32_t epoch, augment_view *drawn) {
    const size_t rows = (size_t)images * (size_t)views;
    const size_t workspace_bytes = clc_augment_workspace(device, a, (int)rows);
    clc_augment_images from = {.pixels = {filled(device, pixels, bytes)},
                               .places = filled(device, places, (size_t)images * sizeof *places),
                               .indices =
                                   filled(device, samples, (size_t)images * sizeof *samples)};
    cl_mem state = filled(device, &epoch, sizeof epoch);
    test_buffer out = test_buffer_make("views", NULL, rows * clc_augment_floats(a));
    test_buffer workspace = test_buffer_make("workspace", NULL, workspace_bytes / sizeof(float));
    clc_sequence sequence = {0};
    const clc_augment_batch batch = {.images = images, .views = views};
    CHECK(clc_augment_build(&sequence, device, a, &batch, &from, state, out.mem, workspace.mem));
    test_run(&sequence);
    float *result = test_buffer_read(&out), *left = test_buffer_read(&workspace);
    if (drawn)
        memcpy(drawn, left, rows * sizeof *drawn);
    free(left);
    test_buffer_release(&workspace);
    test_buffer_release(&out);
    clc_buffer_release(device, &state);
    clc_buffer_release(device, &from.indices);
    clc_buffer_release(device, &from.places);
    clc_buffer_release(device, &from.pixels[0]);
    return result;
}
