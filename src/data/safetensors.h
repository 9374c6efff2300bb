/* Safetensors files: named tensors and a few strings. A u64 (little-endian) gives the length of a
 * JSON header, the data follow it. */
#ifndef CLC_DATA_SAFETENSORS_H
#define CLC_DATA_SAFETENSORS_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

/* Element types: name in the file, bytes. */
#define CLC_DTYPE_LIST(X)                                                                          \
    X(F32, 4)                                                                                      \
    X(F64, 8)                                                                                      \
    X(F16, 2)                                                                                      \
    X(BF16, 2)                                                                                     \
    X(I8, 1)                                                                                       \
    X(I16, 2)                                                                                      \
    X(I32, 4)                                                                                      \
    X(I64, 8)                                                                                      \
    X(U8, 1)                                                                                       \
    X(U16, 2)                                                                                      \
    X(U32, 4)                                                                                      \
    X(U64, 8)                                                                                      \
    X(BOOL, 1)

typedef enum clc_dtype {
#define CLC_DTYPE_ENUM(name, bytes) CLC_##name,
    CLC_DTYPE_LIST(CLC_DTYPE_ENUM)
#undef CLC_DTYPE_ENUM
        CLC_DTYPE_COUNT
} clc_dtype;

const char *clc_dtype_name(clc_dtype dtype);
size_t clc_dtype_bytes(clc_dtype dtype);

enum { CLC_ST_MAX_RANK = 8 };

typedef struct clc_st_tensor {
    const char *name;
    clc_dtype dtype;
    int rank;                      /* 0: a scalar */
    size_t shape[CLC_ST_MAX_RANK]; /* row-major */
    size_t count;     /* elements; set by the reader, taken from the shape by the writer */
    const void *data; /* aligned for the type */
} clc_st_tensor;

/* An open file, in memory or mapped; it owns every name, string and datum. */
typedef struct clc_safetensors {
    clc_st_tensor *tensors; /* in the order of the header */
    size_t count;
    const char *(*metadata)[2]; /* key, value */
    size_t metadata_count;
    bool verified; /* it carries a checksum, which is right */
    /* private */
    struct json_t *header;
    void *bytes;
    size_t mapped; /* bytes of the file where it is mapped; 0: bytes are malloc'd */
} clc_safetensors;

/* Reads and validates the file; CLC_FORMAT with a message if it breaks any rule of the format, or
 * carries a checksum that its contents don't match. */
clc_status clc_safetensors_open(const char *path, clc_safetensors **st);

/* The same, but refuses a file without a checksum: for checkpoints. */
clc_status clc_safetensors_open_verified(const char *path, clc_safetensors **st);

/* The same, but the file is mapped, not read: for large ones that are replaced, never changed in
 * place. */
clc_status clc_safetensors_map(const char *path, clc_safetensors **st);

/* NULL if there is none of that name. */
const clc_st_tensor *clc_safetensors_find(const clc_safetensors *st, const char *name);
const char *clc_safetensors_metadata(const clc_safetensors *st, const char *key);

void clc_safetensors_close(clc_safetensors **st);

/* Writes the file atomically. Tensors with larger elements come first, which aligns all of them,
 * and otherwise tensors and metadata keep their order. With `checksum` the first metadata entry is
 * "xxh3", the hash of the whole file with zeros in place of its own 16 digits, and the reader
 * notices any changed byte. Names that are doubled or not UTF-8: CLC_INVALID. */
clc_status clc_safetensors_write(const char *path, const clc_st_tensor *tensors, size_t n,
                                 const char *const (*metadata)[2], size_t n_metadata,
                                 bool checksum);

#endif
