/* Silhouettes (Rousseeuw, 1987) of clusters or classes, with the distance 1 - cosine. */
#ifndef CLC_EVAL_SILHOUETTE_H
#define CLC_EVAL_SILHOUETTE_H

#include "eval/features.h"

/* The mean over all rows of (b - a) / max(a, b): a the mean distance to the others of its cluster,
 * b the least mean distance to another cluster; 0 for a cluster of one. Clusters are in [0, k),
 * numbers may be unused. Mean cosines are products with the mean of a cluster, so it takes time in
 * proportion to rows times k. `samples` (rows, on the host) receives each row's, unless NULL. NaN:
 * fewer than two clusters. Right to float's rounding of cosines, 1e-6. */
clc_status clc_silhouette(clc_device *device, const clc_features *features, const int32_t *clusters,
                          int k, double *samples, double *mean);

#endif
