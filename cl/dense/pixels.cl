/* Cross-entropy of every pixel, of those that count: L = -scale sum log softmax(logits)[label], dL/dlogits =
 * scale (softmax - one-hot). Items take a pixel each. */
#include "group.h"
#include "dense/rows.h"

#ifndef CLASSES
#define CLASSES 21
#endif

GROUP_KERNEL void pixels_loss(const global float *restrict logits, // (rows,CLASSES)
                              const global uchar *restrict labels, // (rows)
                              const global float *restrict scale,  // (1)
                              global float *restrict gradient,     // (rows,CLASSES)
                              global float *restrict parts,        // (groups)
                              const int rows) {
    SHARED float lanes[LANES];
    OWN_ROWS(begin, end, rows);
    float loss = 0.0f;
    for EACH_FROM(r, begin, end) {
        const global float *x = logits + (size_t)r * CLASSES;
        global float *d = gradient + (size_t)r * CLASSES;
        const int label = labels[r];
        float greatest = x[0], sum = 0.0f;
        if (label >= CLASSES) { /* ignored */
            for (int c = 0; c < CLASSES; c++)
                d[c] = 0.0f;
            continue;
        }
        for (int c = 1; c < CLASSES; c++)
            greatest = fmax(greatest, x[c]);
        for (int c = 0; c < CLASSES; c++)
            sum += exp(x[c] - greatest);
        for (int c = 0; c < CLASSES; c++)
            d[c] = scale[0] * (exp(x[c] - greatest) / sum - (c == label ? 1.0f : 0.0f));
        loss += log(sum) + greatest - x[label];
    }
    keep_part(loss, scale[0], parts, lanes);
}

/* The class with the greatest logit; ties go to the lower. */
GROUP_KERNEL void pixels_predict(const global float *restrict logits, // (rows,CLASSES)
                                 global uchar *restrict labels,       // (rows)
                                 const int rows) {
    OWN_ROWS(begin, end, rows);
    for EACH_FROM(r, begin, end) {
        const global float *x = logits + (size_t)r * CLASSES;
        int best = 0;
        for (int c = 1; c < CLASSES; c++)
            best = x[c] > x[best] ? c : best;
        labels[r] = (uchar)best;
    }
}
