/* Principal components: the directions of greatest variance. */
#ifndef CLC_EVAL_PROJECT_H
#define CLC_EVAL_PROJECT_H

#include "core/status.h"

#include <stdint.h>

/* out (rows,parts): rows of x (rows,dim) about their mean along the first `parts` (at most
 * CLC_PROJECT_PARTS and dim) principal directions, by subspace iteration from a seeded start; the
 * sign of each direction is such that its greatest component is positive. *share: how much of the
 * variance they hold, 0 where there is none. x isn't changed. */
enum { CLC_PROJECT_PARTS = 2 };
clc_status clc_project(const float *x, size_t rows, size_t dim, size_t parts, double *out,
                       double *share);

#endif
