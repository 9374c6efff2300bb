/* What each format of pictures holds comes out as it went in: kinds, depths, orientation, alpha. */
#include "data/image.h"
#include "data/scale.h"
#include "encode.h"

#include <math.h>
#include <png.h>
#include <tiffio.h>

enum { H = 5, W = 7, N = H * W };

static uint8_t scaled(unsigned value, unsigned white) {
    return (uint8_t)lrint(value * 255.0 / white);
}

/* On white. */
static uint8_t laid(unsigned value, unsigned alpha) {
    return (uint8_t)lrint((value * alpha + 255.0 * (255 - alpha)) / 255);
}

static void check_png(int depth, int colour, bool interlaced) {
    const bool alpha = colour & PNG_COLOR_MASK_ALPHA;
    const int channels = colour & PNG_COLOR_MASK_COLOR ? 3 : 1, elements = channels + alpha;
    const unsigned white = (1u << depth) - 1;
    const png_make make = {H, W, depth, colour, interlaced, NULL, NULL, 0, NULL};
    uint16_t samples[N * 4];
    uint8_t right[N * 3];
    char what[80];
    for (int i = 0; i < N * elements; i++)
        samples[i] = (uint16_t)draw(white + 1);
    for (int i = 0; i < N; i++) {
        const unsigned a = alpha ? scaled(samples[i * elements + channels], white) : 255;
        for (int c = 0; c < channels; c++)
            right[i * channels + c] = laid(scaled(samples[i * elements + c], white), a);
    }
    snprintf(what, sizeof what, "depth %d, colour type %d", depth, colour);
    expect_pixels(make_png(&make, samples), &plain, H, W, channels, right, 0, what);
}

static void png_of_every_kind(void **state) {
    (void)state;
    for (int interlaced = 0; interlaced < 2; interlaced++) {
        for (int depth = 1; depth <= 16; depth *= 2)
            check_png(depth, PNG_COLOR_TYPE_GRAY, interlaced);
        for (int depth = 8; depth <= 16; depth *= 2) {
            check_png(depth, PNG_COLOR_TYPE_GRAY_ALPHA, interlaced);
            check_png(depth, PNG_COLOR_TYPE_RGB, interlaced);
            check_png(depth, PNG_COLOR_TYPE_RGB_ALPHA, interlaced);
        }
    }
}

static void palettes_of_png_with_transparency(void **state) {
    (void)state;
    uint8_t palette[768], transparency[256];
    for (int i = 0; i < 768; i++)
        palette[i] = (uint8_t)draw(256);
    for (int i = 0; i < 256; i++)
        transparency[i] = (uint8_t)draw(256);
    for (int depth = 1; depth <= 8; depth *= 2) {
        const int colours = 1 << depth, transparent = depth == 1 ? 1 : colours * 3 / 4;
        uint16_t samples[N];
        uint8_t right[N * 3];
        for (int i = 0; i < N; i++) {
            const int index = (int)draw((unsigned)colours);
            samples[i] = (uint16_t)index;
            for (int c = 0; c < 3; c++) /* colours that aren't listed are opaque */
                right[3 * i + c] =
                    laid(palette[3 * index + c], index < transparent ? transparency[index] : 255);
        }
        const png_make make = {H,          W,       depth,        PNG_COLOR_TYPE_PALETTE,
                               depth == 4, palette, transparency, transparent,
                               NULL};
        expect_pixels(make_png(&make, samples), &plain, H, W, 3, right, 0, "palette");
    }
}

static void windows_of_deep_samples(void **state) {
    (void)state;
    const uint16_t samples[] = {0, 999, 1000, 1500, 2000, 65535};
    const uint8_t right[] = {0, 0, 0, 128, 255, 255}, whole[] = {0, 4, 4, 6, 8, 255};
    const png_make make = {1, 6, 16, PNG_COLOR_TYPE_GRAY, false, NULL, NULL, 0, NULL};
    clc_image_options options = plain;
    expect_pixels(make_png(&make, samples), &options, 1, 6, 1, whole, 0, "no window");
    options.low = 1000;
    options.high = 2000;
    expect_pixels(make_png(&make, samples), &options, 1, 6, 1, right, 0, "window");
}

