#include "linear_reference.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>

double *doubles(size_t count) {
    double *values = calloc(count ? count : 1, sizeof *values);
    assert_non_null(values);
    return values;
}

int32_t *random_labels(size_t rows, int classes, uint64_t seed) {
    int32_t *labels = malloc((rows ? rows : 1) * sizeof *labels);
    clc_rng rng = clc_rng_make(seed, 1);
    assert_non_null(labels);
    for (size_t i = 0; i < rows; i++)
        labels[i] = (int32_t)clc_rng_below(&rng, (uint32_t)classes);
    return labels;
}

void logits_of(const model *m, const double *x, double *logits) {
    for (size_t c = 0; c < m->classes; c++) {
        logits[c] = m->b[c];
        for (size_t d = 0; d < m->dim; d++)
            logits[c] += x[d] * m->w[d * m->classes + c];
    }
}

/* Turns the logits of n rows into the gradient (softmax - one-hot) / n; returns the mean
 * cross-entropy. */
double softmax_gradient(double *logits, const int32_t *labels, size_t n, size_t classes) {
    double loss = 0;
    for (size_t r = 0; r < n; r++) {
        double *row = logits + r * classes, greatest = row[0], sum = 0;
        for (size_t c = 0; c < classes; c++)
            greatest = fmax(greatest, row[c]);
        for (size_t c = 0; c < classes; c++)
            sum += exp(row[c] - greatest);
        loss += (log(sum) + greatest - row[labels[r]]) / (double)n;
        for (size_t c = 0; c < classes; c++)
            row[c] = (exp(row[c] - greatest) / sum - (c == (size_t)labels[r])) / (double)n;
    }
    return loss;
}

double reference_loss(const model *m, const double *x, const int32_t *labels, size_t n,
                      model *grad) {
    double *g = doubles(n * m->classes);
    for (size_t r = 0; r < n; r++)
        logits_of(m, x + r * m->dim, g + r * m->classes);
    const double loss = softmax_gradient(g, labels, n, m->classes);
    for (size_t i = 0; grad && i < m->dim * m->classes; i++) {
        grad->w[i] = 0;
        for (size_t r = 0; r < n; r++)
            grad->w[i] += x[r * m->dim + i / m->classes] * g[r * m->classes + i % m->classes];
    }
    for (size_t c = 0; grad && c < m->classes; c++) {
        grad->b[c] = 0;
        for (size_t r = 0; r < n; r++)
            grad->b[c] += g[r * m->classes + c];
    }
    free(g);
    return loss;
}

model model_make(size_t dim, size_t classes) {
    return (model){dim, classes, doubles(dim * classes), doubles(classes)};
}

void model_free(model *m) {
    free(m->w);
    free(m->b);
}

double *reference_standard(const float *x, size_t rows, size_t dim) {
    const double length = dim > 128 ? sqrt(128 / (double)dim) : 1;
    double *s = doubles(2 * dim);
    for (size_t d = 0; d < dim; d++) {
        double variance = 0;
        for (size_t r = 0; r < rows; r++)
            s[d] += (double)x[r * dim + d] / (double)rows;
        for (size_t r = 0; r < rows; r++)
            variance += pow((double)x[r * dim + d] - s[d], 2) / (double)rows;
        s[dim + d] = variance > 1e-20 * s[d] * s[d] ? length / sqrt(variance) : 0;
    }
    return s;
}

float *features_of_all_scales(size_t rows, size_t dim, uint64_t seed) {
    float *x = test_random(rows * dim, seed);
    for (size_t r = 0; r < rows; r++)
        for (size_t d = 0; d < dim; d++)
            x[r * dim + d] = d ? (x[r * dim + d] + 3) * powf(10, (float)(d % 9) - 4) : 1e4f;
    return x;
}
