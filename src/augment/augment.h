/* Random views of images, made on the device from the data set's bytes. Steps, in this order:
 *
 * - crop, resize, flips: one pass from the bytes to floats in [0, 1]
 * - rotation: about the centre, counter-clockwise for positive angles, bilinear; what lies outside
 *   the image is black, so the border fades over one pixel
 * - colour jitter: brightness, contrast, saturation and hue in random order
 * - grey
 * - blur
 * - solarise
 * - normalise: (x - mean) / std
 *
 * Crop, resize (bilinear with antialiasing), jitter, grey, blur (reflected borders) and solarise
 * follow torchvision. Images may differ in size. On images of one channel saturation, hue and grey
 * do nothing; other numbers than 1 and 3 know no colour, and jitter, grey and solarise are refused.
 *
 * What is drawn for a view depends on the seed, the epoch, the sample and the number of the view
 * only: cl/augment/view.h lists the draws. It is the same for any batch, place in the batch and
 * device.
 */
#ifndef CLC_AUGMENT_AUGMENT_H
#define CLC_AUGMENT_AUGMENT_H

#include "core/config.h"
#include "device/sequence.h"

#include "../../cl/augment/view.h"

enum { CLC_AUGMENT_CHANNELS = 16 }; /* the most channels */

typedef struct clc_augment {
    int height, width, channels; /* the greatest of the source images; up to CLC_AUGMENT_CHANNELS */
    clc_config_augmentation settings; /* size, mean and std given; all else 0: images as they are */
    uint64_t seed;
} clc_augment;

/* Floats of a view. */
static inline size_t clc_augment_floats(const clc_augment *augment) {
    return (size_t)augment->settings.size * (size_t)augment->settings.size *
           (size_t)augment->channels;
}

/* Fails with CLC_INVALID and what is wrong. */
clc_status clc_augment_check(const clc_augment *augment);

/* The transform of evaluation: the same source, size and normalisation, nothing random. The largest
 * square in the middle, or (`whole`) all of the image, resized if need be; where training crops
 * without resizing, as many pixels in the middle. */
clc_augment clc_augment_evaluation(const clc_augment *train, bool whole);

/* Bytes of workspace for `views` views in all. What the launches leave at its start is one
 * augment_view (cl/augment/view.h) a view. */
size_t clc_augment_workspace(const clc_device *device, const clc_augment *augment, int views);

/* Which views a launch makes. */
typedef struct clc_augment_batch {
    int images, views; /* images; views of each */
    int first_image;   /* the first one's place in the indices */
    int first_view;    /* number of the first view: decides what is drawn */
    int first_row;     /* where the views go: row first_row + v images + i is view v of image i */
} clc_augment_batch;

/* The images of a batch on the device: where they lie, and who they are. */
typedef struct clc_augment_images {
    cl_mem pixels[AUGMENT_BUFFERS]; /* bytes; NULL from the first that isn't used on */
    cl_mem places;                  /* augment_place (images) */
    cl_mem indices;                 /* int (images): identities */
} clc_augment_images;

/* Appends the launches that make views of images. */
clc_status clc_augment_build(clc_sequence *sequence, clc_device *device, const clc_augment *augment,
                             const clc_augment_batch *batch, const clc_augment_images *images,
                             cl_mem step_state, /* uint [0]: the epoch */
                             cl_mem out,        /* (rows,size,size,C) */
                             cl_mem workspace);

#endif
