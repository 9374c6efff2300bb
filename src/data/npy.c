#include "data/npy.h"

#include "core/file.h"

#include <stdio.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the arrays are written as they lie in memory, which must be little-endian"
#endif

enum { HEADER_BYTES = 128 };

/* Magic, version 1.0, header length (u16 LE), and a Python dictionary that spaces and a final
 * newline extend so that the data begin at a multiple of 64. */
static void make_header(const char *descr, const char *shape, char header[HEADER_BYTES]) {
    enum { PREFIX_BYTES = 10 };
    static const char prefix[PREFIX_BYTES + 1] = "\x93NUMPY\x01\x00\x76\x00";
    _Static_assert(HEADER_BYTES - PREFIX_BYTES == 0x76, "length in the prefix");
    memcpy(header, prefix, PREFIX_BYTES);
    snprintf(header + PREFIX_BYTES, HEADER_BYTES - PREFIX_BYTES,
             "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape);
    const size_t length = PREFIX_BYTES + strlen(header + PREFIX_BYTES);
    memset(header + length, ' ', HEADER_BYTES - length);
    header[HEADER_BYTES - 1] = '\n';
}

static clc_status write_array(const char *path, const char *descr, const char *shape,
                              const void *data, size_t bytes) {
    clc_status status = CLC_OK;
    clc_file_writer *writer = NULL;
    char header[HEADER_BYTES];
    make_header(descr, shape, header);
    CLC_TRY(clc_file_writer_open(path, &writer));
    CLC_TRY(clc_file_writer_write(writer, header, sizeof header));
    CLC_TRY(clc_file_writer_write(writer, data, bytes));
    return clc_file_writer_commit(&writer);
fail:
    clc_file_writer_abort(&writer);
    return status;
}

static void matrix_header(size_t rows, size_t cols, char header[HEADER_BYTES]) {
    char shape[48];
    snprintf(shape, sizeof shape, "%zu, %zu", rows, cols);
    make_header("<f4", shape, header);
}

clc_status clc_npy_begin_f32(const char *path, size_t cols, clc_npy_writer *writer) {
    clc_status status = CLC_OK;
    char header[HEADER_BYTES];
    *writer = (clc_npy_writer){.cols = cols};
    matrix_header(0, cols, header);
    CLC_TRY(clc_file_writer_open(path, &writer->file));
    CLC_TRY(clc_file_writer_write(writer->file, header, sizeof header));
    return CLC_OK;
fail:
    clc_npy_abort(writer);
    return status;
}

clc_status clc_npy_rows_f32(clc_npy_writer *writer, const float *values, size_t rows) {
    writer->rows += rows;
    return clc_file_writer_write(writer->file, values, rows * writer->cols * sizeof *values);
}

clc_status clc_npy_end(clc_npy_writer *writer) {
    char header[HEADER_BYTES];
    matrix_header(writer->rows, writer->cols, header);
    const clc_status status = clc_file_writer_rewrite(writer->file, 0, header, sizeof header);
    return status == CLC_OK ? clc_file_writer_commit(&writer->file) : status;
}

void clc_npy_abort(clc_npy_writer *writer) {
    clc_file_writer_abort(&writer->file);
}

clc_status clc_npy_write_f32(const char *path, const float *values, size_t rows, size_t cols) {
    char shape[48];
    snprintf(shape, sizeof shape, "%zu, %zu", rows, cols);
    return write_array(path, "<f4", shape, values, rows * cols * sizeof *values);
}

clc_status clc_npy_write_i64(const char *path, const int64_t *values, size_t n) {
    char shape[32];
    snprintf(shape, sizeof shape, "%zu,", n);
    return write_array(path, "<i8", shape, values, n * sizeof *values);
}
