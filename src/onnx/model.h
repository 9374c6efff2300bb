/* An ONNX file while it is put together (onnx.proto): nodes that name their values, constants,
 * inputs some of whose dimensions have names, metadata. Texts are copied. */
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

/* Operator sets that the nodes may be of: LayerNormalization came with the first. */
enum { CLC_ONNX_OPSET = 17, CLC_ONNX_OPSET_MOST = 20 };

/* Element types that are used, with the format's numbers. */
typedef enum clc_onnx_type {
    CLC_ONNX_FLOAT32 = 1,
    CLC_ONNX_UINT8 = 2,
    CLC_ONNX_INT32 = 6,
    CLC_ONNX_INT64 = 7,
    CLC_ONNX_FLOAT16 = 10,
    CLC_ONNX_FLOAT64 = 11
} clc_onnx_type;

/* The network computes with `numbers`: FLOAT32 or FLOAT16. */
clc_status clc_onnx_new(const char *name, int opset, clc_onnx_type numbers, clc_onnx **model);
void clc_onnx_free(clc_onnx **model);

clc_status clc_onnx_add(clc_onnx *model, const clc_onnx_node *node);

clc_onnx_type clc_onnx_numbers(const clc_onnx *model);

/* Whether there is a constant or a node's output of that name. */
bool clc_onnx_has(const clc_onnx *model, const char *name);

/* Constants; of rank 0 a scalar. `floats` become the network's numbers: CLC_INVALID where one is
 * more than a half holds. The others stay as they are. */
clc_status clc_onnx_floats(clc_onnx *model, const char *name, int rank, const int64_t *dims,
                           const float *values);
clc_status clc_onnx_exact(clc_onnx *model, const char *name, int rank, const int64_t *dims,
                          const float *values);
clc_status clc_onnx_doubles(clc_onnx *model, const char *name, int rank, const int64_t *dims,
                            const double *values);
clc_status clc_onnx_ints(clc_onnx *model, const char *name, int rank, const int64_t *dims,
                         const int64_t *values);

/* Values that come in or go out. A dimension with a name may be of any length. */
typedef struct clc_onnx_dim {
    int length;
    const char *name;
} clc_onnx_dim;
clc_status clc_onnx_input(clc_onnx *model, const char *name, clc_onnx_type type, int rank,
                          const clc_onnx_dim *dims);
clc_status clc_onnx_output(clc_onnx *model, const char *name, int rank, const clc_onnx_dim *dims);

clc_status clc_onnx_metadata(clc_onnx *model, const char *key, const char *value);

/* Writes it, atomically. More than the 2 GB that the format holds is CLC_INVALID. */
clc_status clc_onnx_write(const clc_onnx *model, const char *path);

#endif
