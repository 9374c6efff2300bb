/* The nearest of each row among the others. */
#ifndef CLC_EVAL_NEIGHBOURS_H
#define CLC_EVAL_NEIGHBOURS_H

#include "eval/features.h"

/* index (rows,k), cosine (rows,k): of each row the k others with the greatest cosine, falling; of
 * equal ones the first. k < rows. Works in tiles; Ctrl-C ends it with CLC_INTERRUPTED. */
clc_status clc_neighbours(clc_device *device, const clc_features *features, int k, int32_t *index,
                          float *cosine);

#endif
