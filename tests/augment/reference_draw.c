#include "reference.h"

#include "core/rng.h"

#include <math.h>
#include <string.h>

/* Every operation here rounds to float, and none may be contracted (the build says so). */

typedef struct draws {
    uint32_t x, y, z, w;
} draws;

typedef struct stream {
    uint64_t seed;
    uint32_t sample, epoch, view;
} stream;

static draws draw(const stream *s, uint32_t purpose) {
    const uint32_t key[2] = {(uint32_t)s->seed, (uint32_t)(s->seed >> 32)};
    uint32_t counter[4] = {s->sample, s->epoch, s->view, purpose};
    clc_philox(key, counter);
    return (draws){counter[0], counter[1], counter[2], counter[3]};
}

/* Uniform in low to high. */
static float between(uint32_t bits, float low, float high) {
    const float span = high - low;
    const float part = clc_uniform(bits) * span;
    return low + part;
}

static float around(uint32_t bits, float most) {
    const float twice = 2.0f * clc_uniform(bits);
    return most * (twice - 1.0f);
}

static int below(uint32_t bits, int n) {
    return (int)(((uint64_t)bits * (uint64_t)n) >> 32);
}

static float exponential(float x) {
    const float factorial[] = {1, 1, 2, 6, 24, 120, 720, 5040};
    const float n = floorf(x * 1.44269504f + 0.5f);
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float sum = 1.0f / factorial[7];
    for (int k = 6; k >= 0; k--)
        sum = sum * r + 1.0f / factorial[k];
    return ldexpf(sum, (int)n);
}

/* The integer n with (n - 1/2)^2 <= t < (n + 1/2)^2, squares rounded to float. */
static int rounded_root(float t) {
    int n = 0;
    while (((float)n + 0.5f) * ((float)n + 0.5f) <= t)
        n++;
    return n;
}

static void turn(float degrees, float *cosine, float *sine) {
    const float quarter = floorf(degrees * (1.0f / 90.0f) + 0.5f);
    const float x = (degrees - 90.0f * quarter) * 0.0174532925f, q = x * x;
    float s = 1.0f / 362880.0f, c = 1.0f / 40320.0f;
    s = -1.0f / 5040.0f + q * s;
    s = 1.0f / 120.0f + q * s;
    s = -1.0f / 6.0f + q * s;
    s = x * (1.0f + q * s);
    c = -1.0f / 720.0f + q * c;
    c = 1.0f / 24.0f + q * c;
    c = -0.5f + q * c;
    c = 1.0f + q * c;
    const float cosines[] = {c, -s, -c, s}, sines[] = {s, c, -s, -c};
    *cosine = cosines[(int)quarter & 3];
    *sine = sines[(int)quarter & 3];
}

/* Permutation `number` of four, in lexical order. */
static int part_order(int number) {
    int count = 0;
    for (int code = 0; code < 256; code++) {
        const int p[4] = {code >> 6, (code >> 4) & 3, (code >> 2) & 3, code & 3};
        if ((1 << p[0] | 1 << p[1] | 1 << p[2] | 1 << p[3]) == 15 && count++ == number)
            return p[0] | p[1] << 4 | p[2] << 8 | p[3] << 12;
    }
    return -1;
}

static void fallback(const clc_augment *a, augment_view *v) {
    const float shape = (float)a->width / (float)a->height;
    v->height = a->height;
    v->width = a->width;
    if (shape < (float)a->settings.crop_ratio.values[0])
        v->height = (int)((float)a->width / (float)a->settings.crop_ratio.values[0] + 0.5f);
    if (shape > (float)a->settings.crop_ratio.values[1])
        v->width = (int)((float)a->height * (float)a->settings.crop_ratio.values[1] + 0.5f);
    v->height = v->height < 1 ? 1 : v->height;
    v->width = v->width < 1 ? 1 : v->width;
    v->top = (a->height - v->height) / 2;
    v->left = (a->width - v->width) / 2;
}

