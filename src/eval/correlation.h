/* How well similarities agree with gold scores, as for pairs of sentences (STS). */
#ifndef CLC_EVAL_CORRELATION_H
#define CLC_EVAL_CORRELATION_H

#include "core/status.h"

#include <stddef.h>

/* In double; 0 for a zero vector, NaN for one that isn't finite. */
double clc_cosine(const float *a, const float *b, size_t dim);

/* Pearson's correlation; NaN where it is not defined: fewer than two values, one side all the same,
 * or values that aren't finite. */
double clc_pearson(const double *x, const double *y, size_t n);

/* Spearman's: Pearson's of ranks, of which ties have the mean. */
clc_status clc_spearman(const double *x, const double *y, size_t n, double *correlation);

#endif
