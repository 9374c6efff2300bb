/* Gradients of references against central differences. */
#ifndef TESTS_OP_DIFFERENCES_H
#define TESTS_OP_DIFFERENCES_H

#include <stddef.h>

/* Fails unless `gradient` (count) is that of loss(context) by `values`, which loss reads. Sums of a
 * few smooth terms near 1: h^2 and rounding, 1e-16 / h, each stay below 1e-8 with h = 1e-5. */
void check_differences(const char *name, double (*loss)(void *context), void *context,
                       double *values, size_t count, const double *gradient);

/* The sum of a b. */
double dot(const double *a, const double *b, size_t count);

double *zeros(size_t count);

#endif
