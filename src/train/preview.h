/* `clcontrast preview`: images, texts or series and their augmented views. */
#ifndef CLC_TRAIN_PREVIEW_H
#define CLC_TRAIN_PREVIEW_H

#include "clcontrast/train.h"
#include "data/dataset.h"
#include "device/device.h"

/* Draws the first images or series of the configuration's training set and some views of each into
 * a PNG. */
clc_status clc_preview(const clc_train_options *options, const char *png);

/* The same of a data set that is open, fewer of them, into the folder of its run: views.jpg, and of
 * texts that the method sees views.txt. */
clc_status clc_preview_run(const clc_config *config, clc_device *device, const clc_dataset *data);

/* Writes the first texts of data.train and some views of each into a text file: a line each, with
 * how many tokens it has. */
clc_status clc_preview_text(const clc_train_options *options, const char *path);

/* The same of a data set with texts that is open, as its encoder of texts sees them: no longer than
 * its context. */
clc_status clc_preview_text_of(const clc_config *config, const clc_config_encoder *encoder,
                               clc_device *device, const clc_dataset *data, const char *path);

#endif
