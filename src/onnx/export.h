/* Encoders as ONNX files, for onnxruntime and others. */
#ifndef CLC_ONNX_EXPORT_H
#define CLC_ONNX_EXPORT_H

#include "core/status.h"

#include <stdbool.h>

typedef struct clc_onnx_options {
    const char *encoder; /* a run's folder or an encoder file */
    const char *device;
    const char *output; /* NULL: beside the encoder file, with the ending .onnx */
    const char *tower;  /* of an encoder of both: "image" (NULL, too) or "text" */
    bool pixels;        /* images come as values from 0 to 255 and are normalised in the graph */
    const char *const *overrides;
    size_t override_count;
} clc_onnx_options;

/* Writes what `embed` computes, opset 17, for any batch: "images" (batch,C,H,W), normalised, or
 * "pixels" (batch,C,H,W) to "features" (batch,F). What makes an image out of a picture is in the
 * metadata, whose keys begin with "clcontrast.". *written (CLC_PATH_BYTES) is the file's name. */
clc_status clc_onnx_export(const clc_onnx_options *options, char *written);

#endif
