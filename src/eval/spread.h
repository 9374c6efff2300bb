/* How embeddings spread: numbers by which collapse shows, and what a space is good for. */
#ifndef CLC_EVAL_SPREAD_H
#define CLC_EVAL_SPREAD_H

#include "core/status.h"

/* Of embeddings scaled to length 1. */
typedef struct clc_spread {
    double deviation; /* mean over dimensions of the standard deviation, times sqrt(dim): 1 if they
                         lie evenly on the sphere, 0 if all are alike (SimSiam, arXiv 2011.10566) */
    double rank; /* effective: exp of the entropy of the singular values about the mean (Roy and
                    Vetterli 2007) */
    double alignment;  /* mean squared distance of two views of an image (arXiv 2005.10242); NaN
                          without second views */
    double uniformity; /* log of the mean of exp(-2 d^2) over pairs of images */
} clc_spread;

/* first and second (rows,dim): views of the same images; second may be NULL. Takes time in
 * proportion to rows^2 dim. */
clc_status clc_spread_measure(const float *first, const float *second, int rows, int dim,
                              clc_spread *spread);

/* Of x and y (rows,dim): the mean squared distance of rows scaled to length 1. */
double clc_alignment(const float *x, const float *y, size_t rows, size_t dim);

/* RankMe (arXiv 2210.02885) of x (rows,dim) as it is: exp of the entropy of the singular values, up
 * to the smaller of both numbers. */
clc_status clc_rankme(const float *x, size_t rows, size_t dim, double *rank);

/* Linear CKA (Kornblith et al., arXiv 1905.00414) of two spaces' x (rows,dim_x) and y (rows,dim_y)
 * of the same samples: 1 if one is the other turned and scaled, 0 if nothing of them agrees; NaN if
 * all rows of one are alike. */
clc_status clc_linear_cka(const float *x, size_t dim_x, const float *y, size_t dim_y, size_t rows,
                          double *cka);

/* One of several spaces of the same samples: values (rows,dim). */
typedef struct clc_space {
    const float *values;
    size_t dim;
} clc_space;

/* The same of each of `x` with each of `y`: cka (x_count,y_count). Ctrl-C: CLC_INTERRUPTED. */
clc_status clc_linear_ckas(const clc_space *x, size_t x_count, const clc_space *y, size_t y_count,
                           size_t rows, double *cka);

#endif
