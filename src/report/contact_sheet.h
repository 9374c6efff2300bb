/* A picture with rows of small images on a grey ground, to look at. */
#ifndef CLC_REPORT_CONTACT_SHEET_H
#define CLC_REPORT_CONTACT_SHEET_H

#include "core/status.h"

#include <stdint.h>

typedef struct clc_contact_sheet {
    int rows, columns;
    int height, width; /* of a cell in the picture, in pixels */
    int gap;           /* between cells and around them */
    uint8_t *pixels;   /* RGB of the whole sheet */
} clc_contact_sheet;

/* A sheet of empty cells. Fails with CLC_INVALID when the PNG would be wider or taller than 32,767.
 */
clc_status clc_contact_sheet_create(int rows, int columns, int height, int width,
                                    clc_contact_sheet **sheet);

/* Puts an image of `channels` 1 or 3, bytes (height,width,channels), into a cell: magnified by the
 * largest whole number that fits, in the middle. Ignored if it is larger than the cell. */
void clc_contact_sheet_put(clc_contact_sheet *sheet, int row, int column, const uint8_t *image,
                           int height, int width, int channels);

/* Writes a JPEG if the name ends with .jpg, else a PNG. */
clc_status clc_contact_sheet_write(const clc_contact_sheet *sheet, const char *path);

/* A single picture as a JPEG in memory: of `channels` 1 or 3, bytes (height,width,channels). *bytes
 * (*n of them) is the caller's to free. */
clc_status clc_picture_jpeg(const uint8_t *pixels, int height, int width, int channels,
                            void **bytes, size_t *n);

void clc_contact_sheet_free(clc_contact_sheet **sheet);

#endif
