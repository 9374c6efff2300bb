/* Weighted k-nearest-neighbour classification on cosine similarity. */
#ifndef CLC_EVAL_KNN_H
#define CLC_EVAL_KNN_H

#include "eval/features.h"

/* predictions (queries->rows, on the host): the class with the greatest sum of exp(cos /
 * temperature) over the k most similar rows of `bank`; k above bank->rows counts as that. Ties go
 * to the lower row and class; a zero vector's cosine is 0. Works in blocks: takes about 100 MB of
 * device memory, whatever the sizes. */
clc_status clc_knn_classify(clc_device *device, const clc_features *bank,
                            const clc_features *queries, int k, double temperature,
                            int32_t *predictions);

/* What is wanted of it, on the host; NULL: not wanted. */
typedef struct clc_knn_found {
    int32_t *predictions; /* (queries) */
    float *logits;        /* (queries,classes): logarithms of votes, -infinity without any */
    float *cosines; /* (queries,k) of the neighbours, the nearest first; k at most bank->rows */
    int32_t *rows;  /* (queries,k): theirs in the bank; -1: fewer have a cosine at all */
} clc_knn_found;

/* The same, and the neighbours themselves: for these alone the bank needs no labels, and no
 * temperature counts. Ctrl-C: CLC_INTERRUPTED. */
clc_status clc_knn_find(clc_device *device, const clc_features *bank, const clc_features *queries,
                        int k, double temperature, const clc_knn_found *found);

/* Asks for its program ahead of time. */
clc_status clc_knn_request(clc_device *device);

#endif
