/* Shared by the files of the gallery. */
#ifndef CLC_EVAL_GALLERY_PARTS_H
#define CLC_EVAL_GALLERY_PARTS_H

#include "eval/evaluated.h"

#include <jansson.h>

/* Samples that could be read, and what is known of them. */
typedef struct clc_gallery {
    const clc_dataset *data;
    clc_device *device;
    const clc_config *config;
    clc_features features; /* (count,dim) on the device */
    float *unit;           /* (count,dim): of length 1, on the host */
    int32_t *samples;      /* (count): of the data set */
    int32_t *labels;       /* (count): -1: none */
    size_t count;
    int dim, k;    /* neighbours */
    int32_t *near; /* (count,k) */
    float *cosine; /* (count,k) */
    bool *shown;   /* (count): by the lists of clc_gallery_choose */
    bool labelled; /* any is */
    int classes;
    json_t *page; /* samples.json */
} clc_gallery;

/* Names, classes, folders, texts and curves; and the pictures, into thumbs.jpg: where it can't hold
 * all, first those of samples that are shown. */
clc_status clc_gallery_describe(clc_gallery *gallery, const char *folder);

/* Map and clusters; the map also as map.jpg. */
clc_status clc_gallery_map(clc_gallery *gallery, const char *folder);

/* Neighbours of some samples, the hardest and the most typical; marks what they show. */
clc_status clc_gallery_choose(clc_gallery *gallery);

#endif
