/* Mean and deviation of a data set's pixels, by which views are normalised. They are measured on
 * the same pictures whether these are stored or decoded when needed: residency changes no result.
 */
#ifndef CLC_DATA_STATISTICS_H
#define CLC_DATA_STATISTICS_H

#include "data/dataset.h"

/* Sets mean and deviation by at most 2,048 pictures, evenly spread over the source; by more where
 * there is nothing to decode, as long as their bytes are 256 MiB at most; by all of those that have
 * no source. *bytes (unless NULL): about what all pictures take, decoded. Fails with CLC_FORMAT if
 * there is no picture among them. */
clc_status clc_dataset_measure(clc_dataset *dataset, double *bytes);

#endif
