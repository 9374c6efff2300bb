/* One picture in host memory, and how it is read from the bytes of a file. */
#ifndef CLC_DATA_IMAGE_H
#define CLC_DATA_IMAGE_H

#include "core/config.h"
#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct clc_image {
    int height, width, channels;
    uint8_t *pixels; /* (height,width,channels); owned: clc_image_free */
} clc_image;

void clc_image_free(clc_image *image);

/* What becomes of a picture on its way in. */
typedef struct clc_image_options {
    int channels;          /* 1 grey, 3 colour, or as many as the picture must have; 0: its own,
                              without alpha */
    int side;              /* longer short sides are scaled down to it (and the long side to at most
                              twice of it), never up; 0: no limit */
    uint8_t background[3]; /* behind transparent pixels */
    bool orientation;      /* apply EXIF's */
    double low, high;      /* of 16-bit and float elements: black and white; equal: 0 and the
                              type's largest value, or 1 */
    double max_pixels;     /* more are refused by the header, before anything is decoded */
} clc_image_options;

/* `side` and `channels` are decisions of the data set, not just the configuration's. */
clc_image_options clc_image_options_from_config(const clc_config_data *config, int side,
                                                int channels);

/* What a header says. */
typedef struct clc_image_info {
    const char *format; /* "jpeg", "png", ...: static text */
    int height, width;  /* as stored: before orientation */
    int channels;       /* without alpha */
} clc_image_info;

/* Reads the header only. CLC_FORMAT: not a picture (the message names what it is, "not supported
 * (heic)", where the contents tell) or a header that is cut or larger than options->max_pixels. */
clc_status clc_image_probe(const uint8_t *bytes, size_t n, const clc_image_options *options,
                           clc_image_info *info);

/* Decodes the `n` bytes of a file of any supported format, found by its contents; animations and
 * many pages give their first. Any thread. CLC_FORMAT: the message says what is wrong without the
 * file's name; nothing is accepted that is cut. *image is empty on failure.
 *
 * Whatever the bytes are: at most 12 * max(4, channels with alpha) * options->max_pixels + n bytes
 * and 64 MiB are allocated at a time (channels: of the file, 16 at most; 4 bytes a pixel for most
 * files), and the time is bounded by that and 100 passes over the pixels. 16 bits become 8 by
 * rounding 255 * (v - low) / (high - low). Ink (CMYK) becomes RGB without a profile. */
clc_status clc_image_decode(const uint8_t *bytes, size_t n, const clc_image_options *options,
                            clc_image *image);

/* Decodes a PNG whose pixels are numbers, such as classes: indices of its palette, or grey levels,
 * as they stand in the file. Options say what is too large. */
clc_status clc_image_decode_numbers(const uint8_t *bytes, size_t n,
                                    const clc_image_options *options, clc_image *image);

/* Brings decoded pixels to options->side and options->channels in place: for formats that hold bare
 * pixels. */
clc_status clc_image_fit(clc_image *image, const clc_image_options *options);

/* The size that `height` x `width` is brought to by options->side: both are multiplied by
 * min(1, side / the shorter, 2 * side / the longer), rounded, a half up, and are at least 1. */
void clc_image_fitted(const clc_image_options *options, int height, int width, int *fitted_height,
                      int *fitted_width);

#endif
