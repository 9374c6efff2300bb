/* Where the random numbers of views of series come from. OpenCL C and C read this header alike.
 *
 * As for views of images (augment/view.h), the numbers are Philox4x32-10 with key = (low, high half
 * of the seed) and counter = (sample, epoch, view, purpose). */
#ifndef AUGMENT_SERIES_VIEW_H
#define AUGMENT_SERIES_VIEW_H

#define PURPOSE_SERIES_CROP    96  /* x whether, y how much is kept, z where it begins, w window */
#define PURPOSE_SERIES_TIME    97  /* warp: x whether, y strength; permute: z whether, w segments */
#define PURPOSE_SERIES_VALUES  98  /* scale: x whether, y deviation; jitter: z whether, w deviation */
#define PURPOSE_SERIES_DROP    99  /* x whether, y rate, z the channel that stays; w flip whether */
#define PURPOSE_SERIES_SPEED   100 /* x to w: speeds of the parts of a warp */
#define PURPOSE_SERIES_SEGMENT 101 /* and the number of a segment: x which one it changes with */
/* and the number of a channel: x to z scale, w whether it is dropped */
#define PURPOSE_SERIES_CHANNEL 0x30000000
/* and the number of a value in the view, step * channels + channel: x to w jitter */
#define PURPOSE_SERIES_EACH 0x40000000

#define SERIES_WARP_PARTS   4
#define SERIES_SEGMENTS_MAX 16

#endif
