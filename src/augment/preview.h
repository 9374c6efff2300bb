/* A contact sheet: images and their views. */
#ifndef CLC_AUGMENT_PREVIEW_H
#define CLC_AUGMENT_PREVIEW_H

#include "augment/augment.h"

/* Writes a PNG with a row an image: the original, then `views` views of it (epoch 0), enlarged by a whole factor
 * when small. pixels (images,height,width,channels). */
clc_status clc_augment_preview(clc_device *device, const clc_augment *augment,
                               const uint8_t *pixels, int images, int views, const char *png);

#endif
