/* The losses on embeddings by name. Another one is a file that defines clc_loss_<name>, and one
 * word in CLC_LOSSES (core/words.h). */
#ifndef CLC_LOSS_LOSS_H
#define CLC_LOSS_LOSS_H

#include "core/config.h"
#include "device/sequence.h"

/* A learned log_scale is kept between log 1 and log 100 by an update (CLIP, arXiv 2103.00020). */
#define CLC_LOSS_LEAST_LOG_SCALE 0.0
#define CLC_LOSS_MOST_LOG_SCALE  4.605170185988092

/* What a loss is computed on. */
typedef struct clc_loss_shape {
    int images, views; /* rows of the embeddings: views * images, row v * images + i */
    int dim;
    bool targets; /* a second matrix like the embeddings, without gradient: view v meets its view
                     views - 1 - v */
    int large;    /* swav, dino: the first views, which have codes (and targets) */
    int queue;    /* rows of the queue; 0 for none */
    bool labels;  /* positives have the same label; else they are views of the same image */
    int classes;  /* the embeddings are scores of so many classes; 0: they are none */
} clc_loss_shape;

typedef struct clc_loss_buffers {
    cl_mem z, dz;   /* (views*images,dim); dz receives dL/dz, written */
    cl_mem target;  /* (views*images,dim), or NULL */
    cl_mem dtarget; /* cosine: (views*images,dim) receives dL/dtarget; NULL if they are constant */
    cl_mem queue;   /* (queue,dim) of unit length, or NULL */
    cl_mem center;  /* dino: (dim), updated */
    cl_mem labels;  /* int (images), or NULL */
    /* Parameters (1) with gradients: the similarities' scale exp(log_scale) in place of 1 /
     * temperature, and bias; NULL if not learned. */
    cl_mem log_scale, dlog_scale, bias, dbias;
    cl_mem value; /* (1) receives L */
    cl_mem workspace;
} clc_loss_buffers;

/* `options` are the configuration's, of which a loss takes what it knows; negatives = auto counts
 * as batch, learned_scale = auto as false. */
typedef struct clc_loss {
    const char *name;
    bool needs_targets; /* shape.targets */
    bool needs_scores;  /* shape.large: embeddings are scores, of prototypes */
    bool moves_targets; /* gives them a gradient, if buffers.dtarget says where */
    bool learns_scale;  /* takes log_scale, */
    bool learns_bias;   /* and bias */
    bool keeps_center;  /* needs buffers.center */
    /* Fails with CLC_INVALID and advice if shape or options are impossible. */
    clc_status (*check)(const clc_loss_shape *shape, const clc_config_loss *options);
    /* Bytes of workspace. */
    size_t (*workspace)(const clc_device *device, const clc_loss_shape *shape,
                        const clc_config_loss *options);
    /* Appends the launches of loss and gradient, after `check`. */
    clc_status (*build)(clc_sequence *sequence, clc_device *device, const clc_loss_shape *shape,
                        const clc_config_loss *options, const clc_loss_buffers *buffers);
} clc_loss;

#define CLC_LOSS_DECLARE(unused, word) extern const clc_loss clc_loss_##word;
CLC_LOSSES(CLC_LOSS_DECLARE, )
#undef CLC_LOSS_DECLARE

/* Work groups of losses that go through the rows one by one: each leaves a part of the sum. */
size_t clc_loss_groups(const clc_device *device, const clc_loss_shape *shape);

/* `workspace` of such a loss: a float a group. */
size_t clc_loss_parts(const clc_device *device, const clc_loss_shape *shape,
                      const clc_config_loss *options);

/* NULL when there is none of that name. */
const clc_loss *clc_loss_find(const char *name);

/* `check`, and whether there is what the loss needs. */
clc_status clc_loss_check(const clc_loss *loss, const clc_loss_shape *shape,
                          const clc_config_loss *options);

/* Checks, and appends the launches. */
clc_status clc_loss_build(const clc_loss *loss, clc_sequence *sequence, clc_device *device,
                          const clc_loss_shape *shape, const clc_config_loss *options,
                          const clc_loss_buffers *buffers);

#endif
