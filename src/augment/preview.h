/* Shows what an augmentation does: a contact sheet of images and their views. */
#ifndef CLC_AUGMENT_PREVIEW_H
#define CLC_AUGMENT_PREVIEW_H

#include "augment/augment.h"
#include "data/image.h"

/* Writes a PNG with a row for each of the `count` images: the image itself, then `views` views of
 * it, as training gets them in epoch 0 (samples 0 .. count - 1) but not normalised. Of more than
 * three channels the first three are shown. */
clc_status clc_augment_preview(clc_device *device, const clc_augment *augment,
                               const clc_image *images, int count, int views, const char *png_path);

#endif
