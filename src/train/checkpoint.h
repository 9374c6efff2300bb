/* Checkpoints: everything a run needs to continue bit for bit, as safetensors under torchvision's
 * names. */
#ifndef CLC_TRAIN_CHECKPOINT_H
#define CLC_TRAIN_CHECKPOINT_H

#include "core/path.h"
#include "data/safetensors.h"
#include "train/step.h"

/* Where a run stands. Steps of one count are those of epochs of the present length. A run that was
 * resumed with another batch has had epochs of another length: `renumbered` is what is added to a
 * step where it has a name that must go on growing, in files and metrics. */
typedef struct clc_position {
    int64_t step; /* steps done */
    int64_t renumbered;
    int64_t images;    /* of an epoch, before the last batch is left out */
    double best;       /* score of the best checkpoint; -INFINITY before there is one */
    double epoch_loss; /* sum of the losses of the present epoch */
} clc_position;

/* Writes <folder>/checkpoint-<step>.safetensors atomically with parameters, statistics, optimizer
 * state and configuration, then removes all but the newest `keep`. */
clc_status clc_checkpoint_save(const char *folder, clc_step *step, const clc_position *position,
                               int keep);

/* Writes such a file to <folder>/best.safetensors. */
clc_status clc_checkpoint_save_best(const char *folder, clc_step *step,
                                    const clc_position *position);

/* A checkpoint that has been read. */
typedef struct clc_checkpoint {
    char path[CLC_PATH_BYTES];
    clc_safetensors *file;
    clc_position position;
    clc_config config;  /* the run's */
    const char *tuning; /* the choices that its step was built with, or NULL */
    const char *device; /* the device's name, or NULL */
} clc_checkpoint;

/* Reads the file at `path`; CLC_FORMAT if it is damaged or no checkpoint. */
clc_status clc_checkpoint_open(const char *path, clc_checkpoint **checkpoint);

/* Restores the state; CLC_INVALID if it doesn't fit the step's network. */
clc_status clc_checkpoint_restore(const clc_checkpoint *checkpoint, clc_step *step);

void clc_checkpoint_close(clc_checkpoint **checkpoint);

#endif
