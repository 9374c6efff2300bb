/* The views of a seed are the same on every device, to the last bit: known hashes of some. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a. A zero's sign is left out: OpenCL compilers don't all keep it. */
static uint64_t hash_of(const float *values, size_t count) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < count; i++) {
        const float value = values[i] + 0.0f;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        for (int byte = 0; byte < 4; byte++)
            hash = (hash ^ (bits >> (8 * byte) & 255)) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static void expect_hash(const clc_augment *a, uint64_t want) {
    enum { COUNT = 5, VIEWS = 2 };
    const int samples[COUNT] = {4, 0, 3, 1, 2};
    uint8_t *pixels = random_images(a, COUNT);
    float *views = device_views(test_device(), a, pixels, COUNT, samples, COUNT, VIEWS, 3, NULL);
    const uint64_t got = hash_of(views, COUNT * VIEWS * clc_augment_floats(a));
    free(views);
    free(pixels);
    if (got != want)
        fail_msg("%dx%dx%d to %d: hash %016llx, not %016llx", a->height, a->width, a->channels,
                 a->settings.size, (unsigned long long)got, (unsigned long long)want);
}

void views_have_the_same_bits_everywhere(void **state) {
    (void)state;
    const clc_augment colour = everything(17, 13, 3, 12), grey = everything(10, 12, 1, 16);
    expect_hash(&grey, UINT64_C(0x8cf21b217c3ae1b5));
    expect_hash(&colour, UINT64_C(0x8da35a4295636bca));
}
