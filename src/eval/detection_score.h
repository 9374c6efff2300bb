/* Scores of object detection by the rules of COCO (Lin et al., arXiv 1405.0312) as pycocotools
 * computes them: all areas, at most 100 detections an image and class, mean precision at 101
 * recalls, thresholds of overlap from 0.5 to 0.95 by 0.05. */
#ifndef CLC_EVAL_DETECTION_SCORE_H
#define CLC_EVAL_DETECTION_SCORE_H

#include "core/status.h"
#include "data/box.h"

enum { CLC_DETECTIONS_MOST = 100 }; /* of an image and class that count: the surest */

typedef struct clc_detection_score {
    int classes;
    /* Means over the classes that have objects besides crowds; NaN if none has. */
    double ap, ap50, ap75;
    double *ap_of_class; /* (classes): NaN where there is no object; owned */
} clc_detection_score;

/* Overlap of a detection with an object: intersection over union, or of a crowd over the
 * detection's own area; 0 where they don't touch. */
double clc_box_overlap(const clc_box *found, const clc_object *object);

/* Labels must be in [0, classes), images in [0, images). Free with clc_detection_score_free. */
clc_status clc_detection_score_make(const clc_object *objects, size_t object_count,
                                    const clc_detection *found, size_t found_count, int images,
                                    int classes, clc_detection_score *score);

void clc_detection_score_free(clc_detection_score *score);

#endif
