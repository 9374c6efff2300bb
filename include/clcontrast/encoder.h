/* A trained encoder: images or texts in, features out. Several threads may use one at once, but for
 * its closing; they take turns on the device. */
#ifndef CLCONTRAST_ENCODER_H
#define CLCONTRAST_ENCODER_H

#include "clcontrast/status.h"

#include <stdbool.h>
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

/* What it reads: one of these, or CLC_READS_IMAGES | CLC_READS_TEXTS. */
enum { CLC_READS_IMAGES = 1, CLC_READS_TEXTS = 2, CLC_READS_SERIES = 4 };
CLC_API unsigned clc_encoder_reads(const clc_encoder *encoder);

/* Classes of the samples it was trained on, 0 where they have no names; the name of one, which is
 * the encoder's, or NULL. */
CLC_API size_t clc_encoder_classes(const clc_encoder *encoder);
CLC_API const char *clc_encoder_class(const clc_encoder *encoder, size_t number);

/* Channels that images are brought to: 1 grey, 3 colour, or as many as they must have; 0: it reads
 * no images. */
CLC_API int clc_encoder_channels(const clc_encoder *encoder);

/* Channels that series must have; 0: it reads none. */
CLC_API int clc_encoder_series_channels(const clc_encoder *encoder);

/* Embeds `count` images of any size, pixels (count,height,width,channels) bytes, into features
 * (count,clc_encoder_features()) floats of the caller. An image's features don't depend on the
 * others'. */
CLC_API clc_status clc_encoder_embed(clc_encoder *encoder, const uint8_t *pixels, size_t count,
                                     int height, int width, int channels, float *features);

/* Embeds `count` files of one picture each, of any format, size and channels, into features
 * (count,clc_encoder_features()). bad (count), unless NULL, says which could not be read: their
 * rows are NaN. With NULL one such file is a failure; all of them always are. */
CLC_API clc_status clc_encoder_embed_files(clc_encoder *encoder, const char *const *paths,
                                           size_t count, float *features, bool *bad);

/* Embeds `count` texts likewise: of any length and bytes, as UTF-8. An encoder of images and texts
 * gives both such features that cosines of images with texts mean something. CLC_INVALID: it reads
 * no texts. */
CLC_API clc_status clc_encoder_embed_texts(clc_encoder *encoder, const char *const *texts,
                                           size_t count, float *features);

/* Embeds `count` series, values (count,steps,channels) of clc_encoder_series_channels() channels,
 * of which the first lengths[i] steps are those of series i (NULL: all of each), likewise. They are
 * scaled by the mean and deviation of training; of one that is longer than the encoder's context
 * the steps in the middle count. CLC_INVALID: it reads no series, or a value is not finite. */
CLC_API clc_status clc_encoder_embed_series(clc_encoder *encoder, const float *values, size_t count,
                                            int steps, const int *lengths, float *features);

CLC_API void clc_encoder_close(clc_encoder **encoder);

#ifdef __cplusplus
}
#endif
#endif
