/* A trained encoder: images in, features out. */
#ifndef CLCONTRAST_ENCODER_H
#define CLCONTRAST_ENCODER_H

#include "clcontrast/status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct clc_encoder clc_encoder;

/* Loads config.ini and encoder.safetensors of the run `folder` onto a device (number, "cpu", "gpu"
 * or part of a name; NULL: the best). Close with clc_encoder_close. */
CLC_API clc_status clc_encoder_open(const char *folder, const char *device, clc_encoder **encoder);

/* Features an image gives. */
CLC_API int clc_encoder_features(const clc_encoder *encoder);

/* Shape that images must have. */
CLC_API void clc_encoder_shape(const clc_encoder *encoder, int *height, int *width, int *channels);

/* Embeds `count` images, pixels (count,height,width,channels) bytes, into features
 * (count,clc_encoder_features()) floats of the caller. */
CLC_API clc_status clc_encoder_embed(clc_encoder *encoder, const uint8_t *pixels, size_t count,
                                     float *features);

CLC_API void clc_encoder_close(clc_encoder **encoder);

#ifdef __cplusplus
}
#endif
#endif
