/* Reference of cross-entropy with smoothed labels, as torch.nn.functional.cross_entropy with
 * ignored negative labels. */
#include "loss/reference.h"

#include <math.h>

static double log_sum(const double *x, int n) {
    double largest = -INFINITY, sum = 0;
    for (int k = 0; k < n; k++)
        largest = fmax(largest, x[k]);
    for (int k = 0; k < n; k++)
        sum += exp(x[k] - largest);
    return largest + log(sum);
}

double reference_crossentropy(const reference_loss *l) {
    const clc_loss_shape *s = &l->shape;
    const double smoothing = l->options.smoothing;
    long double loss = 0; /* of which differences are taken */
    double count = 0;
    for (int r = 0; r < s->views * s->images; r++) {
        const double *x = l->z + (size_t)r * (size_t)s->dim, all = log_sum(x, s->dim);
        const int label = l->labels[r % s->images];
        for (int k = 0; k < s->dim && label >= 0; k++)
            loss -=
                (long double)(((k == label) * (1 - smoothing) + smoothing / s->dim) * (x[k] - all));
        count += label >= 0;
    }
    return count > 0 ? (double)(loss / count) : 0;
}
