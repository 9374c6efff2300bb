/* Features of images by an encoder in inference mode. */
#ifndef CLC_EVAL_EMBED_H
#define CLC_EVAL_EMBED_H

#include "augment/augment.h"
#include "core/config.h"
#include "data/dataset.h"
#include "graph/graph.h"

typedef struct clc_embedder {
    clc_device *device;
    clc_augment augment; /* resize and normalise only */
    int batch;
    size_t image_bytes;
    clc_graph *graph;
    clc_tensor *images, *features;
    cl_mem pixels, indices, state, workspace;
    clc_sequence prepare; /* bytes to normalised images */
} clc_embedder;

/* Makes an embedder for images like those of `data` (a training set: its mean and deviation
 * normalise unless the configuration gives them). With `params` empty, the encoder's parameters are
 * added to it and the caller has to fill them; else those of the name are shared. */
clc_status clc_embedder_create(clc_embedder *embedder, clc_device *device, const clc_config *config,
                               clc_params *params, const clc_dataset *data);

/* F. */
int clc_embedder_features(const clc_embedder *embedder);

/* Embeds all images of `data` into the device buffer features (count,F). */
clc_status clc_embedder_run(clc_embedder *embedder, const clc_dataset *data, cl_mem features);

void clc_embedder_release(clc_embedder *embedder);

#endif
