/* How embeddings spread: numbers by which collapse shows, and its recognition. */
#ifndef CLC_TRAIN_WATCH_H
#define CLC_TRAIN_WATCH_H

#include "core/config.h"

#include <stddef.h>

enum { CLC_WATCH_ROWS = 128 }; /* images that are looked at */

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

/* first and second (rows,dim): views of the same images; second may be NULL. */
clc_status clc_watch_measure(const float *first, const float *second, int rows, int dim,
                             clc_spread *spread);

/* Takes in one measurement after another. */
typedef struct clc_watch {
    int low;   /* collapsed measurements in a row */
    bool said; /* the warning has been shown */
} clc_watch;

/* Warns with advice once collapse shows twice in a row; fails with CLC_COLLAPSED then if the
 * configuration asks for it. `dim` is that of the embeddings. */
clc_status clc_watch_take(clc_watch *watch, const clc_config *config, const clc_spread *spread,
                          int rows, int dim, int64_t step);

#endif
