/* The orientation of a picture, as cameras write it. */
#ifndef CLC_DATA_EXIF_H
#define CLC_DATA_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* Tag 0x0112 of the first directory of an EXIF block, which begins with "II" or "MM", or with
 * "Exif\0\0" before that: 1 to 8. Whatever is missing or broken: 1, as stored. */
int clc_exif_orientation(const uint8_t *block, size_t n);

/* The same of the block in a whole JPEG (APP1) or PNG (eXIf) file. */
int clc_exif_of_jpeg(const uint8_t *bytes, size_t n);
int clc_exif_of_png(const uint8_t *bytes, size_t n);

#endif
