/* Features of images by an encoder in inference mode. */
#ifndef CLC_EVAL_EMBED_H
#define CLC_EVAL_EMBED_H

#include "augment/residence.h"
#include "core/config.h"
#include "graph/graph.h"

typedef struct clc_embedder {
    clc_device *device;
    const clc_config *config;
    clc_augment augment; /* resize and normalise only */
    int batch;
    clc_graph *graph; /* NULL: the features are the pixels of the views */
    clc_tensor *images, *features;
    cl_mem views; /* (batch,size,size,C): the images' value */
    clc_residence residence;
    cl_mem state, workspace;
    clc_sequence prepare; /* bytes to normalised images */
} clc_embedder;

/* The side that images are to be scaled down to: the configuration's data.store_side, or where that
 * is more than views can be made of, what can. */
int clc_embedder_side(const clc_config *config);

/* Makes an embedder for any images that clc_embedder_side and data.channels bring in, and others of
 * up to `height` x `width`. The configuration must be a settled one: mean, deviation, size,
 * store_side and channels given. With `params` empty, the
 * encoder's parameters are added to it and the caller has to fill them; else those of the name are
 * shared. `params` NULL: features are pixels, of white 1, in views of side `pixels_side`. */
clc_status clc_embedder_create(clc_embedder *embedder, clc_device *device, const clc_config *config,
                               clc_params *params, int height, int width, int pixels_side);

/* F. */
int clc_embedder_features(const clc_embedder *embedder);

/* Embeds the `count` samples (NULL: all, in order) of `data` into the device buffer features
 * (count,F). Where bad files are skipped, bad (count) tells the samples that can't be read; the
 * *rows of the others follow each other. */
clc_status clc_embedder_run(clc_embedder *embedder, const clc_dataset *data, const int32_t *samples,
                            size_t count, cl_mem features, bool *bad, size_t *rows);

/* Embeds all of `data` and hands over batch by batch: features (batch->count,F) on the host, rows
 * of bad samples among them; those samples are added to `bad`, unless NULL. Stops with the first
 * failure of `take`. */
typedef clc_status (*clc_embedder_take)(void *context, const clc_batch *batch,
                                        const float *features);
clc_status clc_embedder_each(clc_embedder *embedder, const clc_dataset *data,
                             clc_embedder_take take, void *context, clc_bad_files *bad);

void clc_embedder_release(clc_embedder *embedder);

#endif
