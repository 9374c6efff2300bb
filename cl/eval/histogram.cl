/* Histograms of colours: shares of an image's pixels by their values in [0, 1], white being 1. Groups: chunks of
 * images. */
#include "common.h"

/* Values beyond [0, 1] are in the first or last bin. */
INLINE int bin_of(const float v, const int bins) {
    return clamp((int)(v * (float)bins), 0, bins - 1);
}

/* joint: bins of all channels together, (bins^channels), the last channel's next to each other; else of each channel,
 * (channels,bins). */
GROUP_KERNEL void histogram_count(const global float *restrict pixels, // (images,area,channels)
                                  global float *restrict histogram,    // (images,all)
                                  const int images, const int area, const int channels, const int bins,
                                  const int joint, const int all) {
    const int per = CHUNK(images, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for EACH_FROM(i, first, min(first + per, images)) {
        const global float *value = pixels + (size_t)i * area * channels;
        global float *count = histogram + (size_t)i * all;
        for (int b = 0; b < all; b++)
            count[b] = 0.0f;
        for (int p = 0; p < area; p++, value += channels) {
            int at = 0;
            for (int c = 0; c < channels; c++) {
                at = joint ? at * bins + bin_of(value[c], bins) : c * bins + bin_of(value[c], bins);
                if (!joint || c + 1 == channels)
                    count[at] += 1.0f;
            }
        }
        for (int b = 0; b < all; b++)
            count[b] /= (float)area;
    }
}
