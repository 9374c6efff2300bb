/* What each layer of an encoder makes of samples: of a ResNet the means of its stages' maps, and of
 * any network its features. */
#ifndef CLC_EVAL_LAYERS_H
#define CLC_EVAL_LAYERS_H

#include "eval/embed.h"
#include "eval/spread.h"

enum { CLC_LAYERS_MOST = 9 }; /* as many stages as encoder.blocks can list, and the features */

typedef struct clc_layers {
    size_t rows; /* samples */
    size_t count;
    char names[CLC_LAYERS_MOST][24]; /* "stage_1" ... and last "features" */
    clc_space spaces[CLC_LAYERS_MOST];
} clc_layers;

/* Of `n` samples that can be read. `params` are those of the network that reads `in`, whose stage
 * doesn't matter. Ctrl-C: CLC_INTERRUPTED. Free it also after a failure. */
clc_status clc_layers_make(clc_device *device, const clc_config *config, clc_params *params,
                           const clc_embedder_input *in, const clc_dataset *data,
                           const int32_t *samples, size_t n, clc_layers *layers);
void clc_layers_free(clc_layers *layers);

#endif
