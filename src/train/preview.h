/* `clcontrast preview`: images, texts or series and their augmented views. */
#ifndef CLC_TRAIN_PREVIEW_H
#define CLC_TRAIN_PREVIEW_H

#include "clcontrast/train.h"

/* Draws the first images or series of the configuration's training set and some views of each into
 * a PNG. */
clc_status clc_preview(const clc_train_options *options, const char *png);

/* Writes the first texts of data.train and some views of each into a text file: a line each, with
 * how many tokens it has. */
clc_status clc_preview_text(const clc_train_options *options, const char *path);

#endif
