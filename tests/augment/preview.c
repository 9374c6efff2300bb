#include "support.h"

#include "augment/preview.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void expect_refused(const clc_augment *a, const char *about) {
    assert_int_equal(clc_augment_check(a), CLC_INVALID);
    if (!strstr(clc_error(), about))
        fail_msg("the message does not name %s: %s", about, clc_error());
}

void impossible_settings_are_refused(void **state) {
    (void)state;
    const clc_augment good = everything(28, 28, 3, 28);
    clc_augment a = good;
    CHECK(clc_augment_check(&a));
    a.channels = 17;
    expect_refused(&a, "17 channels");
    a = good;
    a.channels = 2;
    expect_refused(&a, "2 channels have no colour");
    a.settings.jitter = a.settings.grey = a.settings.solarise = 0;
    a.settings.std.values[3] = 1;
    CHECK(clc_augment_check(&a));
    a = good;
    a.settings.grey = 1.5f;
    expect_refused(&a, "grey is 1.5");
    a = good;
    a.settings.jitter = NAN;
    expect_refused(&a, "jitter");
    a = good;
    a.settings.crop_scale.values[0] = 0;
    expect_refused(&a, "crop_scale");
    a = good;
    a.settings.crop = CLC_CONFIG_CROP_RANDOM;
    a.settings.crop_padding = 1;
    a.settings.size = 31;
    expect_refused(&a, "crop_padding");
    a = good;
    a.settings.blur_kernel = 4;
    expect_refused(&a, "odd");
    a = good;
    a.settings.hue = 0.6f;
    expect_refused(&a, "hue");
    a = good;
    a.settings.std.values[2] = 0;
    expect_refused(&a, "channel 2");
    a = good;
    a.height = 1000;
    a.settings.size = 20;
    expect_refused(&a, "size 20");
}

static uint32_t big_endian(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void preview_writes_a_png(void **state) {
    (void)state;
    const clc_augment a = everything(17, 13, 3, 12);
    uint8_t *pixels = random_images(&a, 3), head[24];
    clc_image images[3];
    for (int i = 0; i < 3; i++)
        images[i] = (clc_image){17, 13, 3, pixels + i * 17 * 13 * 3};
    char path[] = "/tmp/preview-XXXXXX";
    const int handle = mkstemp(path);
    assert_true(handle >= 0);
    close(handle);
    CHECK(clc_augment_preview(test_device(), &a, images, 3, 4, path));
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
    fclose(file);
    unlink(path);
    free(pixels);
    assert_memory_equal(head, "\x89PNG\r\n\x1a\n", 8);
    /* Cells of 72 x 72: whole multiples of 12, 13 and 17, of at least 64. */
    const uint32_t gap = 4;
    assert_int_equal(big_endian(head + 16), gap + 5 * (72 + gap));
    assert_int_equal(big_endian(head + 20), gap + 3 * (72 + gap));
}

void preview_to_nowhere_fails(void **state) {
    (void)state;
    const clc_augment a = plain(8, 8, 1, 8);
    uint8_t *pixels = random_images(&a, 1);
    const clc_image image = {8, 8, 1, pixels};
    assert_int_equal(clc_augment_preview(test_device(), &a, &image, 1, 1, "/nonexistent/x.png"),
                     CLC_IO);
    assert_non_null(strstr(clc_error(), "/nonexistent"));
    free(pixels);
}
