/* Boxes around objects of images. */
#ifndef CLC_DATA_BOX_H
#define CLC_DATA_BOX_H

#include <stdbool.h>
#include <stdint.h>

/* In pixels of the image; x, y is the upper left corner, and pixel 0 reaches from 0 to 1. */
typedef struct clc_box {
    double x, y, width, height;
} clc_box;

/* An object that is there. */
typedef struct clc_object {
    clc_box box;
    int32_t image, label; /* label: in [0, classes) */
    bool crowd;           /* a group under one box: nothing is learned of it, and what is found in
                             it is neither right nor wrong */
} clc_object;

/* One that was found. */
typedef struct clc_detection {
    clc_box box;
    int32_t image, label;
    double score; /* the larger the surer */
} clc_detection;

#endif
