/* Draws an augment_view. Only operations that every device rounds alike (+, -, *, floor, integers)
 * decide what is drawn, so that the views of a seed are the same everywhere: hence an exponential,
 * a root and a sine of our own. */
#ifndef AUGMENT_DRAW_H
#define AUGMENT_DRAW_H

#include "common.h"
#include "augment/view.h"

/* Channels; side of the views. */
#ifndef S
#define C 3
#define S 28
#endif
/* Each range is its low end and what to add at most. */
#ifndef CROP
#define CROP            CROP_RANDOM_RESIZED
#define PADDING         4
#define RATIO_LOW       0.75f
#define RATIO_HIGH      1.3333334f
#define SCALE_LOW       0.08f
#define SCALE_SPAN      0.92f
#define LOG_RATIO_LOW   -0.2876821f
#define LOG_RATIO_SPAN  0.5753641f
#define P_CROP          1.0f
#define P_HORIZONTAL    0.5f
#define P_VERTICAL      0.5f
#define P_ROTATION      0.5f
#define P_JITTER        0.8f
#define P_GREY          0.2f
#define P_BLUR          0.5f
#define P_SOLARISE      0.2f
#define ANGLE           30.0f
#define BRIGHTNESS_LOW  0.6f
#define BRIGHTNESS_SPAN 0.8f
#define CONTRAST_LOW    0.6f
#define CONTRAST_SPAN   0.8f
#define SATURATION_LOW  0.6f
#define SATURATION_SPAN 0.8f
#define HUE             0.1f
#define SIGMA_LOW       0.1f
#define SIGMA_SPAN      1.9f
#endif

/* e^x = 2^n e^r with |r| <= ln(2)/2, its Taylor series to r^7 / 7! (error below 1e-8 of the value).
 */
float exponential(float x) {
    x = x < -87.0f ? -87.0f : x > 87.0f ? 87.0f : x;
    const float n = floor(x * 1.44269504f + 0.5f);
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float e = 1.0f / 5040.0f;
    e = e * r + 1.0f / 720.0f;
    e = e * r + 1.0f / 120.0f;
    e = e * r + 1.0f / 24.0f;
    e = e * r + 1.0f / 6.0f;
    e = e * r + 0.5f;
    e = e * r + 1.0f;
    e = e * r + 1.0f;
    return e * as_float(((int)n + 127) << 23);
}

/* The root of `t` to the nearest integer: any root will do as a start, products decide. */
int rounded_root(float t) {
    int n = (int)(sqrt(t) + 0.5f);
    while (n > 0 && ((float)n - 0.5f) * ((float)n - 0.5f) > t)
        n--;
    while (((float)n + 0.5f) * ((float)n + 0.5f) <= t)
        n++;
    return n;
}

/* Cosine and sine of an angle in degrees: Taylor series on [-45, 45] degrees (error below 1e-7),
 * exact at multiples of 90. */
float2 turn(float degrees) {
    const float quarter = floor(degrees * (1.0f / 90.0f) + 0.5f);
    const float x = (degrees - 90.0f * quarter) * 0.0174532925f, q = x * x;
    const float sine =
        x * (1.0f + q * (-1.0f / 6.0f +
                         q * (1.0f / 120.0f + q * (-1.0f / 5040.0f + q * (1.0f / 362880.0f)))));
    const float cosine =
        1.0f + q * (-0.5f + q * (1.0f / 24.0f + q * (-1.0f / 720.0f + q * (1.0f / 40320.0f))));
    switch ((int)quarter & 3) {
    case 0:
        return (float2)(cosine, sine);
    case 1:
        return (float2)(-sine, cosine);
    case 2:
        return (float2)(-cosine, -sine);
    default:
        return (float2)(sine, -cosine);
    }
}

/* Permutation 0 .. 23 of the jitter's four parts, as nibbles. */
int part_order(int number) {
    int pool = 0x3210, order = 0;
    for (int k = 0, ways = 6; k < 4; k++) {
        const int at = 4 * (number / ways), left = 3 - k;
        order |= ((pool >> at) & 15) << (4 * k);
        pool = (pool & ((1 << at) - 1)) | ((pool >> (at + 4)) << at);
        number %= ways;
        ways /= left > 1 ? left : 1;
    }
    return order;
}

/* a / b, correctly rounded: OpenCL's own division may be off by 2.5 units, on each device in its
 * way. 1 / b by a step of Newton's, then two corrections of the quotient by its exact remainder
 * (Markstein 1990). */
#define CORRECT_DIVISION(name, type)                                                               \
    type name(const type a, const type b) {                                                        \
        type y = 1.0f / b, q;                                                                      \
        y = fma(fma(-y, b, (type)(1.0f)), y, y);                                                   \
        q = a * y;                                                                                 \
        q = fma(fma(-q, b, a), y, q);                                                              \
        return fma(fma(-q, b, a), y, q);                                                           \
    }
CORRECT_DIVISION(divide, float)
CORRECT_DIVISION(divide_vec, vec)

