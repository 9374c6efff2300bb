/* Features as rows of length 1, block by block, beside the centres of clusters of them: what
 * k-means and the silhouette share. Takes about 100 MB of device memory beside k rows, whatever the
 * number of features. */
#ifndef CLC_EVAL_CENTRES_H
#define CLC_EVAL_CENTRES_H

#include "device/sequence.h"
#include "eval/features.h"

typedef struct clc_centres {
    clc_device *device;
    const clc_features *features;
    int k;
    size_t block, first, rows; /* rows of a block at most; where the present one begins, its rows */
    cl_mem centres, products;  /* (k,dim), (block,k): of the block's rows with the centres */
    /* private */
    cl_mem unit, workspace, halves, assigned, scores, distances, part, sums;
    clc_sequence load, distance, multiply, assign, sum;
    float *rows_of_k; /* (k,dim), on the host */
} clc_centres;

/* Release it also after a failure. */
clc_status clc_centres_make(clc_device *device, const clc_features *features, int k,
                            clc_centres *centres);
void clc_centres_release(clc_centres *centres);

/* Whether there is a block from c->first on; c->rows is how many they are. Begin with first 0 and
 * rows 0. Ctrl-C ends it with CLC_INTERRUPTED. */
clc_status clc_centres_load(clc_centres *centres, size_t first);

/* Of the block: squared distances (rows, on the host) to centre 0. */
clc_status clc_centres_distances(clc_centres *centres, float *distances);

/* Of the block: products with all centres, which stay in `products`. */
clc_status clc_centres_multiply(clc_centres *centres);

/* Of the block after clc_centres_multiply: the nearest centres (rows, on the host) and their x c -
 * |c|^2 / 2. */
clc_status clc_centres_assign(clc_centres *centres, int32_t *assigned, float *scores);

/* Adds the block's rows to the sums of their clusters (NULL: those of clc_centres_assign); begins
 * anew with all sums 0. */
clc_status clc_centres_add(clc_centres *centres, const int32_t *assigned);
clc_status clc_centres_clear(clc_centres *centres);

/* Makes the means of clusters of `counts` (k) the centres; those of empty ones stay. */
clc_status clc_centres_mean(clc_centres *centres, const int64_t *counts);

/* Makes row `row` of the features centre `number`. */
clc_status clc_centres_put(clc_centres *centres, int number, size_t row);

/* Makes `rows` (k,dim) the centres, or reads them. */
clc_status clc_centres_write(clc_centres *centres, const float *rows);
clc_status clc_centres_read(clc_centres *centres, float *rows);

/* Asks for its programs ahead of time. */
clc_status clc_centres_request(clc_device *device);

#endif
