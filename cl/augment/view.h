/* What is drawn at random for one view, and where the random numbers come from. OpenCL C and C read
 * this header alike.
 *
 * The numbers of a view are Philox4x32-10 with key = (low, high half of the seed) and
 * counter = (sample, epoch, view, purpose): the sample's index in the data set, not its place in
 * the batch. `purpose` tells groups of four draws (x, y, z, w) apart: */
#ifndef AUGMENT_VIEW_H
#define AUGMENT_VIEW_H

#ifndef __OPENCL_C_VERSION__
#include <stdint.h>
#endif

#define PURPOSE_CROP   0  /* 0 to 9: try t of the crop: x area, y ratio, z top, w left */
#define PURPOSE_SHAPE  16 /* whether: x crop, y horizontal flip, z vertical flip, w rotation */
#define PURPOSE_COLOUR 17 /* whether: x jitter, y grey, z blur, w solarise */
#define PURPOSE_AMOUNT 18 /* x angle, y order of the jitter's parts, z sigma of the blur */
#define PURPOSE_JITTER 19 /* x brightness, y contrast, z saturation, w hue */

/* How the crop's box is found. */
#define CROP_NONE           0
#define CROP_RANDOM_RESIZED 1
#define CROP_RANDOM         2
#define CROP_CENTER         3
#define CROP_SQUARE         4
#define CROP_TRIES          10

/* Stages that a program contains; the others cost nothing. */
#define STAGE_ROTATION   1
#define STAGE_BRIGHTNESS 2
#define STAGE_CONTRAST   4
#define STAGE_SATURATION 8
#define STAGE_HUE        16
#define STAGE_GREY       32
#define STAGE_BLUR       64
#define STAGE_SOLARISE   128
#define STAGE_JITTER     (STAGE_BRIGHTNESS | STAGE_CONTRAST | STAGE_SATURATION | STAGE_HUE)

/* The parts of the jitter, as numbered in augment_view.order. */
#define PART_BRIGHTNESS 0
#define PART_CONTRAST   1
#define PART_SATURATION 2
#define PART_HUE        3

/* Where an image of the batch lies: its bytes (height,width,C) begin at `offset` of a buffer. That
 * is its place; its identity, which decides what is drawn, is a number of its own. */
#ifdef __OPENCL_C_VERSION__
typedef ulong augment_offset;
#else
typedef uint64_t augment_offset;
#endif
#define AUGMENT_BUFFERS 4
typedef struct augment_place {
    augment_offset offset;
    int buffer; /* 0 to AUGMENT_BUFFERS - 1 */
    int height, width;
    int unused; /* to a multiple of 8 bytes */
} augment_place;

typedef struct augment_view {
    int sample;                         /* identity of the source image */
    int image;                          /* number of its place */
    int top, left, height, width;       /* box of the source; outside the image: black */
    int horizontal_flip, vertical_flip; /* 0 or 1, as the next ones */
    int rotate, jitter, grey, blur, solarise;
    int order;                              /* part k of the jitter is (order >> 4 k) & 15 */
    float cosine, sine;                     /* of the rotation, counter-clockwise */
    float brightness, contrast, saturation; /* factors: 1 changes nothing */
    float hue;                              /* turn of the colour circle: 0 changes nothing */
    float sigma;                            /* of the blur, in pixels */
} augment_view;

#endif
