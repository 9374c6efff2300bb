/* Multinomial logistic regression in double. */
#ifndef TESTS_EVAL_LINEAR_REFERENCE_H
#define TESTS_EVAL_LINEAR_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

/* logits = x W + b. */
typedef struct model {
    size_t dim, classes;
    double *w, *b; /* (dim,classes), (classes) */
} model;

model model_make(size_t dim, size_t classes); /* all 0 */
void model_free(model *m);

/* logits (classes) of one row x (dim). */
void logits_of(const model *m, const double *x, double *logits);

/* Turns the logits of n rows into the gradient (softmax - one-hot) / n; returns the mean
 * cross-entropy. */
double softmax_gradient(double *logits, const int32_t *labels, size_t n, size_t classes);

/* Mean cross-entropy of x (n,dim) and, unless NULL, its gradient. */
double reference_loss(const model *m, const double *x, const int32_t *labels, size_t n,
                      model *grad);

/* Mean and 1 / deviation (0 for a constant feature) as (2,dim). Freed by the caller, as the next.
 */
double *reference_standard(const float *x, size_t rows, size_t dim);

/* Zeros. */
double *doubles(size_t count);

int32_t *random_labels(size_t rows, int classes, uint64_t seed);

/* Features of unlike scale and offset: feature 0 is constant. */
float *features_of_all_scales(size_t rows, size_t dim, uint64_t seed);

#endif
