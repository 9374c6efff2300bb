/* Corruptions against a reference in double, each kind on images of several sides and channels. */
#include "augment/corrupt.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 3, MOST_CHANNELS = 3 };
static const uint64_t seed = 0x123456789abcULL;
static const int32_t identities[IMAGES] = {7, 0, 40000};
static const double means[MOST_CHANNELS] = {0.4, 0.5, 0.3},
                    deviations[MOST_CHANNELS] = {0.2, 0.25, 0.3};

/* An image (side,side,channels) in [0, 1] as doubles. */
typedef struct picture {
    const double *x;
    int side, channels;
    int32_t identity;
} picture;

static double at(const picture *p, int row, int column, int channel) {
    return p->x[(row * p->side + column) * p->channels + channel];
}

static double black_at(const picture *p, int row, int column, int channel) {
    const bool inside = row >= 0 && column >= 0 && row < p->side && column < p->side;
    return inside ? at(p, row, column, channel) : 0;
}

static void draw(const picture *p, int place, int channel, int kind, uint32_t bits[4]) {
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t counter[4] = {(uint32_t)p->identity, (uint32_t)place, (uint32_t)channel,
                                 (uint32_t)(PURPOSE_CORRUPTION + kind)};
    memcpy(bits, counter, sizeof counter);
    clc_philox(key, bits);
}

static double noisy(const picture *p, int row, int column, int channel, double amount) {
    uint32_t bits[4];
    draw(p, row * p->side + column, channel, CORRUPTION_NOISE, bits);
    const double u = (double)clc_uniform(bits[0]) + 1.0 / 33554432;
    return at(p, row, column, channel) +
           amount * sqrt(-2 * log(u)) * cos(2 * acos(-1) * (double)clc_uniform(bits[1]));
}

static double blurred(const picture *p, int row, int column, int channel, double sigma) {
    const int radius = sigma * 3 > 1 ? (int)ceil(sigma * 3) : 1;
    double sum = 0, weights = 0;
    for (int dy = -radius; dy <= radius; dy++)
        for (int dx = -radius; dx <= radius; dx++) {
            const double w = exp(-0.5 * (dx * dx + dy * dy) / (sigma * sigma));
            const int y = (int)fmin(fmax(row + dy, 0), p->side - 1);
            const int x = (int)fmin(fmax(column + dx, 0), p->side - 1);
            sum += w * at(p, y, x, channel);
            weights += w;
        }
    return sum / weights;
}

static double contrasted(const picture *p, int row, int column, int channel, double amount) {
    double mean = 0;
    for (int i = 0; i < p->side * p->side; i++)
        mean += p->x[i * p->channels + channel] / (p->side * p->side);
    return mean + amount * (at(p, row, column, channel) - mean);
}

static double occluded(const picture *p, int row, int column, int channel, double amount) {
    uint32_t bits[4];
    const int size = (int)(p->side * sqrt(amount) + 0.5);
    draw(p, 0, 0, CORRUPTION_OCCLUSION, bits);
    const int top = (int)((uint64_t)bits[0] * (uint64_t)(p->side - size + 1) >> 32);
    const int left = (int)((uint64_t)bits[1] * (uint64_t)(p->side - size + 1) >> 32);
    const bool inside = row >= top && row < top + size && column >= left && column < left + size;
    return inside ? 0.5 : at(p, row, column, channel);
}

static double rotated(const picture *p, int row, int column, int channel, double degrees) {
    uint32_t bits[4];
    draw(p, 0, 0, CORRUPTION_ROTATION, bits);
    const double angle = (bits[0] & 1 ? 1 : -1) * degrees * acos(-1) / 180;
    const double middle = (p->side - 1) / 2.0, y = row - middle, x = column - middle;
    const double from_x = cos(angle) * x - sin(angle) * y + middle;
    const double from_y = sin(angle) * x + cos(angle) * y + middle;
    const int left = (int)floor(from_x), top = (int)floor(from_y);
    double sum = 0;
    for (int dy = 0; dy < 2; dy++)
        for (int dx = 0; dx < 2; dx++)
            sum += (1 - fabs(from_x - left - dx)) * (1 - fabs(from_y - top - dy)) *
                   black_at(p, top + dy, left + dx, channel);
    return sum;
}

/* The 8 x 8 coefficients of a block, or with `back` values of them, by the definition. */
static void transform(const double *from, bool back, double *to) {
    const double pi = acos(-1);
    for (int k = 0; k < 64; k++) {
        to[k] = 0;
        for (int i = 0; i < 64; i++) {
            const int u = back ? i / 8 : k / 8, v = back ? i % 8 : k % 8;
            const int y = back ? k / 8 : i / 8, x = back ? k % 8 : i % 8;
            to[k] += from[i] * (u ? 0.5 : sqrt(0.125)) * (v ? 0.5 : sqrt(0.125)) *
                     cos((2 * y + 1) * u * pi / 16) * cos((2 * x + 1) * v * pi / 16);
        }
    }
}