static void backgrounds_show_through(void **state) {
    (void)state;
    const uint16_t grey[] = {100, 0, 100, 255, 100, 51};
    const png_make make = {1, 3, 8, PNG_COLOR_TYPE_GRAY_ALPHA, false, NULL, NULL, 0, NULL};
    clc_image_options options = plain;
    memcpy(options.background, (uint8_t[]){10, 200, 60}, 3);
    /* As grey the background is grey: 0.299 * 10 + 0.587 * 200 + 0.114 * 60 = 127.2. */
    expect_pixels(make_png(&make, grey), &options, 1, 3, 1, (uint8_t[]){127, 100, 122}, 0, "grey");
    options.channels = 3;
    expect_pixels(make_png(&make, grey), &options, 1, 3, 3,
                  (uint8_t[]){10, 200, 60, 100, 100, 100, 28, 180, 68}, 0, "colour");
}

/* A smooth picture without two equal corners; rate: radians a pixel. */
static void fill_smooth(uint8_t *pixels, int height, int width, int channels, double rate) {
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                pixels[(y * width + x) * channels + c] =
                    (uint8_t)lrint(128 + 60 * sin(rate * x + c) + 60 * cos(rate * y * (c + 1)));
}

static void jpeg_in_grey_and_colour(void **state) {
    (void)state;
    uint8_t pixels[37 * 43 * 3];
    for (int channels = 1; channels <= 3; channels += 2) {
        for (int progressive = 0; progressive < 2; progressive++) {
            const jpeg_make make = {37, 43, channels, progressive, false, false, NULL};
            fill_smooth(pixels, 37, 43, channels, 0.08);
            /* Two conversions of colour, a coefficient and a DCT are rounded: some 1.5 in luma, and
             * as much, times 1.772, in the chroma of blue. */
            expect_pixels(make_jpeg(&make, pixels), &plain, 37, 43, channels, pixels, 4, "jpeg");
        }
    }
}

static void jpeg_of_ink(void **state) {
    (void)state;
    uint8_t ink[8 * 8 * 4], right[8 * 8 * 3];
    for (int adobe = 0; adobe < 2; adobe++) {
        const jpeg_make make = {8, 8, 4, false, adobe, false, NULL};
        for (int i = 0; i < 64; i++) {
            for (int c = 0; c < 4; c++)
                ink[4 * i + c] = (uint8_t)(20 + 50 * c + i / 8 * 5);
            for (int c = 0; c < 3; c++) { /* Adobe stores 255 - ink */
                const int light = adobe ? ink[4 * i + c] : 255 - ink[4 * i + c];
                const int black = adobe ? ink[4 * i + 3] : 255 - ink[4 * i + 3];
                right[3 * i + c] = (uint8_t)lrint(light * black / 255.0);
            }
        }
        expect_pixels(make_jpeg(&make, ink), &plain, 8, 8, 3, right, 3, adobe ? "adobe" : "plain");
    }
}

/* The DCT's own scaling, and what is left for the filter, give what the filter alone gives. */
static void jpeg_is_scaled_while_decoded(void **state) {
    (void)state;
    enum { BIG_H = 301, BIG_W = 403 };
    uint8_t *pixels = malloc(BIG_H * BIG_W * 3), *right = malloc(BIG_H * BIG_W * 3);
    const int sides[] = {300, 160, 150, 149, 75, 40, 37, 9, 1};
    assert_true(pixels && right);
    const clc_scale_from all = {pixels, BIG_H, BIG_W, 3, BIG_H, BIG_W};
    fill_smooth(pixels, BIG_H, BIG_W, 3, 0.01);
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        const jpeg_make make = {BIG_H, BIG_W, 3, false, false, i % 2, NULL};
        clc_image_options options = plain;
        int height, width;
        options.side = sides[i];
        clc_image_fitted(&options, BIG_H, BIG_W, &height, &width);
        assert_int_equal(height, sides[i]);
        CHECK(clc_scale(&all, right, height, width));
        /* As above, and a box of 8 pixels in place of a triangle of 16, which at a border is 4
         * pixels off: 4 * 0.03 * 60 / 2. Pixels lost or gained by the scales would be 8 * 0.03 * 60
         * off. */
        expect_pixels(make_jpeg(&make, pixels), &options, height, width, 3, right, 6, "scaled");
    }
    free(pixels);
    free(right);
}

