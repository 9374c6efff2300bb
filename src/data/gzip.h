/* Files that may be gzip or plain, read from the beginning on: zlib reads both alike. */
#ifndef CLC_DATA_GZIP_H
#define CLC_DATA_GZIP_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct clc_gzip {
    const char *path;
    struct gzFile_s *stream;
    bool cut; /* the gzip data have no end */
} clc_gzip;

clc_status clc_gzip_open(const char *path, clc_gzip *file);

/* Reads up to `n` bytes; *got is less than `n` at the end of the data. */
clc_status clc_gzip_read(clc_gzip *file, uint8_t *data, size_t n, size_t *got);

/* Reads `n` bytes, allocated as they come, so that a header that promises too much costs no memory;
 * *got < n: the data end early. */
clc_status clc_gzip_read_new(clc_gzip *file, size_t n, uint8_t **data, size_t *got);

/* Whether the file is plain. After the first reading. */
bool clc_gzip_is_plain(clc_gzip *file);
void clc_gzip_close(clc_gzip *file);

#endif
