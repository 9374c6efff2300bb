/* What the report shows of samples: samples.json and thumbs.jpg of a run's folder. A sample of the
 * test set (or, without one, of the training set), evenly spaced, with names, classes, pictures,
 * texts or curves, a map, nearest neighbours, the hardest and the most typical. */
#ifndef CLC_EVAL_GALLERY_H
#define CLC_EVAL_GALLERY_H

#include "eval/evaluated.h"

/* Asks for the programs ahead of time, if this configuration wants samples in a report. */
clc_status clc_gallery_request(clc_device *device, const clc_config *config);

/* Writes them for this row's first tower. Nothing where evaluation.map is 0 or too few samples can
 * be read. */
clc_status clc_gallery_write(clc_evaluated *row, const char *folder);

/* The same for an encoder that no task can evaluate. */
clc_status clc_gallery_write_for(clc_device *device, const clc_config *config,
                                 const clc_evaluation_sets *sets,
                                 clc_params *const params[CLC_TOWERS], const char *folder);

#endif
