/* Translations by the kind of layer. */
#ifndef CLC_ONNX_PARTS_H
#define CLC_ONNX_PARTS_H

#include "onnx/layers.h"

/* A linear layer whose weights are those of a convolution: over patches, without overlap. */
clc_status clc_onnx_patch_projection(clc_onnx_tape *tape, const clc_node *node, const char *out);

/* Of sequences (N,T,C), all steps of which count. */
clc_status clc_onnx_patches(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_class_token(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_without_class_token(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_position(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_layernorm(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_gelu(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_attention(clc_onnx_tape *tape, const clc_node *node, const char *out);
clc_status clc_onnx_pool_tokens(clc_onnx_tape *tape, const clc_node *node, const char *out);

#endif
