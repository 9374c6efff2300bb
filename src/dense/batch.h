/* What the host makes of scenes: the input of the encoder, and what a head is to say there. */
#ifndef CLC_DENSE_BATCH_H
#define CLC_DENSE_BATCH_H

#include "core/config.h"
#include "data/scenes.h"

/* Pictures of a batch, by their numbers, perhaps mirrored within the part of the square that they
 * fill. */
typedef struct clc_scene_batch {
    const clc_scenes *scenes;
    const int32_t *chosen; /* (count) */
    const bool *mirrored;  /* (count); NULL: none is */
    int count;
} clc_scene_batch;

/* x (count,side,side,channels): (v / 255 - mean) / std, and 0 beside the pictures. */
void clc_batch_pixels(const clc_scene_batch *batch, const clc_config_augmentation *norm, float *x);

/* labels (count,side,side); returns how many count. */
size_t clc_batch_labels(const clc_scene_batch *batch, uint8_t *labels);

/* A map of places in which objects are looked for. */
typedef struct clc_places {
    int height, width, classes;
} clc_places;

/* What is to be found (cl/dense/centres.cl): heat (count,height,width,classes) is 1 where the
 * centre of an object lies and falls off as a Gaussian of a deviation in proportion to its sides
 * (TTFNet, arXiv 1909.00700), -1 where nothing is known: in crowds of that class, and beside the
 * picture; sides (count,height,width,1 + CLC_BOX_SIDES) are those of the object whose heat is
 * greatest, which is their weight too. Returns the number of objects. */
size_t clc_batch_places(const clc_scene_batch *batch, const clc_places *places, float *heat,
                        float *sides);

/* The boxes that an output x (height,width,classes + CLC_BOX_SIDES) means for scene `i`, in its
 * pixels: at places whose heat is the greatest of the 3 x 3 around them, the surest first, up to
 * `most`; returns how many. */
size_t clc_places_boxes(const clc_scenes *scenes, size_t i, const clc_places *places,
                        const float *x, clc_detection *found, size_t most);

#endif
