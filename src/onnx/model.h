/* An ONNX file while it is put together (onnx.proto, opset 17): nodes that name their values,
 * constants, inputs with a symbolic batch, metadata. Texts are copied. */
#ifndef CLC_ONNX_MODEL_H
#define CLC_ONNX_MODEL_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { CLC_ONNX_INPUTS = 6, CLC_ONNX_NAME_BYTES = 160, CLC_ONNX_RANK = 5 };

typedef struct clc_onnx clc_onnx;

/* An attribute: a number, several or a word. */
typedef struct clc_onnx_attr {
    const char *name;
    enum { CLC_ONNX_INT, CLC_ONNX_INTS, CLC_ONNX_FLOAT, CLC_ONNX_WORD } kind;
    int count;
    int64_t ints[CLC_ONNX_RANK];
    float number;
    const char *word;
} clc_onnx_attr;

static inline clc_onnx_attr clc_onnx_int(const char *name, int64_t value) {
    return (clc_onnx_attr){.name = name, .kind = CLC_ONNX_INT, .count = 1, .ints = {value}};
}

static inline clc_onnx_attr clc_onnx_float(const char *name, float value) {
    return (clc_onnx_attr){.name = name, .kind = CLC_ONNX_FLOAT, .number = value};
}

static inline clc_onnx_attr clc_onnx_word(const char *name, const char *value) {
    return (clc_onnx_attr){.name = name, .kind = CLC_ONNX_WORD, .word = value};
}

/* A node of one output. `in`: names up to the first NULL, "" for one left out; `attrs` up to one
 * without a name, or NULL. */
typedef struct clc_onnx_node {
    const char *op;
    const char *in[CLC_ONNX_INPUTS];
    const char *out;
    const clc_onnx_attr *attrs;
} clc_onnx_node;

clc_status clc_onnx_new(const char *name, clc_onnx **model);
void clc_onnx_free(clc_onnx **model);

clc_status clc_onnx_add(clc_onnx *model, const clc_onnx_node *node);

/* Whether there is a constant of that name. */
bool clc_onnx_has(const clc_onnx *model, const char *name);

/* Constants; of rank 0 a scalar. */
clc_status clc_onnx_floats(clc_onnx *model, const char *name, int rank, const int64_t *dims,
                           const float *values);
clc_status clc_onnx_ints(clc_onnx *model, const char *name, int rank, const int64_t *dims,
                         const int64_t *values);

/* Values that come in or go out; the first dimension is "batch", however long. */
typedef enum clc_onnx_type { CLC_ONNX_FLOAT32 = 1, CLC_ONNX_INT32 = 6 } clc_onnx_type;
clc_status clc_onnx_input(clc_onnx *model, const char *name, clc_onnx_type type, int rank,
                          const int *dims);
clc_status clc_onnx_output(clc_onnx *model, const char *name, int rank, const int *dims);

clc_status clc_onnx_metadata(clc_onnx *model, const char *key, const char *value);

/* Writes it, atomically. More than the 2 GB that the format holds is CLC_INVALID. */
clc_status clc_onnx_write(const clc_onnx *model, const char *path);

#endif
