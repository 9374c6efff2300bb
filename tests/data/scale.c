/* Scaling down against the definition in double precision, and the rule of sizes. */
#include "data/image.h"
#include "data/scale.h"
#include "support.h"

#include <math.h>

/* What every pixel would be, not rounded: the definition, without any order of summing. */
static double defined(const uint8_t *from, int height, int width, int channels, int to_height,
                      int to_width, int y, int x, int c) {
    const double scale_y = (double)height / to_height, scale_x = (double)width / to_width;
    double sum = 0, weights = 0;
    for (int i = 0; i < height; i++) {
        const double wy = fmax(0.0, 1 - fabs((i + 0.5) / scale_y - (y + 0.5)));
        for (int j = 0; wy > 0 && j < width; j++) {
            const double wx = fmax(0.0, 1 - fabs((j + 0.5) / scale_x - (x + 0.5)));
            sum += wy * wx *
                   from[((size_t)i * (size_t)width + (size_t)j) * (size_t)channels + (size_t)c];
            weights += wy * wx;
        }
    }
    return sum / weights;
}

static void check_scale(int height, int width, int channels, int to_height, int to_width) {
    const size_t n = (size_t)(height * width * channels);
    const size_t to_n = (size_t)(to_height * to_width * channels);
    uint8_t *from = malloc(n), *to = malloc(to_n + 16);
    uint32_t state = 7;
    assert_true(from && to);
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525 + 1013904223;
        from[i] = (uint8_t)(state >> 24 < 40 ? 255 : state >> 24);
    }
    memset(to, 0xa5, to_n + 16);
    const clc_scale_from all = {from, height, width, channels, height, width};
    CHECK(clc_scale(&all, to, to_height, to_width));
    for (size_t i = 0; i < to_n; i++) {
        const int pixel = (int)i / channels;
        const double right = defined(from, height, width, channels, to_height, to_width,
                                     pixel / to_width, pixel % to_width, (int)i % channels);
        /* Rounded once: at most half a step off, and float's error of a sum of some hundred terms
         * below 256: 256 * 100 * 2^-24 < 0.002. */
        if (!(fabs(to[i] - right) <= 0.5 + 0.002))
            fail_msg("%dx%dx%d to %dx%d: %d at %zu, %.4f is right", height, width, channels,
                     to_height, to_width, to[i], i, right);
    }
    for (size_t i = to_n; i < to_n + 16; i++)
        assert_int_equal(to[i], 0xa5);
    free(from);
    free(to);
}

static void scaling_is_the_triangle_filter(void **state) {
    (void)state;
    const int sizes[][4] = {{1, 1, 1, 1},     {7, 5, 7, 5},    {7, 5, 3, 2},   {8, 8, 4, 4},
                            {40, 30, 1, 1},   {1, 97, 1, 31},  {97, 1, 31, 1}, {53, 41, 17, 13},
                            {60, 47, 59, 46}, {64, 33, 64, 7}, {33, 64, 5, 64}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int channels = 1; channels <= 5; channels++)
            check_scale(sizes[i][0], sizes[i][1], channels, sizes[i][2], sizes[i][3]);
}

static void expect_fitted(int side, int height, int width, int fitted_height, int fitted_width) {
    const clc_image_options options = {.side = side};
    int h, w;
    clc_image_fitted(&options, height, width, &h, &w);
    if (h != fitted_height || w != fitted_width)
        fail_msg("%dx%d to side %d: %dx%d, not %dx%d", height, width, side, h, w, fitted_height,
                 fitted_width);
    clc_image_fitted(&options, width, height, &h, &w);
    assert_true(h == fitted_width && w == fitted_height);
}

static void sizes_keep_their_aspect_within_limits(void **state) {
    (void)state;
    expect_fitted(0, 3000, 4000, 3000, 4000);
    expect_fitted(256, 256, 5, 256, 5);
    expect_fitted(256, 200, 500, 200, 500);
    expect_fitted(256, 375, 500, 256, 341); /* 341.3 */
    expect_fitted(2, 4, 5, 2, 3);           /* 2.5: a half goes up */
    expect_fitted(100, 200, 400, 100, 200);
    expect_fitted(100, 200, 401, 100, 200);
    expect_fitted(100, 200, 1000, 40, 200); /* the long side binds */
    expect_fitted(100, 10, 1000, 2, 200);   /* though the short one is short already */
    expect_fitted(100, 1, 65500, 1, 200);   /* at least a pixel */
    expect_fitted(100, 1, 200, 1, 200);
    expect_fitted(32768, 2000000000, 2000000000, 32768, 32768);
}

static void grey_and_colour_become_each_other(void **state) {
    (void)state;
    const uint8_t colours[] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 250, 251, 252};
    clc_image image = {.height = 1, .width = 4, .channels = 3, .pixels = malloc(12)};
    memcpy(image.pixels, colours, 12);
    clc_image_options options = {.channels = 1};
    CHECK(clc_image_fit(&image, &options));
    assert_int_equal(image.channels, 1);
    assert_memory_equal(image.pixels, "\x4c\x96\x1d\xfb", 4); /* as PIL's convert("L") */
    options.channels = 3;
    CHECK(clc_image_fit(&image, &options));
    assert_memory_equal(image.pixels, "\x4c\x4c\x4c\x96\x96\x96\x1d\x1d\x1d\xfb\xfb\xfb", 12);
    options.channels = 4;
    CHECK_FAILS(clc_image_fit(&image, &options), CLC_FORMAT, "3 channels");
    clc_image_free(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scaling_is_the_triangle_filter),
        cmocka_unit_test(sizes_keep_their_aspect_within_limits),
        cmocka_unit_test(grey_and_colour_become_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
