/* A labelled feature matrix on the device. */
#ifndef CLC_EVAL_FEATURES_H
#define CLC_EVAL_FEATURES_H

#include "device/device.h"

#include <stdint.h>

typedef struct clc_features {
    cl_mem data;           /* (rows,dim) floats, not normalised */
    size_t rows;
    int dim;
    const int32_t *labels; /* (rows) on the host, in [0, classes); queries may have NULL */
    int classes;
} clc_features;

#endif
