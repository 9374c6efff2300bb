/* Makes pictures smaller. */
#ifndef CLC_DATA_SCALE_H
#define CLC_DATA_SCALE_H

#include "core/status.h"

#include <stdint.h>

/* Scales (height,width,channels) bytes down to (to_height,to_width,channels), neither side larger
 * than before: a triangle as wide as the scale, that is torch's interpolate(mode="bilinear",
 * antialias=True) and PIL's BILINEAR, but summed in float and rounded once. `to` doesn't overlap
 * `from`. The same bits on every processor. */
clc_status clc_scale(const uint8_t *from, int height, int width, int channels, uint8_t *to,
                     int to_height, int to_width);

#endif
