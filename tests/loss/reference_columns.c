/* References of the losses that are not on all pairs. */
#include "loss/reference.h"

#include <math.h>
#include <stdlib.h>

static double at(const reference_loss *l, int view, int image, int k) {
    const size_t row = (size_t)view * (size_t)l->shape.images + (size_t)image;
    return l->z[row * (size_t)l->shape.dim + (size_t)k];
}

/* Column k of a view about its mean: x (images); returns the sum of squares. */
static double center(const reference_loss *l, int view, int k, double *x) {
    const int n = l->shape.images;
    double mean = 0, squares = 0;
    for (int i = 0; i < n; i++)
        mean += at(l, view, i, k) / n;
    for (int i = 0; i < n; i++) {
        x[i] = at(l, view, i, k) - mean;
        squares += x[i] * x[i];
    }
    return squares;
}

double reference_barlow(const reference_loss *l) {
    const int n = l->shape.images, dim = l->shape.dim;
    const double epsilon = l->options.variance_epsilon > 0 ? l->options.variance_epsilon : 1e-5;
    double *a = malloc((size_t)n * sizeof *a), *b = malloc((size_t)n * sizeof *b), loss = 0;
    for (int i = 0; i < dim; i++)
        for (int j = 0; j < dim; j++) {
            const double da = sqrt(center(l, 0, i, a) / n + epsilon);
            const double db = sqrt(center(l, 1, j, b) / n + epsilon);
            double c = 0;
            for (int k = 0; k < n; k++)
                c += a[k] / da * b[k] / db / n;
            loss += i == j ? (1 - c) * (1 - c) : l->options.lambda * c * c;
        }
    free(a);
    free(b);
    return loss;
}

/* Variance and covariance terms of one view. */
static double spread(const reference_loss *l, int view) {
    const int n = l->shape.images, dim = l->shape.dim;
    double *a = malloc((size_t)n * sizeof *a), *b = malloc((size_t)n * sizeof *b), loss = 0;
    for (int i = 0; i < dim; i++) {
        const double variance = center(l, view, i, a) / (n - 1);
        loss += l->options.variance / 2 * fmax(0, 1 - sqrt(variance + 1e-4)) / dim;
        for (int j = 0; j < dim; j++) {
            double c = 0;
            center(l, view, j, b);
            for (int k = 0; k < n; k++)
                c += a[k] * b[k] / (n - 1);
            loss += i == j ? 0 : l->options.covariance * c * c / dim;
        }
    }
    free(a);
    free(b);
    return loss;
}

double reference_vicreg(const reference_loss *l) {
    const int n = l->shape.images, dim = l->shape.dim;
    double loss = spread(l, 0) + spread(l, 1);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < dim; k++)
            loss += l->options.invariance * pow(at(l, 0, i, k) - at(l, 1, i, k), 2) / (n * dim);
    return loss;
}

double reference_cosine(const reference_loss *l) {
    const int n = l->shape.images, views = l->shape.views, dim = l->shape.dim;
    double loss = 0;
    for (int r = 0; r < views * n; r++) {
        const double *p = l->z + r * dim, *t = l->target + ((views - 1 - r / n) * n + r % n) * dim;
        double pp = 0, tt = 0, pt = 0;
        for (int k = 0; k < dim; k++) {
            pp += p[k] * p[k];
            tt += t[k] * t[k];
            pt += p[k] * t[k];
        }
        loss += (2 - 2 * pt / fmax(sqrt(pp), 1e-12) / fmax(sqrt(tt), 1e-12)) / (views * n);
    }
    return loss;
}
