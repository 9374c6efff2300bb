/* A trained encoder: images or texts in, features out. */
#ifndef CLCONTRAST_ENCODER_H
#define CLCONTRAST_ENCODER_H

#include "clcontrast/status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct clc_encoder clc_encoder;

/* Loads an encoder from `path`, an encoder.safetensors or the folder of a run, onto a device
 * (number, "cpu", "gpu" or part of a name; NULL: the best). Close with clc_encoder_close. */
CLC_API clc_status clc_encoder_open(const char *path, const char *device, clc_encoder **encoder);

/* Features an image or text gives. */
CLC_API int clc_encoder_features(const clc_encoder *encoder);

/* Channels that images are brought to: 1 grey, 3 colour, or as many as they must have; 0: it reads
 * no images. */
CLC_API int clc_encoder_channels(const clc_encoder *encoder);

/* Embeds `count` images of any size, pixels (count,height,width,channels) bytes, into features
 * (count,clc_encoder_features()) floats of the caller. An image's features don't depend on the
 * others'. */
CLC_API clc_status clc_encoder_embed(clc_encoder *encoder, const uint8_t *pixels, size_t count,
                                     int height, int width, int channels, float *features);

/* Embeds `count` texts likewise: of any length and bytes, as UTF-8. An encoder of images and texts
 * gives both such features that cosines of images with texts mean something. CLC_INVALID: it reads
 * no texts. */
CLC_API clc_status clc_encoder_embed_texts(clc_encoder *encoder, const char *const *texts,
                                           size_t count, float *features);

CLC_API void clc_encoder_close(clc_encoder **encoder);

#ifdef __cplusplus
}
#endif
#endif
