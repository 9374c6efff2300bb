/* What the decoders share: one file a format behind data/decode.c. Private to src/data and its
 * tests. */
#ifndef CLC_DATA_DECODE_H
#define CLC_DATA_DECODE_H

#include "data/image.h"

typedef enum clc_sample { CLC_SAMPLE_U8, CLC_SAMPLE_U16, CLC_SAMPLE_F32 } clc_sample;

/* The size of the picture in its file, and how many rows and columns of what was decoded show it: a
 * decoder that scales can't always end with a whole pixel. */
typedef struct clc_image_part {
    int full_height, full_width;
    double rows, columns;
} clc_image_part;

/* clc_image_fit of such a picture. */
clc_status clc_image_fit_part(clc_image *image, const clc_image_options *options,
                              const clc_image_part *part);

/* A picture as its file holds it. */
typedef struct clc_raster {
    int height, width;
    int channels;       /* without alpha */
    bool alpha;         /* one more element a pixel, behind the channels */
    bool premultiplied; /* the channels are multiplied by it */
    bool cmyk;          /* four channels: ink, 0 is none */
    clc_sample sample;
    double white;        /* the brightest value, unless options say otherwise; black is 0 */
    int orientation;     /* EXIF's, 1 to 8 */
    clc_image_part part; /* without a full size: all of it */
    void *samples;       /* (height,width,channels + alpha) of `sample`; owned */
} clc_raster;

/* Sets sizes, and allocates the samples, zeroed. */
clc_status clc_raster_new(clc_raster *raster, int height, int width, int channels, bool alpha,
                          clc_sample sample);
void clc_raster_free(clc_raster *raster);

size_t clc_sample_bytes(clc_sample sample);

/* To bytes, on the background, to the channels and size of the options, upright. Takes the samples
 * out of the raster. */
clc_status clc_raster_finish(clc_raster *raster, const clc_image_options *options,
                             clc_image *image);

/* Fails unless the header's size is at least 1 x 1 and within options->max_pixels. */
clc_status clc_check_size(double height, double width, const clc_image_options *options);

/* A format. Its functions get the bytes of a file that it has recognised; messages name neither
 * file nor format. */
typedef struct clc_decoder {
    const char *name;
    bool (*recognise)(const uint8_t *bytes, size_t n);
    clc_status (*probe)(const uint8_t *bytes, size_t n, const clc_image_options *options,
                        clc_image_info *info);
    clc_status (*decode)(const uint8_t *bytes, size_t n, const clc_image_options *options,
                         clc_raster *raster);
} clc_decoder;

extern const clc_decoder clc_decoder_jpeg, clc_decoder_png, clc_decoder_webp, clc_decoder_tiff,
    clc_decoder_pnm, clc_decoder_gif, clc_decoder_bmp, clc_decoder_psd, clc_decoder_tga;

/* Whether the file begins with this text. */
bool clc_begins(const uint8_t *bytes, size_t n, const char *text, size_t length);

#endif
