/* Files that are no whole picture are refused, by a message that says why, and nothing else
 * happens: cut at any place, damaged at any place, too large by their header, of other kinds. */
#include "encode.h"

#include <png.h>
#include <tiffio.h>

enum { H = 6, W = 5, FILES = 12 };

/* A small file of each format. */
typedef struct example {
    const char *name;
    bytes file;
    size_t tail; /* so many bytes at the end may be missing: they hold no pixels */
} example;

#define TEXT(text) bytes_copy(text, sizeof text - 1)

static int make_examples(example *e) {
    static uint8_t samples[H * W * 4];
    uint16_t wide[H * W * 4];
    for (int i = 0; i < H * W * 4; i++)
        wide[i] = samples[i] = (uint8_t)draw(256);
    const png_make png = {H, W, 8, PNG_COLOR_TYPE_RGB_ALPHA, false, NULL, NULL, 0, NULL};
    const png_make woven = {H, W, 16, PNG_COLOR_TYPE_RGB, true, NULL, NULL, 0, NULL};
    const jpeg_make jpeg = {H, W, 3, false, false, true, NULL};
    const jpeg_make waves = {H, W, 3, true, false, true, NULL};
    const tiff_make tiff = {.height = H, .width = W, .samples = 3, .bits = 8, .photometric = 2};
    const tiff_make fax = {.height = H,
                           .width = W,
                           .samples = 1,
                           .bits = 8,
                           .photometric = 1,
                           .compression = COMPRESSION_LZW};
    int n = 0;
    e[n++] = (example){"png", make_png(&png, wide), 0};
    e[n++] = (example){"png", make_png(&woven, wide), 0};
    e[n++] = (example){"jpeg", make_jpeg(&jpeg, samples), 0};
    e[n++] = (example){"jpeg", make_jpeg(&waves, samples), 0};
    e[n++] = (example){"webp", make_webp(H, W, 4, samples), 0};
    e[n++] = (example){"webp", make_webp_canvas(H, W, 0, 0, H, W, samples, NULL), 0};
    e[n++] = (example){"tiff", make_tiff(&tiff, samples), 0};
    e[n++] = (example){"tiff", make_tiff(&fax, samples), 0};
    e[n++] = (example){"pnm", bytes_join(TEXT("P6 5 6 255\n"), samples, H * W * 3), 0};
    e[n++] = (example){"gif",
                       TEXT("GIF89a\3\0\1\0\x80\0\0\x0a\x14\x1e\x28\x32\x3c"
                            ",\0\0\0\0\3\0\1\0\0\2\2\x44\x50\0;"),
                       1};
    e[n++] = (example){"bmp",
                       TEXT("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\2\0\0\0\1\0\x18\0\0"
                            "\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\2\3\0\4\5\6\0"),
                       0};
    e[n++] = (example){"tga", TEXT("\0\0\3\0\0\0\0\0\0\0\0\0\2\0\1\0\x08\x20\x07\x09"), 0};
    assert_int_equal(n, FILES);
    return n;
}

static void free_examples(example *e) {
    for (int i = 0; i < FILES; i++)
        bytes_free(&e[i].file);
}

/* From a block of exactly n bytes, so that AddressSanitizer sees a read behind it. */
static clc_status decode_copy(const uint8_t *data, size_t n, const clc_image_options *options,
                              clc_image *image) {
    uint8_t *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    if (n)
        memcpy(exact, data, n);
    const clc_status status = clc_image_decode(exact, n, options, image);
    free(exact);
    return status;
}

static void cut_files_are_refused(void **state) {
    (void)state;
    example e[FILES];
    clc_image image;
    make_examples(e);
    for (int i = 0; i < FILES; i++) {
        for (size_t n = 0; n + e[i].tail < e[i].file.n; n++) {
            clc_status status = decode_copy(e[i].file.data, n, &plain, &image);
            if (status != CLC_FORMAT || image.pixels)
                fail_msg("%s of %zu bytes cut to %zu: %s", e[i].name, e[i].file.n, n,
                         clc_status_name(status));
            if (n >= 34 && !strstr(clc_error(), e[i].name))
                fail_msg("%s cut to %zu: \"%s\" doesn't name the format", e[i].name, n,
                         clc_error());
        }
        CHECK(decode_copy(e[i].file.data, e[i].file.n, &plain, &image));
        clc_image_free(&image);
    }
    free_examples(e);
}

/* Any outcome will do but a crash, a status of another kind or pixels with an error. */
static void damaged_files_do_no_harm(void **state) {
    (void)state;
    const uint8_t flips[] = {0x01, 0x80, 0xff};
    example e[FILES];
    clc_image image;
    clc_image_options options = plain;
    options.max_pixels = 10000;
    options.side = 4;
    make_examples(e);
    for (int i = 0; i < FILES; i++) {
        for (size_t at = 0; at < e[i].file.n; at++) {
            for (size_t f = 0; f < sizeof flips; f++) {
                e[i].file.data[at] ^= flips[f];
                const clc_status status =
                    decode_copy(e[i].file.data, e[i].file.n, &options, &image);
                e[i].file.data[at] ^= flips[f];
                if (status != CLC_OK && (status != CLC_FORMAT || image.pixels))
                    fail_msg("%s, byte %zu: %s: %s", e[i].name, at, clc_status_name(status),
                             clc_error());
                clc_image_free(&image);
            }
        }
    }
    free_examples(e);
}

