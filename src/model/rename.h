/* Encoder files under the names of other tools. */
#ifndef CLC_MODEL_RENAME_H
#define CLC_MODEL_RENAME_H

#include "core/status.h"

/* Writes the weights of the encoder of a run or file `path` to `output` (NULL: a file beside it, in
 * which case *written, of CLC_PATH_BYTES, is its name) as the tool named by `as` expects them:
 *
 * torchvision: as they are in the encoder file ("layer1.0.conv1.weight")
 * detectron2:  of a ResNet, "backbone.bottom_up.res2.0.conv1.weight", for models with RGB input and
 *              stride in the 3x3 convolutions (MODEL.RESNETS.STRIDE_IN_1X1 False). Its stem is that
 *              of stem = large; of a small one CLC_INVALID
 *
 * The metadata is that of the encoder file. */
clc_status clc_encoder_rename(const char *path, const char *as, const char *output, char *written);

#endif
