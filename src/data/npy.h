/* Arrays for NumPy: .npy files, version 1.0, row-major, little-endian, written atomically. */
#ifndef CLC_DATA_NPY_H
#define CLC_DATA_NPY_H

#include "core/file.h"

#include <stddef.h>
#include <stdint.h>

/* values: (rows,cols) */
clc_status clc_npy_write_f32(const char *path, const float *values, size_t rows, size_t cols);

/* A matrix written row by row, in the end whole or not at all. */
typedef struct clc_npy_writer {
    clc_file_writer *file;
    size_t rows, cols;
} clc_npy_writer;
clc_status clc_npy_begin_f32(const char *path, size_t cols, clc_npy_writer *writer);
clc_status clc_npy_rows_f32(clc_npy_writer *writer, const float *values, size_t rows);
clc_status clc_npy_end(clc_npy_writer *writer);
void clc_npy_abort(clc_npy_writer *writer);

/* values: (n) */
clc_status clc_npy_write_i64(const char *path, const int64_t *values, size_t n);

#endif
