/* The losses on embeddings by name. Another one is a file that defines clc_loss_<name>, and one
 * word in CLC_LOSSES (core/words.h). */
#ifndef CLC_LOSS_LOSS_H
#define CLC_LOSS_LOSS_H

#include "core/words.h"
#include "device/sequence.h"

/* What a loss is computed on. */
typedef struct clc_loss_shape {
    int images, views; /* rows of the embeddings: views * images, row v * images + i */
    int dim;
    bool targets; /* a second matrix like the embeddings, without gradient: view v meets its view
                     views - 1 - v */
    int large;    /* swav, dino: the first views, which have codes (and targets) */
    int queue;    /* rows of the queue; 0 for none */
    bool labels;  /* positives have the same label; else they are views of the same image */
} clc_loss_shape;

/* In the order of the words of config.h. */
typedef enum clc_negatives {
    CLC_NEGATIVES_BATCH,
    CLC_NEGATIVES_QUEUE,
    CLC_NEGATIVES_BOTH
} clc_negatives;
typedef enum clc_mining { CLC_MINING_ALL, CLC_MINING_SEMIHARD, CLC_MINING_HARD } clc_mining;
typedef enum clc_distance {
    CLC_DISTANCE_EUCLIDEAN,
    CLC_DISTANCE_SQUARED,
    CLC_DISTANCE_COSINE
} clc_distance;

/* What configurations set; a loss takes what it knows. */
typedef struct clc_loss_options {
    double temperature;
    double weight;   /* the loss is multiplied by it; 0 counts as 1 */
    bool raw;        /* embeddings are not normalised to unit length */
    bool symmetric;  /* infonce: the targets are anchors too */
    bool both_views; /* infonce without targets: both views are anchors */
    clc_negatives negatives;
    double bias;           /* logistic */
    clc_distance distance; /* contrastive, triplet */
    double margin;         /* negatives' in contrastive */
    double positive_margin;
    bool linear; /* contrastive: not squared */
    clc_mining mining;
    bool soft;               /* triplet: no margin */
    double l2;               /* npair: weight of the squared lengths */
    double lambda;           /* barlow: weight of the off-diagonal */
    double variance_epsilon; /* barlow: added to variances; 0 counts as 1e-5 */
    double epsilon;          /* swav: of Sinkhorn's algorithm */
    int iterations;
    double teacher_temperature, center_momentum; /* dino; the centre stays at a momentum of 1 */
    double invariance, variance, covariance;     /* vicreg: weights */
} clc_loss_options;

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

typedef struct clc_loss {
    const char *name;
    /* Fails with CLC_INVALID and advice if shape or options are impossible. */
    clc_status (*check)(const clc_loss_shape *shape, const clc_loss_options *options);
    /* Bytes of workspace. */
    size_t (*workspace)(const clc_device *device, const clc_loss_shape *shape,
                        const clc_loss_options *options);
    /* Appends the launches of loss and gradient, after `check`. */
    clc_status (*build)(clc_sequence *sequence, clc_device *device, const clc_loss_shape *shape,
                        const clc_loss_options *options, const clc_loss_buffers *buffers);
} clc_loss;

#define CLC_LOSS_DECLARE(unused, word) extern const clc_loss clc_loss_##word;
CLC_LOSSES(CLC_LOSS_DECLARE, )
#undef CLC_LOSS_DECLARE

/* NULL when there is none of that name. */
const clc_loss *clc_loss_find(const char *name);

/* Checks, and appends the launches. */
clc_status clc_loss_build(const clc_loss *loss, clc_sequence *sequence, clc_device *device,
                          const clc_loss_shape *shape, const clc_loss_options *options,
                          const clc_loss_buffers *buffers);

#endif
