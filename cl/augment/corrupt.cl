/* Corruptions of images that are there as floats, as an encoder gets them: brought to [0, 1], corrupted, cut off at 0
 * and 1 and normalised again. What is drawn depends on the seed and the image's identity only. */
#define VW 1 /* values are taken one by one */
#include "group.h"
#pragma OPENCL FP_CONTRACT OFF
#include "augment/corruption.h"

#define ITEMS_OF(i, n) (int i = (int)get_global_id(0); i < (n); i += (int)get_global_size(0))

/* y = x deviation + mean. */
GROUP_KERNEL void corrupt_open(const global float *restrict x,    // (N,S,S,C)
                               const global float *restrict norm, // (2,C): mean, deviation
                               global float *restrict y,          // (N,S,S,C)
                               const int count, const int channels) {
    for ITEMS_OF(i, count)
        y[i] = x[i] * norm[channels + i % channels] + norm[i % channels];
}

/* The reverse, of what was cut off at 0 and 1. */
GROUP_KERNEL void corrupt_close(const global float *restrict x,    // (N,S,S,C)
                                const global float *restrict norm, // (2,C)
                                global float *restrict y,          // (N,S,S,C)
                                const int count, const int channels) {
    for ITEMS_OF(i, count)
        y[i] = (fmin(fmax(x[i], 0.0f), 1.0f) - norm[i % channels]) / norm[channels + i % channels];
}

/* Means of the channels of each image. One item a channel. */
GROUP_KERNEL void corrupt_mean(const global float *restrict x, // (N,S,S,C)
                               global float *restrict means,   // (N,C)
                               const int images, const int side, const int channels) {
    for ITEMS_OF(i, images * channels) {
        const global float *from = x + (size_t)(i / channels) * (side * side * channels) + i % channels;
        float sum = 0.0f;
        for (int row = 0; row < side; row++) {
            float part = 0.0f;
            for (int column = 0; column < side; column++)
                part += from[(row * side + column) * channels];
            sum += part;
        }
        means[i] = sum / (float)(side * side);
    }
}

/* A normal number, by Box and Muller. */
float normal_number(const uint4 bits) {
    const float u = UNIFORM(bits.x) + 1.0f / 33554432.0f;
    return sqrt(-2.0f * log(u)) * cospi(2.0f * UNIFORM(bits.y));
}

/* A pixel of a square (S,S,C); outside it is black. */
float pixel_or_black(const global float *image, const int row, const int column, const int side, const int channels) {
    const bool inside = row >= 0 && row < side && column >= 0 && column < side;
    return inside ? image[(row * side + column) * channels] : 0.0f;
}

/* Value of one channel at (row, column) after turning the image. */
float turned(const global float *image, const int row, const int column, const float cosine,
             const float sine, const int side, const int channels) {
    const float middle = (float)(side - 1) * 0.5f, y = (float)row - middle, x = (float)column - middle;
    const float from_x = cosine * x - sine * y + middle, from_y = sine * x + cosine * y + middle;
    const int left = (int)floor(from_x), top = (int)floor(from_y);
    const float right = from_x - (float)left, down = from_y - (float)top;
    const float above = pixel_or_black(image, top, left, side, channels) * (1.0f - right) +
                        pixel_or_black(image, top, left + 1, side, channels) * right;
    const float below = pixel_or_black(image, top + 1, left, side, channels) * (1.0f - right) +
                        pixel_or_black(image, top + 1, left + 1, side, channels) * right;
    return above * (1.0f - down) + below * down;
}

/* Noise, brightness, contrast, occlusion, rotation. */
GROUP_KERNEL void corrupt_pixels(const global float *restrict x,       // (N,S,S,C)
                                 const global int *restrict identities, // (N)
                                 const global float *restrict means,   // (N,C)
                                 global float *restrict y,             // (N,S,S,C)
                                 const int images, const int side, const int channels, const int kind,
                                 const float amount, const uint seed_low, const uint seed_high) {
    const int plane = side * side * channels;
    const uint2 key = (uint2)(seed_low, seed_high);
    for ITEMS_OF(i, images * plane) {
        const int image = i / plane, place = i % plane / channels, channel = i % channels;
        const int row = place / side, column = place % side;
        const uint identity = (uint)identities[image], purpose = PURPOSE_CORRUPTION + (uint)kind;
        float v = x[i];
        if (kind == CORRUPTION_NOISE) {
            v += amount * normal_number(philox(key, (uint4)(identity, (uint)place, (uint)channel, purpose)));
        } else if (kind == CORRUPTION_BRIGHTNESS) {
            v += amount;
        } else if (kind == CORRUPTION_CONTRAST) {
            const float mean = means[image * channels + channel];
            v = mean + (v - mean) * amount;
        } else if (kind == CORRUPTION_OCCLUSION) {
            const uint4 bits = philox(key, (uint4)(identity, 0, 0, purpose));
            const int size = (int)((float)side * sqrt(amount) + 0.5f);
            const int top = BELOW(bits.x, side - size + 1), left = BELOW(bits.y, side - size + 1);
            if (row >= top && row < top + size && column >= left && column < left + size)
                v = 0.5f;
        } else if (kind == CORRUPTION_ROTATION) {
            const uint4 bits = philox(key, (uint4)(identity, 0, 0, purpose));
            const float angle = amount / 180.0f, sine = sinpi(angle);
            v = turned(x + (size_t)image * plane + channel, row, column, cospi(angle),
                       bits.x & 1 ? sine : -sine, side, channels);
        }
        y[i] = v;
    }
}

