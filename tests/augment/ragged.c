/* Images of several sizes, in several buffers: each is treated as if it were the only one. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 7, BUFFERS = AUGMENT_BUFFERS, SIZE = 12 };
static const int sizes[IMAGES][2] = {{12, 12}, {5, 31}, {1, 1},  {29, 6},
                                     {40, 37}, {3, 3},  {13, 12}};

/* Bytes of all images (one behind the other in each buffer) and where they are. */
typedef struct ragged {
    uint8_t *pixels[BUFFERS];
    size_t bytes[BUFFERS];
    augment_place places[IMAGES];
} ragged;

static ragged make_ragged(int channels) {
    ragged r = {0};
    clc_rng rng = clc_rng_make(9, (uint32_t)channels);
    for (int i = 0; i < IMAGES; i++) {
        const int b = (3 * i + 1) % BUFFERS;
        r.places[i] = (augment_place){
            .offset = r.bytes[b], .buffer = b, .height = sizes[i][0], .width = sizes[i][1]};
        r.bytes[b] += (size_t)(sizes[i][0] * sizes[i][1] * channels);
    }
    for (int b = 0; b < BUFFERS; b++) {
        r.pixels[b] = malloc(r.bytes[b]);
        assert_non_null(r.pixels[b]);
        for (size_t i = 0; i < r.bytes[b]; i++)
            r.pixels[b][i] = (uint8_t)(clc_rng_next(&rng) >> 24);
    }
    return r;
}

static cl_mem filled(const void *bytes, size_t n) {
    cl_mem buffer = NULL;
    CHECK(clc_buffer_create(test_device(), n, "test input", &buffer));
    CHECK(clc_buffer_write(test_device(), buffer, 0, n, bytes));
    return buffer;
}

static float *make_views(const clc_augment *a, const ragged *r, const int *samples,
                         augment_view *drawn) {
    clc_device *device = test_device();
    const uint32_t epoch = 2;
    clc_augment_images from = {.places = filled(r->places, sizeof r->places),
                               .indices = filled(samples, IMAGES * sizeof *samples)};
    for (int b = 0; b < BUFFERS; b++)
        from.pixels[b] = filled(r->pixels[b], r->bytes[b]);
    cl_mem state = filled(&epoch, sizeof epoch);
    const size_t workspace_bytes = clc_augment_workspace(device, a, IMAGES);
    test_buffer out = test_buffer_make("views", NULL, IMAGES * clc_augment_floats(a));
    test_buffer workspace = test_buffer_make("workspace", NULL, workspace_bytes / sizeof(float));
    clc_sequence sequence = {0};
    const clc_augment_batch batch = {.images = IMAGES, .views = 1};
    CHECK(clc_augment_build(&sequence, device, a, &batch, &from, state, out.mem, workspace.mem));
    test_run(&sequence);
    float *result = test_buffer_read(&out), *left = test_buffer_read(&workspace);
    memcpy(drawn, left, IMAGES * sizeof *drawn);
    free(left);
    test_buffer_release(&workspace);
    test_buffer_release(&out);
    for (int b = 0; b < BUFFERS; b++)
        clc_buffer_release(device, &from.pixels[b]);
    clc_buffer_release(device, &from.places);
    clc_buffer_release(device, &from.indices);
    clc_buffer_release(device, &state);
    return result;
}

static void expect_ragged(const clc_augment *a, const char *name) {
    const int samples[IMAGES] = {100, 3, 77, 0, 7, 1000000, 9};
    ragged r = make_ragged(a->channels);
    augment_view drawn[IMAGES];
    double *want = malloc(clc_augment_floats(a) * sizeof *want);
    assert_non_null(want);
    float *got = make_views(a, &r, samples, drawn);
    for (int i = 0; i < IMAGES; i++) {
        const augment_place *p = &r.places[i];
        clc_augment alone = *a;
        alone.height = p->height;
        alone.width = p->width;
        const augment_view view = reference_draw(&alone, samples[i], 2, 0);
        expect_draw(&drawn[i], &view);
        reference_view(&alone, &view, r.pixels[p->buffer] + p->offset, want);
        for (size_t j = 0; j < clc_augment_floats(a); j++) {
            const float value = got[(size_t)i * clc_augment_floats(a) + j];
            /* As in views.c: floats of few steps on values up to 1. */
            if (!(fabs((double)value - want[j]) <= 1e-5))
                fail_msg("%s, image %d, element %zu: %g, not %g", name, i, j, (double)value,
                         want[j]);
        }
    }
    free(got);
    free(want);
    for (int b = 0; b < BUFFERS; b++)
        free(r.pixels[b]);
}

static clc_augment largest(int channels, int crop) {
    clc_augment a = plain(40, 37, channels, SIZE);
    for (int c = 0; c < channels; c++)
        a.settings.std.values[c] = 1;
    a.settings.crop = crop;
    a.settings.crop_probability = 1;
    a.settings.horizontal_flip = 0.5f;
    a.settings.crop_scale.values[0] = 0.2f;
    a.settings.crop_scale.values[1] = 1;
    a.settings.crop_ratio.values[0] = 0.75f;
    a.settings.crop_ratio.values[1] = 4.0f / 3.0f;
    return a;
}

void ragged_images_in_several_buffers(void **state) {
    const int crops[] = {CLC_CONFIG_CROP_NONE, CLC_CONFIG_CROP_RANDOM_RESIZED,
                         CLC_CONFIG_CROP_CENTER, CLC_CONFIG_CROP_SQUARE};
    (void)state;
    for (size_t i = 0; i < sizeof crops / sizeof *crops; i++) {
        const clc_augment a = largest(3, crops[i]);
        expect_ragged(&a, "crop");
    }
    clc_augment a = largest(3, CLC_CONFIG_CROP_RANDOM_RESIZED);
    a.settings.jitter = 1;
    a.settings.brightness = a.settings.contrast = a.settings.saturation = 0.4f;
    a.settings.hue = 0.1f;
    a.settings.blur = 0.5f;
    a.settings.blur_sigma.values[0] = 0.1f;
    a.settings.blur_sigma.values[1] = 2;
    a.settings.blur_kernel = 5;
    expect_ragged(&a, "everything but steps at a threshold");
}

/* Images smaller than the crop: the rest is black. */
void random_crops_of_images_smaller_than_they_are(void **state) {
    clc_augment a = largest(1, CLC_CONFIG_CROP_RANDOM);
    (void)state;
    expect_ragged(&a, "random crop without a border");
    a.settings.crop_padding = 2;
    expect_ragged(&a, "random crop");
}

void any_number_of_channels(void **state) {
    (void)state;
    for (int channels = 2; channels <= CLC_AUGMENT_CHANNELS; channels += channels < 5 ? 1 : 11) {
        const clc_augment a = largest(channels, CLC_CONFIG_CROP_RANDOM_RESIZED);
        expect_ragged(&a, "channels");
    }
}
