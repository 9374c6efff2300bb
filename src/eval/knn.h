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

/* Asks for its program ahead of time. */
clc_status clc_knn_request(clc_device *device);

#endif
