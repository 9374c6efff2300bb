/* Reference of distillation: SimCLR v2's equations 2 and 3 with a weight of their own for labels.
 */
#include "loss/reference.h"

#include <math.h>

/* log softmax of x / t at k. */
static double log_share(const double *x, int n, double t, int k) {
    double largest = -INFINITY, sum = 0;
    for (int j = 0; j < n; j++)
        largest = fmax(largest, x[j] / t);
    for (int j = 0; j < n; j++)
        sum += exp(x[j] / t - largest);
    return x[k] / t - largest - log(sum);
}

double reference_distillation(const reference_loss *l) {
    const clc_loss_shape *s = &l->shape;
    const double t = l->options.temperature;
    const int rows = s->views * s->images;
    long double loss = 0, by_label = 0; /* of which differences are taken */
    double count = 0;
    for (int r = 0; r < rows; r++) {
        const double *z = l->z + (size_t)r * (size_t)s->dim;
        const double *y = l->target + (size_t)r * (size_t)s->dim;
        const int label = l->labels ? l->labels[r % s->images] : -1;
        for (int k = 0; k < s->dim; k++)
            loss -= (long double)(exp(log_share(y, s->dim, t, k)) * log_share(z, s->dim, t, k));
        if (label >= 0)
            by_label -= (long double)log_share(z, s->dim, 1, label);
        count += label >= 0;
    }
    return (double)(loss / rows) +
           (count > 0 ? l->options.label_weight * (double)(by_label / count) : 0);
}