static void random_resized(const clc_augment *a, const stream *s, augment_view *v) {
    const float low = logf((float)a->settings.crop_ratio.values[0]),
                high = logf((float)a->settings.crop_ratio.values[1]);
    for (uint32_t t = 0; t < CROP_TRIES; t++) {
        const draws d = draw(s, PURPOSE_CROP + t);
        const float part = between(d.x, (float)a->settings.crop_scale.values[0],
                                   (float)a->settings.crop_scale.values[1]);
        const float area = (float)(a->height * a->width) * part;
        const float shape = between(d.y, low, high);
        v->width = rounded_root(area * exponential(shape));
        v->height = rounded_root(area * exponential(-shape));
        if (v->width > 0 && v->width <= a->width && v->height > 0 && v->height <= a->height) {
            v->top = below(d.z, a->height - v->height + 1);
            v->left = below(d.w, a->width - v->width + 1);
            return;
        }
    }
    fallback(a, v);
}

static void draw_crop(const clc_augment *a, const stream *s, bool crop, augment_view *v) {
    const draws d = draw(s, PURPOSE_CROP);
    v->top = v->left = 0;
    v->height = a->height;
    v->width = a->width;
    if (a->settings.crop == CLC_CONFIG_CROP_CENTER ||
        (crop && a->settings.crop == CLC_CONFIG_CROP_RANDOM)) {
        v->height = v->width = a->settings.size;
        v->top = (a->height - a->settings.size) / 2;
        v->left = (a->width - a->settings.size) / 2;
    }
    const int down = a->height + 2 * a->settings.crop_padding - a->settings.size + 1;
    const int right = a->width + 2 * a->settings.crop_padding - a->settings.size + 1;
    if (crop && a->settings.crop == CLC_CONFIG_CROP_RANDOM && down > 0)
        v->top = below(d.z, down) - a->settings.crop_padding;
    if (crop && a->settings.crop == CLC_CONFIG_CROP_RANDOM && right > 0)
        v->left = below(d.w, right) - a->settings.crop_padding;
    if (a->settings.crop == CLC_CONFIG_CROP_SQUARE) {
        v->height = v->width = a->height < a->width ? a->height : a->width;
        v->top = (a->height - v->height) / 2;
        v->left = (a->width - v->width) / 2;
    }
    if (crop && a->settings.crop == CLC_CONFIG_CROP_RANDOM_RESIZED)
        random_resized(a, s, v);
}

static float factor(uint32_t bits, float strength) {
    return between(bits, strength < 1 ? 1 - strength : 0, 1 + strength);
}

augment_view reference_draw(const clc_augment *a, int sample, uint32_t epoch, uint32_t view) {
    const stream s = {a->seed, (uint32_t)sample, epoch, view};
    const draws shape = draw(&s, PURPOSE_SHAPE), colour = draw(&s, PURPOSE_COLOUR);
    const draws amount = draw(&s, PURPOSE_AMOUNT), jitter = draw(&s, PURPOSE_JITTER);
    const bool rgb = a->channels == 3;
    const bool jitters = (float)a->settings.brightness > 0 || (float)a->settings.contrast > 0 ||
                         (rgb && ((float)a->settings.saturation > 0 || (float)a->settings.hue > 0));
    augment_view v;
    memset(&v, 0, sizeof v);
    v.sample = sample;
    draw_crop(a, &s, clc_uniform(shape.x) < (float)a->settings.crop_probability, &v);
    v.horizontal_flip = clc_uniform(shape.y) < (float)a->settings.horizontal_flip;
    v.vertical_flip = clc_uniform(shape.z) < (float)a->settings.vertical_flip;
    v.rotate = (float)a->settings.rotation > 0 &&
               clc_uniform(shape.w) < (float)a->settings.rotation_probability;
    v.jitter = jitters && clc_uniform(colour.x) < (float)a->settings.jitter;
    v.grey = rgb && clc_uniform(colour.y) < (float)a->settings.grey;
    v.blur = clc_uniform(colour.z) < (float)a->settings.blur;
    v.solarise = clc_uniform(colour.w) < (float)a->settings.solarise;
    turn(around(amount.x, (float)a->settings.rotation), &v.cosine, &v.sine);
    v.order = part_order(below(amount.y, 24));
    v.sigma = between(amount.z, (float)a->settings.blur_sigma.values[0],
                      (float)a->settings.blur_sigma.values[1]);
    v.brightness = factor(jitter.x, (float)a->settings.brightness);
    v.contrast = factor(jitter.y, (float)a->settings.contrast);
    v.saturation = factor(jitter.z, (float)a->settings.saturation);
    v.hue = around(jitter.w, (float)a->settings.hue);
    return v;
}
