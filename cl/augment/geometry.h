/* Crop, resize and flips in one separable pass from the source's bytes, and rotation. */
#ifndef AUGMENT_GEOMETRY_H
#define AUGMENT_GEOMETRY_H

#include "augment/image.h"

/* Of the largest image: its width and the taps that its axes need. */
#ifndef MOST_WIDTH
#define MOST_WIDTH 28
#define TAPS_X     5
#define TAPS_Y     5
#endif

/* Taps that a box of `length` pixels needs: the triangle's support is max(1, length / S) to either
 * side. */
int axis_taps(int length) {
    return length == S ? 1 : length < S ? 2 : (2 * length + S - 1) / S + 1;
}

/* For each output position s: the `taps` source positions index[k S + s] (times `stride`) and
 * weights of the bilinear resize with antialiasing, as torch's interpolate(antialias=True,
 * align_corners=False): weight j of the box ~ triangle((j + 1/2 - centre) / max(1, scale)), of
 * sum 1. Positions outside the image weigh nothing (black) and point at one that is in the box.
 * `unit` scales all weights. */
void axis_table(int lid, int start, int length, int limit, int flip, int stride, float unit,
                global int *restrict index,   // (taps,S)
                global float *restrict weight // (taps,S)
) {
    const int taps = axis_taps(length), first = clamp(start, 0, limit - 1),
              last = clamp(start + length, 1, limit) - 1;
    const float scale = divide((float)length, (float)S);
    const float support = length > S ? scale : 1.0f, inverse = divide(1.0f, support);
    ITEMS(s, S) {
        const float centre = ((float)(flip ? S - 1 - s : s) + 0.5f) * scale;
        const int low = max((int)(centre - support + 0.5f), 0);
        float sum = 0.0f;
        SHARED_LOOP
        for (int k = 0; k < taps; k++) {
            const float d = fabs(((float)(low + k) - centre + 0.5f) * inverse);
            sum += low + k < length && d < 1.0f ? 1.0f - d : 0.0f;
        }
        const float part = divide(unit, sum);
        SHARED_LOOP
        for (int k = 0; k < taps; k++) {
            const float d = fabs(((float)(low + k) - centre + 0.5f) * inverse);
            const int at = start + low + k;
            const int inside = low + k < length && at >= first && at <= last && d < 1.0f;
            index[k * S + s] = clamp(at, first, last) * stride;
            weight[k * S + s] = inside ? (1.0f - d) * part : 0.0f;
        }
    }
}

/* Rows first, which are contiguous bytes: between = weights of y x source, in the box's columns
 * only. */
void resize_rows(int lid, const global uchar *restrict source, const int width,
                 const augment_view *v, const global int *restrict index,
                 const global float *restrict weight,
                 global float *restrict between // (S,MOST_WIDTH,C)
) {
    const int first = clamp(v->left, 0, width - 1) * C;
    const int end = clamp(v->left + v->width, 1, width) * C;
    const int taps = axis_taps(v->height);
    ROWS(r, S) {
        global float *restrict to = between + r * (MOST_WIDTH * C);
        SHARED_LOOP
        for (int k = 0; k < taps; k++) {
            const global uchar *restrict from = source + index[k * S + r];
            const float w = weight[k * S + r];
            if (k == 0) {
                COLUMNS(i, first, end)
                to[i] = w * (float)from[i];
            } else {
                COLUMNS(i, first, end)
                to[i] += w * (float)from[i];
            }
        }
    }
}

void resize_columns(int lid, const global float *restrict between, const augment_view *v,
                    const global int *restrict index, const global float *restrict weight,
                    global float *restrict image // (C,PLANE)
) {
    const int taps = axis_taps(v->width);
    ROWS(r, S)
    for (int c = 0; c < C; c++) {
        const global float *restrict from = between + r * (MOST_WIDTH * C) + c;
        global float *restrict to = image + c * PLANE + r * S;
        if (taps == 2) {
            COLUMNS(s, 0, S)
            to[s] = weight[s] * from[index[s]] + weight[S + s] * from[index[S + s]];
        } else {
            COLUMNS(s, 0, S) {
                float sum = weight[s] * from[index[s]];
                SHARED_LOOP
                for (int k = 1; k < taps; k++)
                    sum += weight[k * S + s] * from[index[k * S + s]];
                to[s] = sum;
            }
        }
    }
}

/* Turns the image about its centre, counter-clockwise. Bilinear between the four neighbours; a
 * neighbour outside the image is black, so that the border fades over one pixel. */
void rotate_image(int lid, const global float *restrict from, const augment_view *v,
                  global float *restrict to) {
    const float middle = 0.5f * (float)(S - 1);
    ROWS(r, S)
    COLUMNS(i, 0, S) {
        const float x = (float)i - middle, y = (float)r - middle;
        const float sx = v->cosine * x - v->sine * y + middle;
        const float sy = v->sine * x + v->cosine * y + middle;
        const float fx = floor(sx), fy = floor(sy);
        const int left = (int)fx, top = (int)fy;
        const float right_part = sx - fx, low_part = sy - fy;
        const float w0 = left >= 0 && left < S ? 1.0f - right_part : 0.0f;
        const float w1 = left >= -1 && left < S - 1 ? right_part : 0.0f;
        const float h0 = top >= 0 && top < S ? 1.0f - low_part : 0.0f;
        const float h1 = top >= -1 && top < S - 1 ? low_part : 0.0f;
        const int x0 = clamp(left, 0, S - 1), x1 = clamp(left + 1, 0, S - 1);
        const int y0 = clamp(top, 0, S - 1) * S, y1 = clamp(top + 1, 0, S - 1) * S;
        for (int c = 0; c < C; c++) {
            const global float *restrict p = from + c * PLANE;
            to[c * PLANE + r * S + i] =
                h0 * (w0 * p[y0 + x0] + w1 * p[y0 + x1]) + h1 * (w0 * p[y1 + x0] + w1 * p[y1 + x1]);
        }
    }
}

#endif
