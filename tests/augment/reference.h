/* The specification of augmentation: what is drawn for a view (the device's floats, step by step,
 * to the last bit), and the pixels that follow from it (double, after torchvision's definitions).
 */
#ifndef TESTS_AUGMENT_REFERENCE_H
#define TESTS_AUGMENT_REFERENCE_H

#include "augment/augment.h"
#include "augment/view.h"

/* What is drawn for view `view` of image `sample` in `epoch`. */
augment_view reference_draw(const clc_augment *a, int sample, uint32_t epoch, uint32_t view);

/* Each step alone. Images are (size,size,channels) doubles in [0, 1], changed in place. */
void reference_crop(const clc_augment *a, const augment_view *v, const uint8_t *source,
                    double *image);
void reference_rotate(double *image, int size, int channels, double cosine, double sine);
void reference_brightness(double *image, int size, int channels, double factor);
void reference_contrast(double *image, int size, int channels, double factor);
void reference_saturation(double *image, int size, double factor);
void reference_hue(double *image, int size, double turn);
void reference_grey(double *image, int size);
void reference_blur(double *image, int size, int channels, int kernel, double sigma);
void reference_solarise(double *image, int size, int channels, double threshold);

/* All of them but solarise and normalise: image (size,size,channels) of source (H,W,C). */
void reference_view(const clc_augment *a, const augment_view *v, const uint8_t *source,
                    double *image);

#endif
