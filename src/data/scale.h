/* Makes pictures smaller. */
#ifndef CLC_DATA_SCALE_H
#define CLC_DATA_SCALE_H

#include "core/status.h"

#include <stdint.h>

/* Of a picture (height,width,channels) of bytes. */
typedef struct clc_scale_from {
    const uint8_t *pixels;
    int height, width, channels;
    /* How many of its rows and columns are taken: the last one in part, or all. */
    double rows, columns;
} clc_scale_from;

/* Scales down to (to_height,to_width,channels), by a triangle as wide as the scale: torch's
 * interpolate(mode="bilinear", antialias=True) and PIL's BILINEAR, but summed in float and rounded
 * once. `to` doesn't overlap the pixels. The same bits on every processor. */
clc_status clc_scale(const clc_scale_from *from, uint8_t *to, int to_height, int to_width);

#endif
