/* TIFF in its many kinds, and the simple formats, written byte by byte. */
#include "encode.h"

#include <math.h>
#include <tiffio.h>

enum { H = 9, W = 11, N = H * W, SAMPLES_MAX = 5 };

/* What a TIFF's samples must become: each is a byte already, wider ones are made from it. */
static void check_tiff(tiff_make make, bool inverted, const char *what) {
    uint8_t narrow[N * SAMPLES_MAX], right[N * SAMPLES_MAX];
    uint16_t half[N * SAMPLES_MAX];
    float real[N * SAMPLES_MAX];
    const int samples = make.samples, channels = samples - (make.alpha != 0);
    const unsigned white = make.bits <= 8 ? (1u << make.bits) - 1 : 255;
    make.height = H;
    make.width = W;
    for (int i = 0; i < N * samples; i++) {
        narrow[i] = (uint8_t)draw(white + 1);
        half[i] = (uint16_t)(narrow[i] * 257);
        real[i] = (float)narrow[i] / 255;
    }
    for (int i = 0; i < N; i++) {
        const uint8_t *pixel = narrow + i * samples;
        const double a = make.alpha ? pixel[channels] / 255.0 : 1;
        for (int c = 0; c < channels; c++) {
            const double value = (inverted ? white - pixel[c] : pixel[c]) * 255.0 / white;
            const double laid = make.alpha == 1 ? value + 255 * (1 - a) : value * a + 255 * (1 - a);
            right[i * channels + c] = (uint8_t)lrint(fmin(laid, 255));
        }
    }
    expect_pixels(make_tiff(&make, make.bits == 16   ? (void *)half
                                   : make.bits == 32 ? (void *)real
                                                     : (void *)narrow),
                  &plain, H, W, channels, right, 0, what);
}

static void tiff_of_every_depth_and_layout(void **state) {
    (void)state;
    const int depths[] = {1, 2, 4, 8, 16, 32};
    for (int i = 0; i < 6; i++) {
        for (int layout = 0; layout < 8; layout++) {
            tiff_make make = {.samples = 1, .bits = depths[i], .photometric = 1};
            make.format = depths[i] == 32 ? SAMPLEFORMAT_IEEEFP : 0;
            make.tile = layout & 1 ? 16 : 0;
            make.big_endian = layout & 2;
            check_tiff(make, false, "grey");
            make.photometric = 0;
            check_tiff(make, true, "grey, white is zero");
            if (depths[i] < 8)
                continue;
            make.samples = 3;
            make.photometric = 2;
            make.separate = layout & 4;
            check_tiff(make, false, "rgb");
            make.samples = 4;
            make.alpha = EXTRASAMPLE_UNASSALPHA;
            check_tiff(make, false, "rgb and alpha");
            make.alpha = EXTRASAMPLE_ASSOCALPHA;
            check_tiff(make, false, "rgb multiplied by alpha");
            make.alpha = 0;
            make.unspecified = 1;
            check_tiff(make, false, "four channels");
            make.samples = 5;
            make.photometric = 1;
            make.unspecified = 4;
            check_tiff(make, false, "five channels");
        }
    }
}

static void tiff_compressed(void **state) {
    (void)state;
    const int kinds[] = {COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_PACKBITS};
    for (int i = 0; i < 3; i++)
        check_tiff((tiff_make){.samples = 3, .bits = 8, .photometric = 2, .compression = kinds[i]},
                   false, "compressed");
    check_tiff(
        (tiff_make){
            .samples = 1, .bits = 1, .photometric = 0, .compression = COMPRESSION_CCITTFAX4},
        true, "fax");
}

