/* A labelled feature matrix on the device. */
#ifndef CLC_EVAL_FEATURES_H
#define CLC_EVAL_FEATURES_H

#include "device/device.h"

#include <stdint.h>

typedef struct clc_features {
    cl_mem data; /* (rows,dim) floats, not normalised */
    size_t rows;
    int dim;
    const int32_t *labels; /* (rows) on the host, in [0, classes); those of queries aren't read */
    int classes;
} clc_features;

/* Puts `values` (rows,dim), of which features has rows and dim, into a new buffer features->data.
 */
clc_status clc_features_upload(clc_device *device, const float *values, clc_features *features);

/* Whether rows can be compared: the same dimension, at least one row of the known. `what` compares,
 * in an error. */
clc_status clc_features_comparable(const clc_features *known, const clc_features *asked,
                                   const char *what);

/* Whether a classifier, named by `what` in an error, can learn from `known` and be asked about
 * `asked`: the same dimension, at least one known row, labels in range. */
clc_status clc_features_check(const clc_features *known, const clc_features *asked,
                              const char *what);

#endif
