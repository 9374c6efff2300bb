/* Encoders as ONNX files, for onnxruntime and others. */
#ifndef CLC_ONNX_EXPORT_H
#define CLC_ONNX_EXPORT_H

#include "core/status.h"

#include <stdbool.h>

/* How much of the preparation of samples is in the graph. */
typedef enum clc_onnx_preparation {
    CLC_ONNX_PREPARED,  /* none: images and series are normalised */
    CLC_ONNX_NORMALISE, /* images of values from 0 to 255, series as measured */
    CLC_ONNX_PICTURES   /* pictures of bytes and any size; series as measured */
} clc_onnx_preparation;

typedef struct clc_onnx_options {
    const char *encoder; /* a run's folder or an encoder file */
    const char *device;
    const char *output; /* NULL: beside the encoder file, with the ending .onnx */
    const char *tower;  /* of an encoder of both: "image" (NULL, too) or "text" */
    clc_onnx_preparation preparation;
    bool half; /* weights are halves, and what is computed with them; inputs and features aren't */
    int opset; /* 17 to 20; 0: 17 */
    const char *const *overrides;
    size_t override_count;
} clc_onnx_options;

/* Writes what `embed` computes, for any batch, as "features" (batch,F) of one of
 *   "images" (batch,C,S,S), normalised; "pixels", the same of 0 to 255; "pictures", uint8
 *       (batch,height,width,C);
 *   "tokens", int64 (batch,steps), and "lengths", int64 (batch);
 *   "series" (batch,steps,C), normalised, or "values", as measured, and "lengths";
 * by clc_onnx_preparation. How samples become inputs is in the metadata, whose keys begin with
 * "clcontrast.". *written (CLC_PATH_BYTES) is the file's name. */
clc_status clc_onnx_export(const clc_onnx_options *options, char *written);

#endif
