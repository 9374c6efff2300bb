/* Random views of series, a work-item for some channels of a view. Steps are chosen by whole numbers, and values are
 * products and sums that every device rounds alike (no contraction, no division): the same views everywhere. */
#include "common.h"
#pragma OPENCL FP_CONTRACT OFF
#include "augment/field.h"
#include "augment/series_view.h"

/* Steps a view has at most; channels; 1: of what is longer a window is drawn, else the middle. */
#ifndef CONTEXT
#define CONTEXT 64
#define C 3
#define WINDOW 1
/* Probability that a view is changed so; then the low end of its amount, and what to add at most. */
#define P_CROP 0.5f
#define CROP_LOW 0.5f
#define CROP_SPAN 0.5f
#define P_WARP 0.5f
#define WARP_LOW 0.1f
#define WARP_SPAN 0.4f
#define P_PERMUTE 0.5f
#define PERMUTE_LOW 2
#define PERMUTE_SPAN 3
#define P_FLIP 0.5f
#define P_SCALE 0.5f
#define SCALE_LOW 0.1f
#define SCALE_SPAN 0.1f
#define P_JITTER 0.5f
#define JITTER_LOW 0.1f
#define JITTER_SPAN 0.1f
#define P_DROP 0.5f
#define DROP_LOW 0.1f
#define DROP_SPAN 0.1f
#endif

/* Channels of an item. GPUs have no memory of their own for an item's list of factors. */
#if CPU_KERNELS
#define CHANNELS_AT_ONCE 16
#else
#define CHANNELS_AT_ONCE 1
#endif
#define BLOCKS ((C + CHANNELS_AT_ONCE - 1) / CHANNELS_AT_ONCE)

