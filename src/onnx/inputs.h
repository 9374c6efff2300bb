/* What goes into an ONNX network, and how it is made, as metadata. */
#ifndef CLC_ONNX_INPUTS_H
#define CLC_ONNX_INPUTS_H

#include "eval/encoder.h"
#include "onnx/export.h"
#include "onnx/layers.h"

/* Adds the tower's inputs, whose names stand in tape->values then, and the nodes of preparation.
 * What there is nothing of in the graph is CLC_INVALID: texts become tokens outside. */
clc_status clc_onnx_add_inputs(clc_onnx_tape *tape, const clc_encoder *encoder,
                               const clc_tower_encoder *tower, clc_onnx_preparation preparation);

/* Parts of it: "pictures", uint8 (batch,height,width,C), to values from 0 to 255 (batch,C,S,S),
 * which becomes the value `out`, cut and scaled as `embed` does. */
clc_status clc_onnx_add_pictures(clc_onnx_tape *tape, const clc_embedder *embedder,
                                 const char *out);

#endif
