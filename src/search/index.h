/* An index: features of samples with their names in one file, which is mapped to be searched. It is
 * a safetensors file (features F32 (N,D) of length 1; lengths F32 (N), what they were before;
 * stamps U64 (N), by which changed files are known; names U8, each ended by a zero) with a
 * checksum, so that other programs can read it and a torn one is noticed. */
#ifndef CLC_SEARCH_INDEX_H
#define CLC_SEARCH_INDEX_H

#include "core/names.h"
#include "data/safetensors.h"

typedef struct clc_index {
    size_t count;
    int dim;
    const float *features;  /* (count,dim) */
    const float *lengths;   /* (count); NaN: not known; NULL: in files of 0.2 and before */
    const uint64_t *stamps; /* (count); 0: not known */
    clc_names names;        /* (count) */
    const char *encoder;    /* path of the encoder that made it */
    const char *weights;    /* hash of its weights, as 16 hexadecimal digits */
    /* private */
    clc_safetensors *file;
} clc_index;

/* Maps an index. CLC_FORMAT: it is none, or torn. */
clc_status clc_index_open(const char *path, clc_index **index);

void clc_index_close(clc_index **index);

/* Whether the file begins as an index does, whole or torn: then it may be replaced by one. */
bool clc_index_begins(const char *path);

/* What an index is written of: as in clc_index. */
typedef struct clc_index_contents {
    size_t count;
    int dim;
    const float *features, *lengths;
    const uint64_t *stamps;
    const clc_names *names;
    const char *encoder, *weights;
} clc_index_contents;

/* Writes an index, atomically. CLC_INVALID: the path of the encoder is not UTF-8. */
clc_status clc_index_write(const char *path, const clc_index_contents *contents);

#endif
