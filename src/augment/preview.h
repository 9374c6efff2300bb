/* Shows what an augmentation does: a contact sheet of images and their views. */
#ifndef CLC_AUGMENT_PREVIEW_H
#define CLC_AUGMENT_PREVIEW_H

#include "augment/augment.h"

/* Writes a PNG with a row an image: the image itself, then `views` views of it, as training gets
 * them in epoch 0 (samples 0 .. images - 1) but not normalised. */
clc_status clc_augment_preview(clc_device *device, const clc_augment *augment,
                               const uint8_t *pixels, /* (images,H,W,C) */
                               int images, int views, const char *png_path);

#endif
