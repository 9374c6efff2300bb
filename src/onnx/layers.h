/* The nodes of a tape as ONNX's operators. Images are (N,C,H,W) there, all else as on the tape. */
#ifndef CLC_ONNX_LAYERS_H
#define CLC_ONNX_LAYERS_H

#include "graph/graph.h"
#include "onnx/model.h"

/* A tape that is being translated. */
typedef struct clc_onnx_tape {
    clc_onnx *model;
    const clc_graph *graph;
    char (*values)[CLC_ONNX_NAME_BYTES]; /* of graph->tensors, by number; empty: not made yet */
    int steps; /* of the graph's sequences, any number in the model; 0: it has none */
} clc_onnx_tape;

/* Adds all nodes that `features` takes; that value is called `name`. Before, the names of the
 * inputs stand in tape->values. Parameters have the names and shapes of the encoder file. A layer
 * that has no translation is CLC_INVALID. */
clc_status clc_onnx_translate(clc_onnx_tape *tape, const clc_tensor *features, const char *name);

/* The place of a tensor's name in `values`. */
char *clc_onnx_value(const clc_onnx_tape *tape, const clc_tensor *tensor);

/* A node's translation: makes the value `out`. */
typedef clc_status (*clc_onnx_layer)(clc_onnx_tape *tape, const clc_node *node, const char *out);

/* Adds nodes that each take what the one before made as their first input, the first one `from`;
 * the last makes `out`, the others "<out>.<their out>". */
clc_status clc_onnx_chain(clc_onnx *model, const char *from, clc_onnx_node *nodes, int n,
                          const char *out);

/* "<out>.<word>". */
clc_status clc_onnx_inner(char name[CLC_ONNX_NAME_BYTES], const char *out, const char *word);

/* Adds the node's parameter number i as a constant unless it is there; `name` receives its name. */
clc_status clc_onnx_param(clc_onnx_tape *tape, const clc_node *node, int i,
                          char name[CLC_ONNX_NAME_BYTES]);

#endif
