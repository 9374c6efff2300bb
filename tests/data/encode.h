/* Makes files of pictures, in memory, by the libraries that read them; and expects pixels. */
#ifndef TESTS_DATA_ENCODE_H
#define TESTS_DATA_ENCODE_H

#include "data/image.h"
#include "support.h"

typedef struct bytes {
    uint8_t *data; /* owned */
    size_t n;
} bytes;

/* White background, upright, at most a million pixels. */
extern const clc_image_options plain;

/* Repeatable numbers below `limit`. */
unsigned draw(unsigned limit);

/* Decodes the file and frees it; its header must say the same. Then compares. */
void expect_pixels(bytes file, const clc_image_options *options, int height, int width,
                   int channels, const uint8_t *pixels, int tolerance, const char *what);

void bytes_free(bytes *b);
bytes bytes_copy(const void *data, size_t n);
bytes bytes_join(bytes first, const void *second, size_t n); /* frees `first` */
/* Puts `n` bytes in at `at`. */
void bytes_insert(bytes *b, size_t at, const void *data, size_t n);

/* EXIF's block with an orientation behind `before` other entries. */
bytes exif_block(int orientation, bool little, int before);

/* Samples below 2^depth, one an element: (height,width,elements of the PNG colour type). exif: a
 * block, or NULL. palette: 256 x RGB; transparency: of `n_transparent` colours of it. */
typedef struct png_make {
    int height, width, depth, colour;
    bool interlaced;
    const uint8_t *palette, *transparency;
    int n_transparent;
    const bytes *exif;
} png_make;
bytes make_png(const png_make *make, const uint16_t *samples);

/* channels: 1, 3 or 4 (CMYK, as it is to be stored). Without loss but for rounding (quality 100,
 * 4:4:4) unless sampled, which is 4:2:0. */
typedef struct jpeg_make {
    int height, width, channels;
    bool progressive, adobe, sampled;
    const bytes *exif;
} jpeg_make;
bytes make_jpeg(const jpeg_make *make, const uint8_t *samples);

/* Lossless. channels: 3 or 4. */
bytes make_webp(int height, int width, int channels, const uint8_t *samples);
/* An animation of one frame at (2*half_y, 2*half_x) of a canvas; with EXIF's block if not NULL. */
bytes make_webp_canvas(int height, int width, int half_y, int half_x, int frame_height,
                       int frame_width, const uint8_t *rgb, const bytes *exif);

/* Samples (height,width,samples) of bits 1 to 8, 16 or 32. */
typedef struct tiff_make {
    int height, width, samples, bits, photometric;
    int format;      /* SAMPLEFORMAT_*; 0: unsigned */
    int compression; /* 0: none */
    int orientation; /* 0: no tag */
    int alpha;       /* 1 premultiplied, 2 not; 0: no such sample */
    int unspecified; /* further samples of no stated meaning */
    int tile;        /* side of tiles; 0: strips of 3 rows */
    bool separate, big_endian;
    const uint16_t *palette; /* (3,2^bits) */
} tiff_make;
bytes make_tiff(const tiff_make *make, const void *samples);

#endif
