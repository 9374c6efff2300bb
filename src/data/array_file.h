/* Arrays in files. */
#ifndef CLC_DATA_ARRAY_FILE_H
#define CLC_DATA_ARRAY_FILE_H

#include "data/array_header.h"

/* An array in a file, plain or gzip; unpacked it lies in memory, plain it stays in the file. */
typedef struct clc_array_file {
    const char *path; /* not owned */
    clc_array array;
    uint64_t item;   /* bytes of an item: all sizes but the first */
    int file;        /* or -1 */
    uint8_t *memory; /* or NULL */
    uint64_t stamp;  /* of the file */
} clc_array_file;

/* Fails with CLC_FORMAT, naming the file, unless it has exactly the elements that it promises. */
clc_status clc_array_open(const char *path, clc_array_parse parse, clc_array_file *file);

/* Reads `count` items from `first` on into `to`. CLC_IO without the name if the file has changed.
 */
clc_status clc_array_read(const clc_array_file *file, uint64_t first, size_t count, uint8_t *to);
void clc_array_close(clc_array_file *file);

#endif