static void expect_refused(bytes file, const char *message) {
    clc_image image;
    clc_image_info info;
    CHECK_FAILS(decode_copy(file.data, file.n, &plain, &image), CLC_FORMAT, message);
    assert_null(image.pixels);
    CHECK_FAILS(clc_image_probe(file.data, file.n, &plain, &info), CLC_FORMAT, message);
    bytes_free(&file);
}

/* Replaces bytes at `at` and expects the message. */
static void expect_large(const bytes *file, size_t at, const char *size, size_t n) {
    bytes large = bytes_copy(file->data, file->n);
    memcpy(large.data + at, size, n);
    expect_refused(large, "too large");
}

static void large_pictures_are_refused_by_their_header(void **state) {
    (void)state;
    const uint8_t samples[H * W * 4] = {0};
    const jpeg_make make = {H, W, 3, false, false, true, NULL};
    bytes jpeg = make_jpeg(&make, samples);
    size_t frame = 0;
    while (frame < jpeg.n && memcmp(jpeg.data + frame, "\xff\xc0", 2))
        frame++;
    expect_large(&jpeg, frame + 5, "\x65\x90\x65\x90", 4); /* 26,000 x 26,000 */
    bytes_free(&jpeg);
    bytes webp = make_webp_canvas(H, W, 0, 0, H, W, samples, NULL);
    expect_large(&webp, 24, "\x23\xf4\x00\xc7\x00\x00", 6); /* 62,500 x 200 */
    bytes_free(&webp);
    expect_refused(TEXT("II*\0\x08\0\0\0\3\0"
                        "\0\1\4\0\1\0\0\0\xa0\x86\1\0\1\1\4\0\1\0\0\0\xa0\x86\1\0"
                        "\x11\1\4\0\1\0\0\0\x08\0\0\0\0\0\0\0"),
                   "too large");
    expect_refused(TEXT("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xea\x60\0\0\xea\x60\x08\6\0\0\0"
                        "\x80\xd2\x75\x42\0\0\0\0IDAT"),
                   "too large");
    expect_refused(TEXT("P6 99999999999 99999999999 255\n"), "too large");
    expect_refused(TEXT("GIF89a\xff\xff\xff\xff\x80\0\0\x0a\x14\x1e\x28\x32\x3c,"), "too large");
    expect_refused(TEXT("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x60\xea\0\0\x60\xea\0\0\1\0\x18"
                        "\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
                   "too large");
    expect_refused(TEXT("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x08\0\0\0\0\0\0\x80\1\0\x18"
                        "\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
                   "too large"); /* the height is INT_MIN */
    expect_refused(TEXT("\0\0\2\0\0\0\0\0\0\0\0\0\x60\xea\x60\xea\x20\x28\1\2\3\x80"), "too large");
    expect_refused(TEXT("8BPS\0\1\0\0\0\0\0\0\0\3\0\0\x75\x30\0\0\x75\x30\0\x08\0\3\0\0\0\0"),
                   "too large");
}

static void other_files_are_named(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *message;
    } files[] = {
#define FILE_OF(text, message) {text, sizeof text - 1, message}
        FILE_OF("", "the file is empty"),
        FILE_OF("\xff", "not a picture (it begins with ff)"),
        FILE_OF("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "not a picture"),
        FILE_OF("\0\0\0\x18"
                "ftypheic\0\0\0\0mif1heic",
                "not supported (heic)"),
        FILE_OF("\0\0\0\x18"
                "ftypavif\0\0\0\0mif1avif",
                "not supported (avif)"),
        FILE_OF("\0\0\0\x0cJXL \r\n\x87\n", "not supported (jpeg xl)"),
        FILE_OF("\0\0\0\x0cjP  \r\n\x87\n", "not supported (jpeg 2000)"),
        FILE_OF("<?xml version=\"1.0\"?>\n<svg width=\"9\">", "not supported (svg)"),
        FILE_OF("\xef\xbb\xbf<!DOCTYPE html>\n<html>404", "not a picture (html)"),
        FILE_OF("{\"error\": \"rate limited\"}", "not a picture (text)"),
        FILE_OF("version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        FILE_OF("II*\0\x10\0\0\0CR\2\0", "not supported (raw: Canon CR2)"),
        FILE_OF("%PDF-1.4", "not supported (pdf)"),
        FILE_OF("PK\3\4", "not a picture (zip)"),
        FILE_OF("RIFF\x24\0\0\0WAVEfmt ", "not a picture (audio or video)"),
        FILE_OF("\x1f\x8b\x08\0", "not a picture (gzip)"),
        FILE_OF("\x89PNG\n\x1a\n\0\0\0\x0dIHDR", "png: "),
        FILE_OF("8BPS\0\1\0\0\0\0\0\0\0\4\0\0\0\1\0\0\0\1\0\x08\0\3\0\0\0\0",
                "psd: not supported (more than 3 channels)"),
#undef FILE_OF
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        expect_refused(bytes_copy(files[i].bytes, files[i].n), files[i].message);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(damaged_files_do_no_harm),
        cmocka_unit_test(large_pictures_are_refused_by_their_header),
        cmocka_unit_test(other_files_are_named),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
