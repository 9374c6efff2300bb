/* Gaussian blur, separable, with reflected borders: torchvision's gaussian_blur. */
#ifndef AUGMENT_BLUR_H
#define AUGMENT_BLUR_H

#include "augment/image.h"

/* Taps, odd; less than 2 S. */
#ifndef KERNEL
#define KERNEL 3
#endif
#define RADIUS (KERNEL / 2)
#define WIDE   (S + 2 * RADIUS)

/* weights ~ exp(-(k - radius)^2 / (2 sigma^2)), of sum 1 */
void blur_weights(float sigma, global float *restrict weight) { // (KERNEL)
    const float scale = divide(1.0f, sigma);
    float sum = 0.0f;
    SHARED_LOOP
    for (int k = 0; k < KERNEL; k++) {
        const float x = (float)(k - RADIUS) * scale;
        weight[k] = exponential(-0.5f * x * x);
        sum += weight[k];
    }
    SHARED_LOOP
    for (int k = 0; k < KERNEL; k++)
        weight[k] = divide(weight[k], sum);
}

int reflected(int i) {
    return i < 0 ? -i : i < S ? i : 2 * (S - 1) - i;
}

/* Down the columns, into rows with room for their reflected ends. */
void blur_down(int lid, const global float *restrict weight, const global float *restrict image,
               global float *restrict wide // (C,S,WIDE)
) {
    SHARED_LOOP
    for (int c = 0; c < C; c++)
        ROWS(r, S) {
            global float *restrict to = wide + (c * S + r) * WIDE + RADIUS;
            SHARED_LOOP
            for (int k = 0; k < KERNEL; k++) {
                const global float *restrict from =
                    image + c * PLANE + reflected(r + k - RADIUS) * S;
                const float w = weight[k];
                if (k == 0) {
                    COLUMNS(i, 0, S)
                    to[i] = w * from[i];
                } else {
                    COLUMNS(i, 0, S)
                    to[i] += w * from[i];
                }
            }
        }
}

/* The ends of the rows. */
void blur_reflect(int lid, global float *restrict wide) {
    ROWS(r, C * S)
    COLUMNS(j, 1, RADIUS + 1) {
        global float *row = wide + r * WIDE + RADIUS;
        row[-j] = row[j];
        row[S - 1 + j] = row[S - 1 - j];
    }
}

void blur_across(int lid, const global float *restrict weight, const global float *restrict wide,
                 global float *restrict image) {
    SHARED_LOOP
    for (int c = 0; c < C; c++)
        ROWS(r, S) {
            global float *restrict to = image + c * PLANE + r * S;
            SHARED_LOOP
            for (int k = 0; k < KERNEL; k++) {
                const global float *restrict from = wide + (c * S + r) * WIDE + k;
                const float w = weight[k];
                if (k == 0) {
                    COLUMNS(i, 0, S)
                    to[i] = w * from[i];
                } else {
                    COLUMNS(i, 0, S)
                    to[i] += w * from[i];
                }
            }
        }
}

#endif
