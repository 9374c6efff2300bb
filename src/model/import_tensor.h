/* Values of our parameters from the tensors of another program's file. */
#ifndef CLC_MODEL_IMPORT_TENSOR_H
#define CLC_MODEL_IMPORT_TENSOR_H

#include "model/import_names.h"

/* A network in a file. */
typedef struct clc_import_part {
    const clc_safetensors *file;
    const clc_dialect *dialect;
    char prefix[CLC_IMPORT_PREFIX_BYTES];
    bool *used; /* (file->count): tensors that were taken */
} clc_import_part;

typedef enum clc_import_outcome {
    CLC_IMPORTED,
    CLC_IMPORTED_CHANNELS, /* brought to another number of channels */
    CLC_IMPORT_MISSING,
    CLC_IMPORT_DIFFERS /* another shape, or a type that is no floating-point number */
} clc_import_outcome;

/* The file's tensor of our name (of q, k and v the first), or NULL. */
const clc_st_tensor *clc_import_find(const clc_import_part *part, const char *ours);

/* Size of the dimension number `d` of that tensor as ours has it: as if it weren't transposed; 0:
 * there is none. */
size_t clc_import_size(const clc_import_part *part, const char *ours, int d);

/* Fills out (shape) with our tensor of that name: queries, keys and values are put together,
 * dimensions of 1 don't count, 16 and 64 bits become 32, a layer scale becomes part of its layer.
 * Of a convolution (k,c,h,w) with more or less input channels: c = 1 of several is their sum;
 * several of 1 are shares of it; else they are repeated in turn and scaled by the quotient of the
 * numbers, so that a grey image gives the same. `theirs` becomes the name in the file. */
clc_import_outcome clc_import_value(const clc_import_part *part, const char *ours, int rank,
                                    const size_t shape[4], float *out, clc_import_name *theirs);

#endif