static const int table[64] = {16,  11,  10,  16,  24, 40, 51,  61,  12,  12,  14,  19,  26,
                              58,  60,  55,  14,  13, 16, 24,  40,  57,  69,  56,  14,  17,
                              22,  29,  51,  87,  80, 62, 18,  22,  37,  56,  68,  109, 103,
                              77,  24,  35,  55,  64, 81, 104, 113, 92,  49,  64,  78,  87,
                              103, 121, 120, 101, 72, 92, 95,  98,  112, 100, 103, 99};

/* NaN where a coefficient is so near to the middle of two steps that float's rounding decides. */
static double quantised(const picture *p, int row, int column, int channel, double quality) {
    const int top = row / 8 * 8, left = column / 8 * 8, last = p->side - 1;
    double block[64], coefficients[64];
    for (int k = 0; k < 64; k++)
        block[k] = 255 * at(p, top + k / 8 < last ? top + k / 8 : last,
                            left + k % 8 < last ? left + k % 8 : last, channel) -
                   128;
    transform(block, false, coefficients);
    for (int k = 0; k < 64; k++) {
        const int percent = (int)(5000 / quality);
        int step = (table[k] * percent + 50) / 100;
        step = step < 1 ? 1 : step > 255 ? 255 : step;
        const double place = coefficients[k] / step;
        if (fabs(place - floor(place) - 0.5) < 1e-4)
            return NAN;
        coefficients[k] = rint(place) * step;
    }
    transform(coefficients, true, block);
    return (block[(row - top) * 8 + column - left] + 128) / 255;
}

static double brightened(const picture *p, int row, int column, int channel, double amount) {
    return at(p, row, column, channel) + amount;
}

static double (*const references[CORRUPTIONS])(const picture *, int, int, int, double) = {
    noisy, blurred, brightened, contrasted, occluded, rotated, quantised};

/* Values in [0, 1], normalised. */
static float *images_of(int side, int channels, double *clean) {
    const size_t count = (size_t)(IMAGES * side * side * channels);
    float *x = test_random(count, 11);
    for (size_t i = 0; i < count; i++) {
        const size_t c = i % (size_t)channels;
        x[i] = (float)((((double)x[i] + 1) / 2 - means[c]) / deviations[c]);
        clean[i] = (double)x[i] * deviations[c] + means[c];
    }
    return x;
}

static void compare(const float *got, const double *clean, int side, int channels, int kind,
                    double amount) {
    const int plane = side * side * channels;
    int left_out = 0;
    for (int i = 0; i < IMAGES * plane; i++) {
        const picture p = {clean + i / plane * plane, side, channels, identities[i / plane]};
        const int place = i % plane / channels, channel = i % channels;
        const double v = references[kind](&p, place / side, place % side, channel, amount);
        const double want = (fmin(fmax(v, 0), 1) - means[channel]) / deviations[channel];
        if (isnan(v))
            left_out++;
        else if (!(fabs((double)got[i] - want) <= 2e-4))
            fail_msg("%s %g, side %d, image %d, place %d, channel %d: %g, expected %g",
                     clc_corruption_names[kind], amount, side, i / plane, place, channel,
                     (double)got[i], want);
    }
    assert_true(left_out * 4 <= IMAGES * plane);
}

static void check_side(int side, int channels) {
    const size_t count = (size_t)(IMAGES * side * side * channels);
    double *clean = calloc(count, sizeof *clean);
    assert_non_null(clean);
    float *x = images_of(side, channels, clean), numbers[IMAGES];
    memcpy(numbers, identities, sizeof identities);
    test_buffer values = test_buffer_make("values", x, count);
    test_buffer who = test_buffer_make("identities", numbers, IMAGES);
    clc_corruption c = {.device = test_device(),
                        .images = IMAGES,
                        .side = side,
                        .channels = channels,
                        .seed = seed,
                        .values = values.mem,
                        .identities = who.mem};
    CHECK(clc_corruption_make(&c, means, deviations));
    for (int kind = 0; kind < CORRUPTIONS; kind++)
        for (int strength = 1; strength <= CLC_CORRUPTION_STRENGTHS; strength += 2) {
            const double amount = clc_corruption_amount(kind, strength, side);
            CHECK(clc_buffer_write(test_device(), values.mem, 0, count * sizeof *x, x));
            CHECK(clc_corruption_run(&c, kind, amount));
            float *got = test_buffer_read(&values);
            compare(got, clean, side, channels, kind, amount);
            free(got);
        }
    clc_corruption_release(&c);
    test_buffer_release(&values);
    test_buffer_release(&who);
    free(x);
    free(clean);
}

static void kinds_agree_with_the_reference(void **state) {
    (void)state;
    check_side(1, 1);
    check_side(8, 3);
    check_side(11, 2);
    check_side(16, 1);
}

/* Each strength changes images more than the one before. */
static void strengths_rise(void **state) {
    (void)state;
    for (int kind = 0; kind < CORRUPTIONS; kind++)
        for (int strength = 2; strength <= CLC_CORRUPTION_STRENGTHS; strength++) {
            const double before = clc_corruption_amount(kind, strength - 1, 28);
            const double now = clc_corruption_amount(kind, strength, 28);
            const bool falls = kind == CORRUPTION_CONTRAST || kind == CORRUPTION_JPEG;
            assert_true(falls ? now < before : now > before);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_agree_with_the_reference),
        cmocka_unit_test(strengths_rise),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
