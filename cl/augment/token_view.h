/* Where the random numbers of views of texts come from. OpenCL C and C read this header alike.
 *
 * As for views of images (augment/view.h), the numbers are Philox4x32-10 with key = (low, high half
 * of the seed) and counter = (sample, epoch, view, purpose). Purposes are others than those of
 * images: a picture and its caption, which are one sample, are not drawn alike. */
#ifndef AUGMENT_TOKEN_VIEW_H
#define AUGMENT_TOKEN_VIEW_H

#define PURPOSE_TOKENS_CROP   64 /* x whether, y how much is kept, z where it begins */
#define PURPOSE_TOKENS_REMOVE 65 /* delete: x whether, y rate; mask: z whether, w rate */
#define PURPOSE_TOKENS_CHANGE 66 /* synonym: x whether, y rate; swap: z whether, w rate */
/* and the number of a token in the text, start not counted: x delete, y mask, z synonym, w which */
#define PURPOSE_TOKENS_EACH 0x10000000
/* and the number of a token in the view: x whether it is exchanged with the next */
#define PURPOSE_TOKENS_SWAP 0x20000000

#endif
