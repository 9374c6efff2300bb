/* Losses at every place of a map: cl/dense/pixels.cl, cl/dense/centres.cl. */
#ifndef CLC_DENSE_LOSSES_H
#define CLC_DENSE_LOSSES_H

#include "device/sequence.h"

/* Numbers of a box behind the classes in the output of detection: from the middle of the place to
 * the centre, right and down, and the logarithms of width and height, all in places of the map. */
enum { CLC_BOX_SIDES = 4 };

typedef struct clc_dense_loss {
    int rows, classes;
    cl_mem x;        /* (rows,classes), or (rows,classes + CLC_BOX_SIDES) */
    cl_mem gradient; /* as x: dL/dx, written */
    cl_mem scale;    /* (1): what the sum is multiplied by */
    cl_mem labels;   /* segmentation: uint8 (rows); those from `classes` on don't count */
    cl_mem heat;     /* detection: (rows,classes) in [0, 1], or less: not known */
    cl_mem sides;    /* detection: (rows,1 + CLC_BOX_SIDES): weight, then the target */
    cl_mem parts;    /* (device->groups) */
    cl_mem value;    /* (1): L, written */
} clc_dense_loss;

/* Their programs, of some number of classes: for what looks at programs ahead of training. */
clc_status clc_dense_request(clc_device *device);

/* Appends cross-entropy of labels; or focal loss of heat and L1 of sides. */
clc_status clc_pixels_build(clc_sequence *sequence, clc_device *device, const clc_dense_loss *loss);
clc_status clc_centres_build(clc_sequence *sequence, clc_device *device,
                             const clc_dense_loss *loss);

/* Appends labels (rows) = the class of the greatest of x. */
clc_status clc_pixels_predict(clc_sequence *sequence, clc_device *device,
                              const clc_dense_loss *loss);

#endif
