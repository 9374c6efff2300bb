/* Dense tasks on an encoder's feature maps: a head that says what is where, trained on the frozen
 * encoder and, if asked for, then together with it. */
#ifndef CLC_DENSE_DENSE_H
#define CLC_DENSE_DENSE_H

#include "dense/batch.h"
#include "dense/losses.h"
#include "graph/param.h"
#include "net/net.h"
#include "optim/optim.h"

/* What trains: the head on the encoder's maps, or both together. */
typedef struct clc_dense_stage {
    clc_graph *graph;
    clc_tensor *images; /* of both together */
    clc_tensor *said;   /* (batch,H,W,outputs): the head's */
    clc_sequence loss, update;
    clc_optim_tables tables;
    cl_mem norms, workspace;
} clc_dense_stage;

enum { CLC_DENSE_HEAD, CLC_DENSE_ALL, CLC_DENSE_STAGES };

typedef struct clc_dense {
    clc_device *device;
    const clc_config *config;
    clc_scenes_kind kind; /* masks: segmentation; boxes: detection */
    clc_config_encoder encoder;
    clc_config_optimizer optimizer;
    int side, channels, batch, classes, outputs;
    clc_params params; /* of encoder and head */
    /* The encoder in inference, up to its maps, which heads read. */
    clc_graph *encode;
    clc_tensor *images;
    clc_taps maps;
    clc_graph *predict; /* the head in inference */
    clc_tensor *said;
    clc_dense_stage stages[CLC_DENSE_STAGES];
    clc_sequence argmax;
    clc_places places; /* of what is said */
    /* A batch: the host's side, and the device's. */
    float *pixels, *heat, *sides;
    uint8_t *labels;
    cl_mem scale, target_labels, target_heat, target_sides, parts, value, hyper, result;
    /* Maps of training scenes, where they fit. */
    size_t map_floats; /* of a scene */
    float *cache;      /* (scenes,map_floats), or NULL */
    bool *cached;      /* (scenes) */
} clc_dense;

/* Plans and makes everything for scenes like these. The encoder's weights are copied from
 * `encoder`, which has them under the names of training. CLC_INVALID if the network has no maps,
 * or the test scenes don't fit the training scenes. Release it also after a failure. */
clc_status clc_dense_create(clc_dense *dense, clc_device *device, const clc_config *config,
                            const clc_scenes *train, const clc_params *encoder);

/* Trains the head, and if the configuration says so all. `what` stands in the progress line. Fails
 * with CLC_INTERRUPTED on a signal. */
clc_status clc_dense_train(clc_dense *dense, const clc_scenes *train, const char *what);

/* Hands over a scene's classes of pixels (height,width), as large as the picture. */
typedef clc_status (*clc_dense_take)(void *context, const clc_scenes *scenes, size_t scene,
                                     const uint8_t *labels);
clc_status clc_dense_segment(clc_dense *dense, const clc_scenes *scenes, clc_dense_take take,
                             void *context, const char *what);

/* Finds up to `most` objects a scene: *found (*count), which the caller frees. */
clc_status clc_dense_detect(clc_dense *dense, const clc_scenes *scenes, size_t most,
                            clc_detection **found, size_t *count, const char *what);

/* For the parts: the encoder's maps of a batch, which is filled up with its last scene. */
clc_status clc_dense_encode(clc_dense *dense, const clc_scene_batch *batch);

void clc_dense_release(clc_dense *dense);

#endif
