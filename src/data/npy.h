/* Arrays for NumPy: .npy files, version 1.0, row-major, little-endian, written atomically. */
#ifndef CLC_DATA_NPY_H
#define CLC_DATA_NPY_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

/* values: (rows,cols) */
clc_status clc_npy_write_f32(const char *path, const float *values, size_t rows, size_t cols);

/* values: (n) */
clc_status clc_npy_write_i64(const char *path, const int64_t *values, size_t n);

#endif