static void tiff_of_palette_ink_and_signed(void **state) {
    (void)state;
    uint8_t samples[N * 4], right[N * 3];
    uint16_t palette[3 * 16];
    for (int i = 0; i < 48; i++)
        palette[i] = (uint16_t)draw(65536);
    for (int i = 0; i < N; i++) {
        samples[i] = (uint8_t)draw(16);
        for (int c = 0; c < 3; c++)
            right[3 * i + c] = (uint8_t)(palette[16 * c + samples[i]] >> 8);
    }
    const tiff_make coloured = {
        .height = H, .width = W, .samples = 1, .bits = 4, .photometric = 3, .palette = palette};
    expect_pixels(make_tiff(&coloured, samples), &plain, H, W, 3, right, 0, "palette");
    for (int i = 0; i < N * 4; i++)
        samples[i] = (uint8_t)draw(256);
    for (int i = 0; i < N * 3; i++)
        right[i] = (uint8_t)lrint((255 - samples[i / 3 * 4 + i % 3]) *
                                  (255 - samples[i / 3 * 4 + 3]) / 255.0);
    const tiff_make ink = {.height = H, .width = W, .samples = 4, .bits = 8, .photometric = 5};
    expect_pixels(make_tiff(&ink, samples), &plain, H, W, 3, right, 0, "ink");
    const int16_t heights[] = {-32768, -1, 0, 100, 200, 32767};
    const tiff_make map = {.height = 1,
                           .width = 6,
                           .samples = 1,
                           .bits = 16,
                           .photometric = 1,
                           .format = SAMPLEFORMAT_INT};
    clc_image_options options = plain;
    expect_pixels(make_tiff(&map, heights), &plain, 1, 6, 1, (uint8_t[]){0, 0, 0, 1, 2, 255}, 0,
                  "signed");
    options.low = -1;
    options.high = 200;
    expect_pixels(make_tiff(&map, heights), &options, 1, 6, 1, (uint8_t[]){0, 0, 1, 128, 255, 255},
                  0, "signed, with a window");
}

static void channels_that_do_not_fit_are_refused(void **state) {
    (void)state;
    uint8_t samples[N * 5] = {0};
    clc_image image;
    clc_image_options options = plain;
    tiff_make make = {
        .height = H, .width = W, .samples = 5, .bits = 8, .photometric = 1, .unspecified = 4};
    bytes file = make_tiff(&make, samples);
    options.channels = 3;
    CHECK_FAILS(clc_image_decode(file.data, file.n, &options, &image), CLC_FORMAT,
                "tiff: has 5 channels, which can't be brought to 3 (data.channels)");
    assert_null(image.pixels);
    options.channels = 5;
    expect_pixels(file, &options, H, W, 5, samples, 0, "as asked");
}

#define EXPECT(file, height, width, channels, ...)                                                 \
    expect_pixels(bytes_copy(file, sizeof file - 1), &plain, height, width, channels,              \
                  (const uint8_t[]){__VA_ARGS__}, 0, file)

static void anymaps(void **state) {
    (void)state;
    EXPECT("P5 3 1 255\n\0\177\377", 1, 3, 1, 0, 127, 255);
    EXPECT("P6\n# by hand\n2 1\n255\n\1\2\3\4\5\6", 1, 2, 3, 1, 2, 3, 4, 5, 6);
    EXPECT("P5 3 1 100\n\0\62\144", 1, 3, 1, 0, 128, 255);
    EXPECT("P5 2 1 65535\n\200\0\377\377", 1, 2, 1, 128, 255);
    EXPECT("P5 2 1 1023\n\1\377\3\377", 1, 2, 1, 127, 255);
    EXPECT("P4 9 2\n\377\200\125\0", 2, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 255, 0, 255, 0,
           255, 0, 255);
    EXPECT("P1 3 2 1 0 1\n#x\n010 ", 2, 3, 1, 0, 255, 0, 255, 0, 255);
    EXPECT("P2 2 2 15 0 15 # end of line\n1 3", 2, 2, 1, 0, 255, 17, 51);
    EXPECT("P3 1 1 255 7 8 9", 1, 1, 3, 7, 8, 9);
}

