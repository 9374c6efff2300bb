/* Kinds of corruptions, for OpenCL C and C alike. */
#ifndef AUGMENT_CORRUPTION_H
#define AUGMENT_CORRUPTION_H

#define CORRUPTION_NOISE      0 /* amount: deviation of the normal number added to each value */
#define CORRUPTION_BLUR       1 /* sigma in pixels */
#define CORRUPTION_BRIGHTNESS 2 /* what is added to each value */
#define CORRUPTION_CONTRAST   3 /* factor of the difference from the image's mean, channel by channel */
#define CORRUPTION_OCCLUSION  4 /* share of the area of a grey square at a random place */
#define CORRUPTION_ROTATION   5 /* degrees about the centre, to a random side; black beyond */
#define CORRUPTION_JPEG       6 /* JPEG's quality: its steps for coefficients of 8 x 8 values */
#define CORRUPTIONS           7

/* Of Philox: key the seed, counter (identity, place, channel, this + the kind). */
#define PURPOSE_CORRUPTION 64

#endif