static void webp_still_and_animated(void **state) {
    (void)state;
    uint8_t samples[N * 4], right[N * 3], canvas[(H + 2) * (W + 5) * 3];
    for (int i = 0; i < N * 4; i++)
        samples[i] = (uint8_t)draw(256);
    for (int i = 0; i < N * 3; i++)
        right[i] = laid(samples[i / 3 * 4 + i % 3], samples[i / 3 * 4 + 3]);
    expect_pixels(make_webp(H, W, 3, samples), &plain, H, W, 3, samples, 0, "rgb");
    expect_pixels(make_webp(H, W, 4, samples), &plain, H, W, 3, right, 0, "rgba");
    memset(canvas, 255, sizeof canvas);
    for (int y = 0; y < H; y++)
        memcpy(canvas + ((y + 2) * (W + 5) + 4) * 3, samples + y * W * 3, W * 3);
    expect_pixels(make_webp_canvas(H + 2, W + 5, 1, 2, H, W, samples, NULL), &plain, H + 2, W + 5,
                  3, canvas, 0, "frame on a canvas");
}

/* Which stored pixel EXIF 2.3, table 4.6.4, shows at (y,x) upright. */
static int stored_at(int orientation, int y, int x) {
    const int rows[] = {y, y, H - 1 - y, H - 1 - y, x, H - 1 - x, H - 1 - x, x};
    const int columns[] = {x, W - 1 - x, W - 1 - x, x, y, y, W - 1 - y, W - 1 - y};
    return rows[orientation - 1] * W + columns[orientation - 1];
}

static void orientation_in_each_format(void **state) {
    (void)state;
    uint16_t samples[N];
    uint8_t grey[N], right[N], smooth[N * 3], smooth_right[N * 3];
    clc_image_options ignoring = plain;
    ignoring.orientation = false;
    fill_smooth(smooth, H, W, 3, 0.08);
    for (int i = 0; i < N; i++)
        samples[i] = grey[i] = (uint8_t)(i * 7);
    for (int o = 1; o <= 8; o++) {
        const int height = o < 5 ? H : W, width = o < 5 ? W : H;
        for (int i = 0; i < N; i++) {
            const int from = stored_at(o, i / width, i % width);
            right[i] = grey[from];
            memcpy(smooth_right + 3 * i, smooth + 3 * from, 3);
        }
        for (int little = 0; little < 2; little++) {
            bytes exif = exif_block(o, little, o % 3);
            const png_make png = {H, W, 8, PNG_COLOR_TYPE_GRAY, false, NULL, NULL, 0, &exif};
            const jpeg_make jpeg = {H, W, 3, false, false, false, &exif};
            const tiff_make tiff = {
                H, W, 1, 8, PHOTOMETRIC_MINISBLACK, .orientation = o, .big_endian = !little};
            expect_pixels(make_png(&png, samples), &plain, height, width, 1, right, 0, "png");
            expect_pixels(make_png(&png, samples), &ignoring, H, W, 1, grey, 0, "ignored");
            expect_pixels(make_jpeg(&jpeg, smooth), &plain, height, width, 3, smooth_right, 4,
                          "jpeg");
            expect_pixels(make_tiff(&tiff, grey), &plain, height, width, 1, right, 0, "tiff");
            expect_pixels(make_webp_canvas(H, W, 0, 0, H, W, smooth, &exif), &plain, height, width,
                          3, smooth_right, 0, "webp");
            bytes_free(&exif);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_of_every_kind),
        cmocka_unit_test(palettes_of_png_with_transparency),
        cmocka_unit_test(windows_of_deep_samples),
        cmocka_unit_test(backgrounds_show_through),
        cmocka_unit_test(jpeg_in_grey_and_colour),
        cmocka_unit_test(jpeg_of_ink),
        cmocka_unit_test(jpeg_is_scaled_while_decoded),
        cmocka_unit_test(webp_still_and_animated),
        cmocka_unit_test(orientation_in_each_format),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
