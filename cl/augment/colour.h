/* Colour jitter and grey, VW pixels at a time: torchvision's adjust_brightness, adjust_contrast,
 * adjust_saturation and adjust_hue on floats, each clamped to [0, 1]. */
#ifndef AUGMENT_COLOUR_H
#define AUGMENT_COLOUR_H

#include "augment/image.h"

#if VW == 1
#define TO_UINT  convert_uint
#define TO_ULONG convert_ulong
typedef ulong sum_vec;
#else
#define TO_UINT  CAT(convert_uint, VW)
#define TO_ULONG CAT(convert_ulong, VW)
typedef CAT(ulong, VW) sum_vec;
#endif

/* The grey of a pixel is summed in units of 2^-24: integers, whose sum depends on no order. */
#define GREY_UNIT 16777216.0f

typedef struct pixels {
    vec p[C];
} pixels;

vec clip(vec x) {
    x = x < 0.0f ? (vec)(0.0f) : x;
    return x > 1.0f ? (vec)(1.0f) : x;
}

/* factor x + (1 - factor) other */
vec blend(vec x, vec other, float factor) {
    return clip(x * factor + other * (1.0f - factor));
}

vec grey_of(const pixels *x) {
#if C == 3
    return x->p[0] * 0.2989f + x->p[1] * 0.587f + x->p[2] * 0.114f;
#else
    return x->p[0];
#endif
}

#if C == 3
/* Through hue, saturation, value, as torchvision's _rgb_to_hsv and _hsv_to_rgb. */
void turn_hue(pixels *x, float by) {
    const vec r = x->p[0], g = x->p[1], b = x->p[2];
    const vec high = r > g ? (r > b ? r : b) : (g > b ? g : b);
    const vec low = r < g ? (r < b ? r : b) : (g < b ? g : b);
    const vec range = high - low;
    const vec inverse = divide_vec((vec)(1.0f), range > 0.0f ? range : (vec)(1.0f));
    const vec saturation = divide_vec(range, range > 0.0f ? high : (vec)(1.0f));
    /* 0 to 6 around the circle, from the channel that is highest. */
    vec h = high == r   ? (g - b) * inverse
            : high == g ? 2.0f + (b - r) * inverse
                        : 4.0f + (r - g) * inverse;
    h = h * (1.0f / 6.0f) + by;
    h = (h - floor(h)) * 6.0f;
    /* Each channel falls off from two sixths around its own place on the circle. */
    for (int c = 0; c < 3; c++) {
        vec k = h + (5.0f - 2.0f * (float)c);
        k = k >= 6.0f ? k - 6.0f : k;
        x->p[c] = clip(high * (1.0f - saturation * clip(k < 2.0f ? k : 4.0f - k)));
    }
}
#endif

/* Applies parts first .. end - 1 of the jitter; `mean` is that of the grey image before contrast.
 */
void jitter(pixels *x, const augment_view *v, int first, int end, float mean) {
    ROLLED
    for (int k = first; k < end; k++) {
        const int part = (v->order >> (4 * k)) & 15;
#if STAGES & STAGE_BRIGHTNESS
        if (part == PART_BRIGHTNESS)
            for (int c = 0; c < C; c++)
                x->p[c] = clip(x->p[c] * v->brightness);
#endif
#if STAGES & STAGE_CONTRAST
        if (part == PART_CONTRAST)
            for (int c = 0; c < C; c++)
                x->p[c] = blend(x->p[c], (vec)(mean), v->contrast);
#endif
#if STAGES & STAGE_SATURATION
        if (part == PART_SATURATION) {
            const vec grey = grey_of(x);
            for (int c = 0; c < C; c++)
                x->p[c] = blend(x->p[c], grey, v->saturation);
        }
#endif
#if STAGES & STAGE_HUE
        if (part == PART_HUE)
            turn_hue(x, v->hue);
#endif
    }
}

/* Where contrast stands in the order: the parts before it decide its mean. */
int contrast_place(const augment_view *v) {
    int k = 0;
    while (((v->order >> (4 * k)) & 15) != PART_CONTRAST)
        k++;
    return k;
}

void load_pixels(pixels *x, int i, const global float *restrict image) {
    for (int c = 0; c < C; c++)
        x->p[c] = VLOAD(i, image + c * PLANE);
}

void store_pixels(const pixels *x, int i, global float *restrict image) {
    for (int c = 0; c < C; c++)
        VSTORE(x->p[c], i, image + c * PLANE);
}

/* Applies the parts before contrast; returns this item's share of the sum of the grey image. */
ulong jitter_before(int lid, const augment_view *v, int end, global float *restrict image) {
    sum_vec sum = (sum_vec)(0);
    ulong lanes[VW], total = 0;
    ITEMS(i, PLANE / VW) {
        pixels x;
        load_pixels(&x, i, image);
        jitter(&x, v, 0, end, 0.0f);
        store_pixels(&x, i, image);
        const vec grey = grey_of(&x) * GREY_UNIT + 0.5f;
        if ((i + 1) * VW <= S * S) {
            sum += TO_ULONG(TO_UINT(grey));
        } else {
            float last[VW];
            VSTORE(grey, 0, last);
            for (int j = 0; j < S * S - i * VW; j++)
                total += (ulong)(uint)last[j];
        }
    }
    VSTORE(sum, 0, lanes);
    for (int j = 0; j < VW; j++)
        total += lanes[j];
    return total;
}

void jitter_after(int lid, const augment_view *v, int first, float mean,
                  global float *restrict image) {
    ITEMS(i, PLANE / VW) {
        pixels x;
        load_pixels(&x, i, image);
        if (v->jitter)
            jitter(&x, v, first, 4, mean);
#if STAGES & STAGE_GREY
        if (v->grey)
            x.p[0] = x.p[1] = x.p[2] = grey_of(&x);
#endif
        store_pixels(&x, i, image);
    }
}

#endif
