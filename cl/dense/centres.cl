/* Objects as points (CenterNet, arXiv 1904.07850): a map of classes whose targets are 1 at the centres of objects and
 * fall off around them, by a focal loss; beside it four numbers of a box where an object is, by L1. With p =
 * sigmoid(x):
 *
 *   target 1: -(1 - p)^2 log p                d/dx = 2 p (1 - p)^2 log p - (1 - p)^3
 *   target y: -(1 - y)^4 p^2 log(1 - p)       d/dx = (1 - y)^4 (p^3 - 2 p^2 (1 - p) log(1 - p))
 *   target below 0: nothing is known of it.
 *
 * Items take a place of the map each. */
#include "group.h"
#include "dense/rows.h"

#ifndef CLASSES
#define CLASSES 20
#endif
#define SIDES    4 /* of a box: what it is described by */
#define CHANNELS (CLASSES + SIDES)

/* log(1 + exp(x)) */
float softplus(const float x) {
    return fmax(x, 0.0f) + log1p(exp(-fabs(x)));
}

GROUP_KERNEL void centres_loss(const global float *restrict x,      // (rows,CHANNELS)
                               const global float *restrict heat,   // (rows,CLASSES)
                               const global float *restrict sides,  // (rows,1+SIDES): weight, target
                               const global float *restrict scale,  // (1)
                               global float *restrict gradient,     // (rows,CHANNELS)
                               global float *restrict parts,        // (groups)
                               const int rows) {
    SHARED float lanes[LANES];
    OWN_ROWS(begin, end, rows);
    float loss = 0.0f;
    for EACH_FROM(r, begin, end) {
        const global float *in = x + (size_t)r * CHANNELS;
        global float *d = gradient + (size_t)r * CHANNELS;
        for (int c = 0; c < CLASSES; c++) {
            const float y = heat[(size_t)r * CLASSES + c];
            const float log_p = -softplus(-in[c]), log_q = -softplus(in[c]);
            const float p = exp(log_p), q = exp(log_q), far = (1.0f - y) * (1.0f - y);
            const float weight = y < 0.0f ? 0.0f : far * far;
            const bool centre = y == 1.0f;
            loss -= centre ? q * q * log_p : weight * p * p * log_q;
            d[c] = scale[0] * (centre ? 2.0f * p * q * q * log_p - q * q * q
                                      : weight * (p * p * p - 2.0f * p * p * q * log_q));
        }
        const global float *side = sides + (size_t)r * (1 + SIDES);
        for (int k = 0; k < SIDES; k++) {
            const float off = in[CLASSES + k] - side[1 + k];
            loss += side[0] * fabs(off);
            d[CLASSES + k] = scale[0] * side[0] * (off > 0.0f ? 1.0f : off < 0.0f ? -1.0f : 0.0f);
        }
    }
    keep_part(loss, scale[0], parts, lanes);
}
