/* The preview of series, for clc_preview. */
#ifndef CLC_TRAIN_PREVIEW_SERIES_H
#define CLC_TRAIN_PREVIEW_SERIES_H

#include "data/dataset.h"
#include "device/device.h"

/* Draws the first series of data.train, by mean and deviation, and some views of each into a PNG:
 * up to three channels as curves, more as pictures of a row a step. */
clc_status clc_preview_series(const clc_config *config, const char *device, const char *png);

/* The same of a data set and a device that are open. */
clc_status clc_preview_series_of(const clc_config *config, clc_device *device,
                                 const clc_dataset *data, const char *picture);

#endif
