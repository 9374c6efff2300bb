/* Scores of semantic segmentation, over the pixels of all images together. */
#ifndef CLC_EVAL_SEGMENTATION_SCORE_H
#define CLC_EVAL_SEGMENTATION_SCORE_H

#include "data/scenes.h"

#include <stdint.h>

typedef struct clc_segmentation_score {
    int classes;
    int64_t *confusion; /* (classes,classes), row: true class; owned */
    double *iou;        /* (classes): intersection / union; NaN of a class that is neither true nor
                           predicted; owned */
    double miou;        /* mean over the others; NaN if there is none */
    double pixel_accuracy;
} clc_segmentation_score;

/* Empty counts for up to 255 classes. Free it also after a failure. */
clc_status clc_segmentation_score_begin(int classes, clc_segmentation_score *score);

/* Counts `n` pixels; true ones of CLC_MASK_IGNORED are left out. Fails with CLC_INVALID if a class
 * is out of range. */
clc_status clc_segmentation_score_add(clc_segmentation_score *score, const uint8_t *truth,
                                      const uint8_t *predicted, size_t n);

/* Works out the shares from the counts. */
void clc_segmentation_score_finish(clc_segmentation_score *score);

void clc_segmentation_score_free(clc_segmentation_score *score);

#endif
