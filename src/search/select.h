/* How samples are selected, apart from where they come from. */
#ifndef CLC_SEARCH_SELECT_H
#define CLC_SEARCH_SELECT_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

/* A selected sample and the figure it goes by. */
typedef struct clc_selected {
    double value;
    size_t sample;
} clc_selected;

/* list (n at most rows): k-centre greedy on rows (rows,dim) of length 1: first the one that is most
 * like the mean, then always that whose cosine with the nearest selected one, its value, is the
 * least; of equal ones the first. Ctrl-C: CLC_INTERRUPTED. */
clc_status clc_select_diverse(const float *unit, size_t rows, int dim, size_t n,
                              clc_selected *list);

/* typicality (rows) = 1 / the mean distance on the sphere, sqrt(2 - 2 cosine), to the neighbours
 * whose cosines (rows,k) are given, the first of which is the sample itself and doesn't count. */
void clc_typicality(const float *cosines, size_t rows, size_t k, double *typicality);

/* list (n at most rows): of each of k clusters, the largest first, the most typical sample, then of
 * each the next. Of equal ones the first. */
clc_status clc_select_typical(const int32_t *assigned, const double *typicality, size_t rows, int k,
                              size_t n, clc_selected *list);

typedef enum clc_doubt { CLC_DOUBT_ENTROPY, CLC_DOUBT_MARGIN } clc_doubt;

/* Entropy of softmax of logits (classes), or the gap of its greatest two, 1 of a single class. */
double clc_doubt_of(const float *logits, int classes, clc_doubt kind);

/* list (n at most rows): the samples with the greatest of `values`, or the least; of equal ones the
 * first. */
clc_status clc_select_extreme(const double *values, size_t rows, bool greatest, size_t n,
                              clc_selected *list);

#endif
