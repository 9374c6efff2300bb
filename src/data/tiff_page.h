/* A TIFF file in memory, and what the tags of its first page say. Private to src/data. */
#ifndef CLC_DATA_TIFF_PAGE_H
#define CLC_DATA_TIFF_PAGE_H

#include "data/decode.h"

#include <tiffio.h>

/* The file in memory, and what libtiff said first. */
typedef struct clc_tiff {
    const uint8_t *bytes;
    size_t n, at;
    TIFF *tiff;
    bool reading; /* pixels: then warnings stand for pixels that are missing or wrong */
    char message[256];
} clc_tiff;

/* What the page's tags say. */
typedef struct clc_tiff_layout {
    uint32_t height, width;
    uint16_t bits, samples, photometric, planar, format;
    int colours; /* samples of the colour model */
    int alpha;   /* which sample it is, or -1 */
    bool premultiplied;
    bool native;                      /* unpacked here */
    uint32_t unit_height, unit_width; /* of a strip or tile */
    const uint16_t *palette[3];
    int palette_shift; /* to bytes */
} clc_tiff_layout;

/* Fails with CLC_FORMAT and what libtiff said. */
clc_status clc_tiff_fail(const clc_tiff *r);

/* Opens the file whose bytes are in *r; TIFFClose(r->tiff) closes it, if it isn't NULL. */
clc_status clc_tiff_open(clc_tiff *r, const clc_image_options *options);

/* Fails for what can't be decoded. */
clc_status clc_tiff_read_layout(clc_tiff *r, const clc_image_options *options, clc_tiff_layout *l);

/* Of the raster: without alpha, a palette's colours. */
int clc_tiff_channels(const clc_tiff_layout *l);

/* A tag of 16 bits, or its default. */
uint16_t clc_tiff_tag(TIFF *tiff, uint32_t name);

#endif