/* A box of this size in the middle of the image. */
INLINE void middle_box(const augment_place *at, int height, int width, augment_view *v) {
    v->height = height;
    v->width = width;
    v->top = (at->height - height) / 2;
    v->left = (at->width - width) / 2;
}

#if CROP == CROP_RANDOM_RESIZED
/* The largest box in the middle whose shape is allowed. */
INLINE void fallback_box(const augment_place *at, augment_view *v) {
    const float shape = divide((float)at->width, (float)at->height);
    int height = at->height, width = at->width;
    if (shape < RATIO_LOW)
        height = max((int)(divide((float)width, RATIO_LOW) + 0.5f), 1);
    else if (shape > RATIO_HIGH)
        width = max((int)((float)height * RATIO_HIGH + 0.5f), 1);
    middle_box(at, height, width, v);
}

/* torchvision's RandomResizedCrop: the first of ten boxes of random area and shape that fits, else
 * the largest centred box of an allowed shape. */
INLINE void draw_box_resized(const uint2 key, uint4 counter, const augment_place *at,
                             augment_view *v) {
    const int h = at->height, w = at->width;
    fallback_box(at, v);
    for (int t = 0; t < CROP_TRIES; t++) {
        counter.w = PURPOSE_CROP + t;
        const uint4 bits = philox(key, counter);
        const float area = (float)(h * w) * (SCALE_LOW + UNIFORM(bits.x) * SCALE_SPAN);
        const float shape = LOG_RATIO_LOW + UNIFORM(bits.y) * LOG_RATIO_SPAN;
        const int width = rounded_root(area * exponential(shape));
        const int height = rounded_root(area * exponential(-shape));
        if (width > 0 && width <= w && height > 0 && height <= h) {
            v->height = height;
            v->width = width;
            v->top = BELOW(bits.z, h - height + 1);
            v->left = BELOW(bits.w, w - width + 1);
            break;
        }
    }
}
#endif

#if CROP == CROP_RANDOM
/* Where a box of S pixels begins along a side of `length` pixels; in the middle of a side that is
 * shorter even with its border. */
int random_start(uint bits, int length) {
    const int ways = length + 2 * PADDING - S + 1;
    return ways > 0 ? BELOW(bits, ways) - PADDING : (length - S) / 2;
}
#endif

INLINE void draw_box(const uint2 key, uint4 counter, const int crop, const augment_place *at,
                     augment_view *v) {
    v->top = v->left = 0;
    v->height = at->height;
    v->width = at->width;
    if (!crop)
        return;
#if CROP == CROP_RANDOM_RESIZED
    draw_box_resized(key, counter, at, v);
#elif CROP == CROP_SQUARE
    middle_box(at, min(at->height, at->width), min(at->height, at->width), v);
#elif CROP == CROP_CENTER
    middle_box(at, S, S, v);
#elif CROP == CROP_RANDOM
    counter.w = PURPOSE_CROP;
    const uint4 bits = philox(key, counter);
    v->height = v->width = S;
    v->top = random_start(bits.z, at->height);
    v->left = random_start(bits.w, at->width);
#endif
}

/* Returned by an inlined function, a struct would leave scopes of aliasing behind, which Oclgrind
 * doesn't know. */
INLINE void draw_view(const uint2 key, uint4 counter, const augment_place *at, const int image,
                      augment_view *v) {
    counter.w = PURPOSE_SHAPE;
    const uint4 shape = philox(key, counter);
    counter.w = PURPOSE_COLOUR;
    const uint4 colour = philox(key, counter);
    counter.w = PURPOSE_AMOUNT;
    const uint4 amount = philox(key, counter);
    counter.w = PURPOSE_JITTER;
    const uint4 jitter = philox(key, counter);
    v->sample = (int)counter.x;
    v->image = image;
    draw_box(key, counter, UNIFORM(shape.x) < P_CROP, at, v);
    v->horizontal_flip = UNIFORM(shape.y) < P_HORIZONTAL;
    v->vertical_flip = UNIFORM(shape.z) < P_VERTICAL;
    v->rotate = UNIFORM(shape.w) < P_ROTATION;
    v->jitter = UNIFORM(colour.x) < P_JITTER;
    v->grey = UNIFORM(colour.y) < P_GREY;
    v->blur = UNIFORM(colour.z) < P_BLUR;
    v->solarise = UNIFORM(colour.w) < P_SOLARISE;
    const float2 angle = turn(ANGLE * (2.0f * UNIFORM(amount.x) - 1.0f));
    v->cosine = angle.x;
    v->sine = angle.y;
    v->order = part_order(BELOW(amount.y, 24));
    v->sigma = SIGMA_LOW + UNIFORM(amount.z) * SIGMA_SPAN;
    v->brightness = BRIGHTNESS_LOW + UNIFORM(jitter.x) * BRIGHTNESS_SPAN;
    v->contrast = CONTRAST_LOW + UNIFORM(jitter.y) * CONTRAST_SPAN;
    v->saturation = SATURATION_LOW + UNIFORM(jitter.z) * SATURATION_SPAN;
    v->hue = HUE * (2.0f * UNIFORM(jitter.w) - 1.0f);
}

#endif