/* The amount of a change, 0 unless it is made. */
#define AMOUNT(whether, amount, name)                                                              \
    (UNIFORM(whether) < P_##name ? name##_LOW + name##_SPAN * UNIFORM(amount) : 0.0f)

/* What is drawn for a view. */
typedef struct series_view {
    uint2 key;
    uint4 counter;
    int begin, count; /* the span of the series */
    int flip;
    int4 speeds; /* of the warp's parts */
    int total;   /* their sum; 0: no warp */
    int segments;
    ulong order; /* the segments, as they follow each other, 4 bits each */
    float scale, jitter, drop;
} series_view;

INLINE uint4 draw(const series_view *v, uint purpose) {
    uint4 counter = v->counter;
    counter.w = purpose;
    return philox(v->key, counter);
}

/* Nearly normal: four uniform numbers, of mean 0 and variance 1. */
INLINE float normal(uint4 bits) {
    const float sum = (UNIFORM(bits.x) + UNIFORM(bits.y)) + (UNIFORM(bits.z) + UNIFORM(bits.w));
    return (sum - 2.0f) * 1.7320508f;
}

/* The same of three. */
INLINE float normal_of_three(uint4 bits) {
    return ((UNIFORM(bits.x) + UNIFORM(bits.y)) + UNIFORM(bits.z) - 1.5f) * 2.0f;
}

INLINE void draw_span(series_view *v, int length) {
    const uint4 bits = draw(v, PURPOSE_SERIES_CROP);
    v->begin = 0;
    v->count = length;
    if (UNIFORM(bits.x) < P_CROP) {
        const float part = CROP_LOW + CROP_SPAN * UNIFORM(bits.y);
        v->count = min(length, max(1, (int)((float)length * part + 0.5f)));
        v->begin = BELOW(bits.z, length - v->count + 1);
    }
    if (v->count > CONTEXT) {
        const int room = v->count - CONTEXT;
        v->begin += WINDOW ? BELOW(bits.w, room + 1) : room / 2;
        v->count = CONTEXT;
    }
}

/* The amount in a part of the warp, 1 being 65536. */
INLINE int speed_of(uint bits, float strength) {
    return (int)((1.0f + strength * (2.0f * UNIFORM(bits) - 1.0f)) * 65536.0f);
}

INLINE void draw_warp(series_view *v, uint4 bits) {
    const float strength = AMOUNT(bits.x, bits.y, WARP);
    v->total = 0;
    v->speeds = (int4)(0);
    if (!(strength > 0.0f) || v->count < 2)
        return;
    const uint4 speeds = draw(v, PURPOSE_SERIES_SPEED);
    v->speeds = (int4)(speed_of(speeds.x, strength), speed_of(speeds.y, strength),
                       speed_of(speeds.z, strength), speed_of(speeds.w, strength));
    v->total = v->speeds.x + v->speeds.y + v->speeds.z + v->speeds.w;
}

INLINE uint segment_at(const series_view *v, int s) {
    return (uint)(v->order >> (4 * s)) & 15u;
}

INLINE void draw_segments(series_view *v, uint4 bits) {
    v->segments = 1;
    v->order = 0xFEDCBA9876543210ul;
    if (UNIFORM(bits.z) < P_PERMUTE)
        v->segments = min(v->count, PERMUTE_LOW + BELOW(bits.w, PERMUTE_SPAN + 1));
    for (int s = v->segments - 1; s > 0; s--) {
        const int other = BELOW(draw(v, PURPOSE_SERIES_SEGMENT + (uint)s).x, s + 1);
        const ulong change = (ulong)(segment_at(v, s) ^ segment_at(v, other));
        if (other != s)
            v->order ^= change << (4 * s) | change << (4 * other);
    }
}

INLINE void draw_values(series_view *v) {
    const uint4 bits = draw(v, PURPOSE_SERIES_VALUES), drop = draw(v, PURPOSE_SERIES_DROP);
    v->scale = AMOUNT(bits.x, bits.y, SCALE);
    v->jitter = AMOUNT(bits.z, bits.w, JITTER);
    v->drop = AMOUNT(drop.x, drop.y, DROP);
    v->flip = UNIFORM(drop.w) < P_FLIP;
}

/* The channel that stays although all would be dropped, or -1. */
INLINE int kept_channel(const series_view *v) {
    if (!(v->drop > 0.0f))
        return -1;
    for (int c = 0; c < C; c++)
        if (!(UNIFORM(draw(v, PURPOSE_SERIES_CHANNEL + (uint)c).w) < v->drop))
            return -1;
    return BELOW(draw(v, PURPOSE_SERIES_DROP).z, C);
}

/* What a channel is multiplied by: 0 if it is dropped. */
INLINE float factor_of(const series_view *v, int c, int kept) {
    if (!(v->scale > 0.0f || v->drop > 0.0f))
        return 1.0f;
    const uint4 bits = draw(v, PURPOSE_SERIES_CHANNEL + (uint)c);
    if (UNIFORM(bits.w) < v->drop && c != kept)
        return 0.0f;
    return 1.0f + v->scale * normal_of_three(bits);
}

/* Where step t, before the segments change places, is in the series; *part of the way to the next, of 65536. */
INLINE int position_of(const series_view *v, int t, uint *part) {
    const int last = v->count - 1, at = v->flip ? last - t : t;
    *part = 0;
    if (!v->total)
        return v->begin + at;
    /* The way within each part, a whole one being `last`. */
    const long way = (long)at * SERIES_WARP_PARTS, whole = last;
    const long covered = v->speeds.x * clamp(way, 0l, whole) +
                         v->speeds.y * clamp(way - whole, 0l, whole) +
                         v->speeds.z * clamp(way - 2 * whole, 0l, whole) +
                         v->speeds.w * clamp(way - 3 * whole, 0l, whole);
    *part = (uint)((covered % v->total) * 65536 / v->total);
    return v->begin + (int)(covered / v->total);
}

/* Step t of the view, channels from `first` on. */
INLINE void write_step(const series_view *v, const global float *series, const global float *norm,
                       int t, int at, uint part, int first, const float *factors,
                       global float *view) {
    const float way = (float)part * (1.0f / 65536.0f);
    const global float *from = series + (size_t)at * C, *next = part ? from + C : from;
    for (int c = first; c < min(first + CHANNELS_AT_ONCE, C); c++) {
        const float a = from[c], value = a + (next[c] - a) * way;
        float x = (value - norm[c]) * norm[C + c] * factors[c - first];
        if (v->jitter > 0.0f && factors[c - first] != 0.0f)
            x += v->jitter * normal(draw(v, PURPOSE_SERIES_EACH + (uint)(t * C + c)));
        view[(size_t)t * C + c] = x;
    }
}

/* Some channels of a whole view. */
INLINE void write_channels(const series_view *v, const global float *series,
                           const global float *norm, int first, int kept, global float *view) {
    float factors[CHANNELS_AT_ONCE];
    for (int c = first; c < min(first + CHANNELS_AT_ONCE, C); c++)
        factors[c - first] = factor_of(v, c, kept);
    int t = 0;
    for (int s = 0; s < v->segments; s++) {
        const long which = segment_at(v, s), n = v->count;
        const int begin = (int)(which * n / v->segments), end = (int)((which + 1) * n / v->segments);
        for (int from = begin; from < end; from++, t++) {
            uint part;
            const int at = position_of(v, from, &part);
            write_step(v, series, norm, t, at, part, first, factors, view);
        }
    }
    for (; t < CONTEXT; t++)
        for (int c = first; c < min(first + CHANNELS_AT_ONCE, C); c++)
            view[(size_t)t * C + c] = 0.0f;
}

/* View v of a sample's series is row first_row + v samples + i, i being the sample's place from first_sample on; its
 * number, which decides the draws, is first_view + v. */
__attribute__((reqd_work_group_size(LS, 1, 1))) kernel void
series_view_make(const global float *restrict values,       // (steps,C): all series
                 const global field_place *restrict places, // of all series
                 const global int *restrict firsts,         // (samples + 1)
                 const global int *restrict indices,        // (samples of the batch)
                 const global uint *restrict step_state,    // [0]: the epoch
                 const global float *restrict norm,         // (2,C): mean, 1 / deviation
                 global float *restrict out,                // (rows,CONTEXT,C): 0 behind a series
                 global int *restrict lengths,              // (rows)
                 const int samples, const int views_per_sample, const int first_sample,
                 const int first_view, const int first_row, const uint seed_low,
                 const uint seed_high) {
    const uint2 key = (uint2)(seed_low, seed_high);
    for (int item = (int)get_global_id(0); item < samples * views_per_sample * BLOCKS;
         item += (int)get_global_size(0)) {
        const int i = item / BLOCKS, block = item % BLOCKS;
        const int sample = indices[first_sample + i % samples];
        const field_place at = places[choose_text(firsts, key, sample, step_state[0])];
        series_view v;
        v.key = key;
        v.counter = (uint4)((uint)sample, step_state[0], (uint)(first_view + i / samples), 0);
        draw_span(&v, at.length);
        const uint4 time = draw(&v, PURPOSE_SERIES_TIME);
        draw_warp(&v, time);
        draw_segments(&v, time);
        draw_values(&v);
        write_channels(&v, values + at.offset * C, norm, block * CHANNELS_AT_ONCE, kept_channel(&v),
                       out + (size_t)(first_row + i) * CONTEXT * C);
        if (block == 0)
            lengths[first_row + i] = v.count;
    }
}
