/* Random views of images that lie on the device as bytes: one kernel draws what happens to each
 * view, the other makes the pixels. Everything is kept apart by view, so neither the batch size nor
 * the number of work-items changes a bit. Products and sums aren't contracted, so the host gets the
 * same numbers. */
#include "common.h"
#pragma OPENCL FP_CONTRACT OFF
#include "augment/view.h"
#include "augment/draw.h"
#include "augment/image.h"
#include "augment/geometry.h"
#include "augment/colour.h"
#include "augment/blur.h"

/* View v of an image is row v images + i, i being its place from first_image on; its number, which decides
 * the draws, is first_view + v. */
__attribute__((reqd_work_group_size(LWS, 1, 1))) kernel void
augment_draw(const global int *restrict indices,          // (images): identities
             const global augment_place *restrict places, // (images)
             const global uint *restrict step_state,      // [0]: the epoch
             global augment_view *restrict views,    // (views)
             const int images, const int views_per_image, const int first_image,
             const int first_view, const uint seed_low, const uint seed_high) {
    for (int i = (int)get_global_id(0); i < images * views_per_image;
         i += (int)get_global_size(0)) {
        const int image = first_image + i % images;
        const augment_place at = places[image];
        const uint4 counter =
            (uint4)((uint)indices[image], step_state[0], (uint)(first_view + i / images), 0);
        augment_view v;
        draw_view((uint2)(seed_low, seed_high), counter, &at, image, &v);
        views[i] = v;
    }
}

/* Scratch of a group: two images (one also holds the rows of a resize or a blur), then tables. */
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define ROOM ((LARGER(C * PLANE, C * S * LARGER(MOST_WIDTH, WIDE)) + VW - 1) / VW * VW)
#define TABLE (S * (TAPS_X + TAPS_Y))
#define SLICE ((2 * ROOM + 2 * TABLE + VW - 1) / VW * VW)

/* A channel of out = (x - mean) scale, after solarising: x >= threshold becomes 1 - x. */
void finish(int lid, const global float *restrict image, // (PLANE)
            int solarise, float threshold, float mean, float scale,
            global float *restrict out // (S,S,C)
) {
    ITEMS(i, S * S) {
        float x = image[i];
#if STAGES & STAGE_SOLARISE
        x = solarise && x >= threshold ? 1.0f - x : x;
#endif
        out[i * C] = (x - mean) * scale;
    }
}

__attribute__((reqd_work_group_size(LWS, 1, 1))) kernel void
augment_render(const global uchar *restrict source0, const global uchar *restrict source1,
               const global uchar *restrict source2, const global uchar *restrict source3,
               const global augment_place *restrict places, // (images)
               const global augment_view *restrict views,   // (n)
               global float *restrict out,                  // (first_row + n,S,S,C)
               global float *scratch, const uint scratch_offset, const int n, const int first_row,
               const float threshold, const float16 mean, const float16 scale) {
    const int lid = (int)get_local_id(0);
    global float *slice = scratch + scratch_offset + (size_t)get_group_id(0) * SLICE;
    global int *index_x = (global int *)(slice + 2 * ROOM), *index_y = index_x + S * TAPS_X;
    global float *weight_x = slice + 2 * ROOM + TABLE, *weight_y = weight_x + S * TAPS_X;
#if (STAGES & STAGE_CONTRAST) && LWS > 1
    local ulong shares[LWS];
#endif
    float means[16], scales[16];
    vstore16(mean, 0, means);
    vstore16(scale, 0, scales);
    const int per = CHUNK(n, (int)get_num_groups(0)), first = (int)get_group_id(0) * per;
    for (int i = first; i < min(first + per, n); i++) {
        const augment_view v = views[i];
        const augment_place at = places[v.image];
        const global uchar *restrict source = (at.buffer == 0   ? source0
                                               : at.buffer == 1 ? source1
                                               : at.buffer == 2 ? source2
                                                                : source3) +
                                              at.offset;
        global float *image = slice, *spare = slice + ROOM;
        axis_table(lid, v.left, v.width, at.width, v.horizontal_flip, C, 1.0f, index_x, weight_x);
        axis_table(lid, v.top, v.height, at.height, v.vertical_flip, at.width * C, 1.0f / 255.0f,
                   index_y, weight_y);
        SYNC();
        resize_rows(lid, source, at.width, &v, index_y, weight_y, spare);
        SYNC();
        resize_columns(lid, spare, &v, index_x, weight_x, image);
        SYNC();
#if STAGES & STAGE_ROTATION
        if (v.rotate) {
            rotate_image(lid, image, &v, spare);
            image = spare;
            spare = slice;
        }
        SYNC();
#endif
#if STAGES & (STAGE_JITTER | STAGE_GREY)
        int place = 0;
        float grey_mean = 0.0f;
#if STAGES & STAGE_CONTRAST
        ulong sum = 0;
        if (v.jitter) {
            place = contrast_place(&v);
            sum = jitter_before(lid, &v, place, image);
        }
#if LWS > 1
        shares[lid] = sum;
        SYNC();
        sum = 0;
        ROLLED
        for (int j = 0; j < LWS; j++)
            sum += shares[j];
        SYNC();
#endif
        grey_mean = convert_float(sum) * (1.0f / (GREY_UNIT * (float)(S * S)));
#endif
        if (v.jitter || v.grey)
            jitter_after(lid, &v, place, grey_mean, image);
        SYNC();
#endif
#if STAGES & STAGE_BLUR
        /* The tables of the resize are free again: weights of up to 2 S taps fit. */
        if (v.blur && lid == 0)
            blur_weights(v.sigma, weight_x);
        SYNC();
        if (v.blur)
            blur_down(lid, weight_x, image, spare);
        SYNC();
        if (v.blur)
            blur_reflect(lid, spare);
        SYNC();
        if (v.blur)
            blur_across(lid, weight_x, spare, image);
        SYNC();
#endif
        global float *view = out + (size_t)(first_row + i) * (S * S * C);
        for (int c = 0; c < C; c++)
            finish(lid, image + c * PLANE, v.solarise, threshold, means[c], scales[c], view + c);
        SYNC();
    }
}