/* A Gaussian of that sigma along rows (step 1) or columns (step S), to three sigmas; beyond the edge its values go on. */
GROUP_KERNEL void corrupt_blur(const global float *restrict x, // (N,S,S,C)
                               global float *restrict y,       // (N,S,S,C)
                               const int images, const int side, const int channels, const int step,
                               const float sigma) {
    const int radius = max((int)ceil(3.0f * sigma), 1), pixels = side * side;
    const float fall = -0.5f / (sigma * sigma);
    for ITEMS_OF(i, images * pixels * channels) {
        const int place = i / channels % pixels, at = step == 1 ? place % side : place / side;
        float sum = 0.0f, weights = 0.0f;
        for (int k = -radius; k <= radius; k++) {
            const int to = clamp(at + k, 0, side - 1);
            const float weight = exp(fall * (float)(k * k));
            sum += weight * x[i + (to - at) * step * channels];
            weights += weight;
        }
        y[i] = sum / weights;
    }
}

/* Row k: the k-th cosine of 8 values, of length 1. */
constant float cosines8[8][8] = {
    {0.353553391f, 0.353553391f, 0.353553391f, 0.353553391f, 0.353553391f, 0.353553391f, 0.353553391f, 0.353553391f},
    {0.490392640f, 0.415734806f, 0.277785117f, 0.097545161f, -0.097545161f, -0.277785117f, -0.415734806f, -0.490392640f},
    {0.461939766f, 0.191341716f, -0.191341716f, -0.461939766f, -0.461939766f, -0.191341716f, 0.191341716f, 0.461939766f},
    {0.415734806f, -0.097545161f, -0.490392640f, -0.277785117f, 0.277785117f, 0.490392640f, 0.097545161f, -0.415734806f},
    {0.353553391f, -0.353553391f, -0.353553391f, 0.353553391f, 0.353553391f, -0.353553391f, -0.353553391f, 0.353553391f},
    {0.277785117f, -0.490392640f, 0.097545161f, 0.415734806f, -0.415734806f, -0.097545161f, 0.490392640f, -0.277785117f},
    {0.191341716f, -0.461939766f, 0.461939766f, -0.191341716f, -0.191341716f, 0.461939766f, -0.461939766f, 0.191341716f},
    {0.097545161f, -0.277785117f, 0.415734806f, -0.490392640f, 0.490392640f, -0.415734806f, 0.277785117f, -0.097545161f}};

/* JPEG's steps of brightness at quality 50 (ITU-T T.81, table K.1). */
constant uchar steps8[8][8] = {{16, 11, 10, 16, 24, 40, 51, 61},   {12, 12, 14, 19, 26, 58, 60, 55},
                               {14, 13, 16, 24, 40, 57, 69, 56},   {14, 17, 22, 29, 51, 87, 80, 62},
                               {18, 22, 37, 56, 68, 109, 103, 77}, {24, 35, 55, 64, 81, 104, 113, 92},
                               {49, 64, 78, 87, 103, 121, 120, 101}, {72, 92, 95, 98, 112, 100, 103, 99}};

/* b = (cosines8 a)^T, or with `back` (cosines8^T a)^T: twice is both directions. For all items of a group together. */
void transform8(const bool back, const SHARED float *a, SHARED float *b) {
    for EACH(e, 64) {
        const int k = e / 8, j = e % 8;
        float sum = 0.0f;
        for (int i = 0; i < 8; i++)
            sum += (back ? cosines8[i][k] : cosines8[k][i]) * a[i * 8 + j];
        b[j * 8 + k] = sum;
    }
    BARRIER();
}

/* Quantised as JPEG does, each channel by itself. Blocks begin in the upper left; what lies beyond the edge continues
 * it. Groups take a block of a channel at a time. */
GROUP_KERNEL void corrupt_jpeg(const global float *restrict x, // (N,S,S,C)
                               global float *restrict y,       // (N,S,S,C)
                               const int images, const int side, const int channels, const float quality) {
    SHARED float a[64], b[64];
    const int across = (side + 7) / 8, blocks = across * across;
    const int percent = quality < 50.0f ? (int)(5000.0f / quality) : (int)(200.0f - 2.0f * quality);
    for (int i = (int)get_group_id(0); i < images * blocks * channels; i += (int)get_num_groups(0)) {
        const int image = i / (blocks * channels), block = i / channels % blocks, channel = i % channels;
        const int top = block / across * 8, left = block % across * 8;
        const global float *from = x + (size_t)image * (side * side * channels) + channel;
        global float *to = y + (size_t)image * (side * side * channels) + channel;
        BARRIER(); /* the block before has been written */
        for EACH(k, 64)
            a[k] = from[(min(top + k / 8, side - 1) * side + min(left + k % 8, side - 1)) * channels] * 255.0f - 128.0f;
        BARRIER();
        transform8(false, a, b);
        transform8(false, b, a);
        for EACH(k, 64) {
            const float step = (float)clamp((steps8[k / 8][k % 8] * percent + 50) / 100, 1, 255);
            a[k] = rint(a[k] / step) * step;
        }
        BARRIER();
        transform8(true, a, b);
        transform8(true, b, a);
        for EACH(k, 64)
            if (top + k / 8 < side && left + k % 8 < side)
                to[((top + k / 8) * side + left + k % 8) * channels] = (a[k] + 128.0f) * (1.0f / 255.0f);
    }
}
