/* Classes from files of numbers. */
#ifndef CLC_DATA_LABELS_H
#define CLC_DATA_LABELS_H

#include "data/format.h"

/* Reads a file of classes, IDX or .npy, for the `count` pictures of the file `pictures`. */
clc_status clc_labels_read(const char *path, const char *pictures, uint64_t count,
                           int64_t **labels);

/* The classes of these numbers, -1 for negative ones: class k has the number k, so that what is
 * missing from one file of several changes nothing. */
clc_status clc_labels_classes(clc_listing *listing, const int64_t *values, size_t n,
                              int32_t **labels);

#endif
