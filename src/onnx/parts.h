/* Translations by the kind of layer, and what they share. */
#ifndef CLC_ONNX_PARTS_H
#define CLC_ONNX_PARTS_H

#include "onnx/layers.h"

/* A linear layer whose weights are those of a convolution: over patches, without overlap. */
clc_status clc_onnx_patch_projection(clc_onnx_tape *tape, const clc_node *node, const char *out);

/* Of sequences (N,T,C). */
clc_status clc_onnx_embedding(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_patches(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_class_token(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_without_class_token(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_position(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_layernorm(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_gelu(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_attention(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_conv1d(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_recurrent(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_pool_tokens(clc_onnx_tape *tape, const clc_node *node, const char *out);

/* The numbers 0 to T - 1 (T) of the steps of the node's first input, a value that is made once. */
clc_status clc_onnx_step_numbers(clc_onnx_tape *tape, const clc_node *node,
                                 char name[CLC_ONNX_NAME_BYTES]);

/* Which steps of the node's first input count: bool (N,T), made once. Its second input is the
 * lengths. */
clc_status clc_onnx_valid(clc_onnx_tape *tape, const clc_node *node,
                          char name[CLC_ONNX_NAME_BYTES]);

/* A constant "<out>.<word>" of whole numbers (n); `name` receives its name. */
clc_status clc_onnx_put_ints(clc_onnx_tape *tape, const char *out, const char *word, int n,
                             const int64_t *values, char name[CLC_ONNX_NAME_BYTES]);

/* Constants that several layers share: a number; a whole number, axes (n), whose names are received
 * by `name`. */
clc_status clc_onnx_need_number(clc_onnx_tape *tape, const char *name, double value);
clc_status clc_onnx_need_int(clc_onnx_tape *tape, int64_t value, char name[CLC_ONNX_NAME_BYTES]);
clc_status clc_onnx_need_axes(clc_onnx_tape *tape, int n, const int64_t *axes,
                              char name[CLC_ONNX_NAME_BYTES]);

/* Transpose's attribute; of fewer dimensions the last ones don't count. */
clc_onnx_attr clc_onnx_order(int count, int a, int b, int c, int d, int e);

/* The name of the node's first input. */
const char *clc_onnx_in(const clc_onnx_tape *tape, const clc_node *node);

clc_status clc_onnx_unsqueeze(clc_onnx_tape *tape, const char *from, int n, const int64_t *axes,
                              const char *out);

/* Elements `first` to `end` - 1 along an axis. */
clc_status clc_onnx_slice(clc_onnx_tape *tape, const char *from, int axis, int first, int end,
                          const char *out);

#endif
