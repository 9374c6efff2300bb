/* K-means of features of length 1: Lloyd's algorithm from k-means++ (Arthur & Vassilvitskii, SODA
 * 2007). */
#ifndef CLC_EVAL_KMEANS_H
#define CLC_EVAL_KMEANS_H

#include "eval/features.h"

typedef struct clc_kmeans_result {
    int32_t *assigned; /* (features->rows), in [0, k) */
    double inertia;    /* sum of the squared distances to the centres */
    int iterations;    /* of the best start */
} clc_kmeans_result;

/* The best of `starts` starts, each until no row changes its cluster, or 100 times. The same for
 * the same seed, on one device. A cluster that loses all its rows goes on from the row that is
 * farthest from its centre. CLC_INVALID: not 1 to `rows` clusters. Ctrl-C ends it with
 * CLC_INTERRUPTED. Free result->assigned. */
clc_status clc_kmeans(clc_device *device, const clc_features *features, int k, int starts,
                      uint64_t seed, clc_kmeans_result *result);

#endif
