/* What every loss on pairs of embeddings shares: how the vectors are arranged and the work is cut;
 * see cl/loss/pairs.h. Memory is O(vectors x dim); a matrix of all pairs is never stored. */
#ifndef CLC_LOSS_PAIRS_H
#define CLC_LOSS_PAIRS_H

#include "loss/loss.h"

enum { CLC_PAIRS_PARTS = 4 };

/* Segments of `rows` vectors, those of the embeddings (students) before those of the targets. */
typedef struct clc_pairs {
    const char *name;   /* of the loss, for errors */
    const char *source; /* kernels of the rule; includes loss/pairs.h */
    const char *forward, *merge;
    char rule[96]; /* -D options of the rule */
    int rows, segments, students, anchors, queue;
    int images, dim;
    int stats;            /* floats a row that the rule keeps */
    bool heavy;           /* the rule takes many registers */
    bool raw;             /* not normalised */
    bool hard_negatives;  /* three segments: anchors, positives, hard negatives */
    bool once;            /* cl/loss/symmetric.cl, which meets each pair once, has this rule, too */
    double rate, bias;    /* similarities are s * rate + bias */
    double first, second; /* the rule's parameters */
    double weight;
    const char *refusal; /* what is wrong with the options and what to do; NULL if nothing */
} clc_pairs;

/* How the work is cut. */
typedef struct clc_pairs_tiling {
    unsigned width, items;  /* floats a vector, work-items a group that share a panel */
    unsigned rows, vectors; /* of a register tile */
    unsigned block, panels; /* rows of a group, panels of columns between gradient updates */
    unsigned chunk;         /* vectors of a row that the gradient's register tile covers */
    size_t dim;             /* DP */
    size_t column_block;    /* vectors of a panel: NR */
    size_t prepared;        /* vectors that a group prepares */
    size_t padded;          /* vectors in the workspace */
    size_t per, groups;     /* rows of a group in this launch, groups of one segment */
    bool once;              /* each pair is met once: `groups` counts blocks of `per` rows */
    size_t stats;           /* floats a row that the kernels keep */
} clc_pairs_tiling;

clc_pairs_tiling clc_pairs_tile(const clc_device *device, const clc_pairs *pairs);

/* All views in one segment: joint losses. One segment a view: cross losses. */
void clc_pairs_joint(clc_pairs *pairs, const clc_loss_shape *shape);
void clc_pairs_cross(clc_pairs *pairs, const clc_loss_shape *shape);

/* Whether shape and rate can be computed on; the message begins with the loss's name. */
clc_status clc_pairs_check(const clc_pairs *pairs);

/* Bytes of workspace. */
size_t clc_pairs_workspace(const clc_device *device, const clc_pairs *pairs);

/* Appends one launch over `groups`, with -D options of tiling and rule. */
clc_launch_spec clc_pairs_spec(const clc_pairs *pairs, const clc_pairs_tiling *tiling,
                               const char *kernel, size_t groups, char options[256]);

/* Appends the normalisation. */
clc_status clc_pairs_prepare(clc_sequence *sequence, clc_device *device, const clc_pairs *pairs,
                             const clc_loss_buffers *buffers);

/* Appends all launches of a loss with the usual phases: prepare, forward, merge, backward. */
clc_status clc_pairs_build(clc_sequence *sequence, clc_device *device, const clc_pairs *pairs,
                           const clc_loss_buffers *buffers);

/* A loss that picks a positive among all columns (cl/loss/softmax.cl), still without rows. */
clc_pairs clc_pairs_softmax(const char *name, const clc_config_loss *options);

/* Defines check, workspace and build of a loss, whose function `word` arranges the pairs of shape
 * and options. */
#define CLC_PAIRS_FUNCTIONS(word)                                                                  \
    static clc_status check(const clc_loss_shape *shape, const clc_config_loss *options) {         \
        const clc_pairs p = word(shape, options);                                                  \
        return clc_pairs_check(&p);                                                                \
    }                                                                                              \
    static size_t workspace(const clc_device *device, const clc_loss_shape *shape,                 \
                            const clc_config_loss *options) {                                      \
        const clc_pairs p = word(shape, options);                                                  \
        return clc_pairs_workspace(device, &p);                                                    \
    }                                                                                              \
    static clc_status build(clc_sequence *sequence, clc_device *device,                            \
                            const clc_loss_shape *shape, const clc_config_loss *options,           \
                            const clc_loss_buffers *buffers) {                                     \
        const clc_pairs p = word(shape, options);                                                  \
        return clc_pairs_build(sequence, device, &p, buffers);                                     \
    }

#endif
