/* All pairs of rows that are alike. */
#ifndef CLC_SEARCH_PAIRS_H
#define CLC_SEARCH_PAIRS_H

#include "eval/features.h"

/* Calls take(context, i, j, cosine) for each row i of `a` and j of `b` whose cosine is at least the
 * threshold, in the order of i and tiles of j; where both are the same features, with i < j alone.
 * Works in tiles: takes about 100 MB of device memory and 32 MB of the host's, whatever the sizes.
 * Stops with the first failure of `take`; Ctrl-C: CLC_INTERRUPTED. */
typedef clc_status (*clc_pairs_take)(void *context, size_t i, size_t j, float cosine);
clc_status clc_pairs_find(clc_device *device, const clc_features *a, const clc_features *b,
                          float threshold, clc_pairs_take take, void *context);

#endif
