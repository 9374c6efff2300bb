/* TensorBoard's event files: records of Event messages (tensorflow/core/util/event.proto), each
 * with its length and masked CRC-32C checksums. Five kinds of fields are all that is needed, so
 * that a writer of them is shorter than what protobuf-c would have to be given and generate. */
#ifndef CLC_REPORT_EVENTS_H
#define CLC_REPORT_EVENTS_H

#include "core/status.h"

#include <stdint.h>
#include <stdio.h>

/* CRC-32C (Castagnoli) of `n` bytes. */
uint32_t clc_crc32c(const void *data, size_t n);

/* Opens a new event file in `folder`. With resumed_step -1 those of former runs are removed; else
 * readers are told to drop what they have of later steps. */
clc_status clc_events_open(const char *folder, int64_t resumed_step, FILE **file);

/* A figure of a step. A file that can't be written shows in ferror. */
void clc_events_scalar(FILE *file, int64_t step, const char *tag, double value);

/* A picture: the `n` bytes of a PNG or JPEG of that size. */
typedef struct clc_events_picture {
    const void *bytes;
    size_t n;
    int height, width;
} clc_events_picture;
clc_status clc_events_image(FILE *file, int64_t step, const char *tag,
                            const clc_events_picture *picture);

#endif
