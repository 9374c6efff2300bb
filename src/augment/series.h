/* Random views of series that lie on the device as floats. Values are first brought to mean 0 and
 * deviation 1, channel by channel; then, in this order:
 *
 *   crop      a span of the series: a part of its steps, at least one
 *   warp      time runs at other speeds: in four parts of the view, each of speed 1 - s to 1 + s of
 *             a strength s, so that the span stays; between two steps lie values between theirs
 *   flip      time runs backwards
 *   permute   the view is cut into so many segments, which change places
 *   scale     each channel is multiplied by a number of mean 1 and a deviation
 *   jitter    each value gets a number of mean 0 and a deviation
 *   drop      channels become 0, their mean, each with the view's rate; one stays
 *
 * Each is made with its probability, and then with an amount (part, strength, number, deviation,
 * rate) drawn for the view from its range. The numbers are sums of uniform ones, nearly normal. Of
 * a span that is longer than a view, a window is drawn.
 *
 * What is drawn depends on the seed, the epoch, the sample and the number of the view only
 * (cl/augment/series_view.h): it is the same for any batch, place in the batch and device. */
#ifndef CLC_AUGMENT_SERIES_H
#define CLC_AUGMENT_SERIES_H

#include "augment/augment.h"
#include "core/config.h"

#include "../../cl/augment/field.h"
#include "../../cl/augment/series_view.h"

typedef struct clc_series_augment {
    int context, channels;      /* T: steps of a view at most; C */
    bool window;                /* of what is longer any part; else the middle */
    clc_config_series settings; /* all 0: series as they are, but for mean and deviation */
    uint64_t seed;
} clc_series_augment;

/* Fails with CLC_INVALID and what is wrong. */
clc_status clc_series_augment_check(const clc_series_augment *augment);

/* The transform of evaluation: series as they are, of longer ones the middle. */
clc_series_augment clc_series_augment_evaluation(const clc_series_augment *train);

/* The series of a batch on the device. */
typedef struct clc_series_samples {
    cl_mem values;  /* (steps,C) */
    cl_mem places;  /* field_place: of all series */
    cl_mem firsts;  /* int (samples + 1): which series are a sample's */
    cl_mem indices; /* int: the batch's samples, which decide what is drawn */
    cl_mem norm;    /* (2,C): mean, 1 / deviation */
} clc_series_samples;

/* Appends the launch that makes views of series: batch->images counts samples. */
clc_status clc_series_augment_build(clc_sequence *sequence, clc_device *device,
                                    const clc_series_augment *augment,
                                    const clc_augment_batch *batch,
                                    const clc_series_samples *samples,
                                    cl_mem step_state, /* uint [0]: the epoch */
                                    cl_mem out,        /* (rows,T,C) */
                                    cl_mem lengths);   /* int (rows) */

#endif