/* The codes of these GIFs: clear, 0, 1, 0, end, of 3 bits but for the last, which has 4. */
static void gif_bmp_tga_and_psd(void **state) {
    (void)state;
    EXPECT("GIF89a\3\0\1\0\x80\0\0\x0a\x14\x1e\x28\x32\x3c"
           "!\xff\x0bNETSCAPE2.0\3\1\0\0\0"    /* endless */
           ",\0\0\0\0\3\0\1\0\0\2\2\x44\x50\0" /* the first frame */
           "!\xf9\4\4\2\0\0\0,\0\0\0\0\3\0\1\0\0\2\2\x4c\x50\0;",
           1, 3, 3, 10, 20, 30, 40, 50, 60, 10, 20, 30);
    EXPECT("GIF89a\3\0\1\0\x80\0\0\x0a\x14\x1e\x28\x32\x3c"
           "!\xf9\4\1\0\0\1\0,\0\0\0\0\3\0\1\0\0\2\2\x44\x50\0;", /* colour 1 is transparent */
           1, 3, 3, 10, 20, 30, 255, 255, 255, 10, 20, 30);
    EXPECT("GIF89a\1\0\5\0\x81\0\0\1\1\1\2\2\2\3\3\3\4\4\4"
           ",\0\0\0\0\1\0\5\0\x40\2\3\x44\x34\x50\0;", /* interlaced: rows 0, 4, 2, 1, 3 */
           5, 1, 3, 1, 1, 1, 4, 4, 4, 3, 3, 3, 1, 1, 1, 2, 2, 2);
    EXPECT("GIF89a\3\0\2\0\x80\0\0\1\2\3\4\5\6,\1\0\1\0\1\0\1\0\0\2\2\x4c\1\0;", 2, 3, 3, 255, 255,
           255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 4, 5, 6, 255, 255,
           255); /* a frame of one pixel, on a canvas */
    EXPECT("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\2\0\0\0\1\0\x18\0\0\0\0\0\x10\0\0\0"
           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\2\3\0\4\5\6\0",
           2, 1, 3, 6, 5, 4, 3, 2, 1); /* from the bottom up, blue first */
    EXPECT("\0\0\3\0\0\0\0\0\0\0\0\0\2\0\1\0\x08\x20\x07\x09", 1, 2, 1, 7, 9);
    EXPECT("\0\0\2\0\0\0\0\0\0\0\0\0\1\0\1\0\x20\x28\1\2\3\x80", 1, 1, 3, 129, 128, 128);
    EXPECT("8BPS\0\1\0\0\0\0\0\0\0\3\0\0\0\1\0\0\0\2\0\x08\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
           "\1\2\3\4\5\6",
           1, 2, 3, 1, 3, 5, 2, 4, 6);
}

/* LZW of GIF as optimisers write it: a full table of codes is used on, not cleared. */
static bytes pack_lzw(const uint8_t *colours, int n) {
    enum { CLEAR = 256, END = 257, CODES = 4096 };
    static int16_t next[CODES][256]; /* the code of a code and one more colour, or 0 */
    bytes data = {0};
    uint32_t bits = CLEAR;
    int held = 9, width = 9, codes = END + 1, code = colours[0];
    memset(next, 0, sizeof next);
    for (int i = 1; i <= n + 1; i++) {
        if (i < n && next[code][colours[i]]) {
            code = next[code][colours[i]];
            continue;
        }
        bits |= (uint32_t)code << held;
        for (held += width; held >= 8; held -= 8, bits >>= 8)
            data = bytes_join(data, &(uint8_t){(uint8_t)bits}, 1);
        if (i < n && codes < CODES)
            next[code][colours[i]] = (int16_t)codes++;
        width += codes > 1 << width && width < 12;
        code = i < n ? colours[i] : END;
    }
    return bytes_join(data, &(uint8_t){(uint8_t)bits}, 1);
}

static void gif_with_a_table_that_stays_full(void **state) {
    (void)state;
    enum { SIDE = 150 }; /* some 20,000 codes */
    static uint8_t colours[SIDE * SIDE], right[3 * SIDE * SIDE];
    bytes file = bytes_copy("GIF89a\x96\0\x96\0\x87\0\0", 13);
    for (int i = 0; i < 256; i++)
        file = bytes_join(file, (uint8_t[]){(uint8_t)i, (uint8_t)(255 - i), 7}, 3);
    for (int i = 0; i < SIDE * SIDE; i++) {
        colours[i] = (uint8_t)draw(256);
        memcpy(right + 3 * i, (uint8_t[]){colours[i], (uint8_t)(255 - colours[i]), 7}, 3);
    }
    bytes data = pack_lzw(colours, SIDE * SIDE);
    file = bytes_join(file, ",\0\0\0\0\x96\0\x96\0\0\x08", 11);
    for (size_t at = 0; at < data.n; at += 255) {
        const uint8_t n = (uint8_t)(data.n - at < 255 ? data.n - at : 255);
        file = bytes_join(bytes_join(file, &n, 1), data.data + at, n);
    }
    bytes_free(&data);
    expect_pixels(bytes_join(file, "\0;", 2), &plain, SIDE, SIDE, 3, right, 0, "full table");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiff_of_every_depth_and_layout),
        cmocka_unit_test(tiff_compressed),
        cmocka_unit_test(tiff_of_palette_ink_and_signed),
        cmocka_unit_test(channels_that_do_not_fit_are_refused),
        cmocka_unit_test(anymaps),
        cmocka_unit_test(gif_bmp_tga_and_psd),
        cmocka_unit_test(gif_with_a_table_that_stays_full),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
