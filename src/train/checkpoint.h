/* Checkpoints: everything a run needs to continue bit for bit, as safetensors under torchvision's
 * names. */
#ifndef CLC_TRAIN_CHECKPOINT_H
#define CLC_TRAIN_CHECKPOINT_H

#include "train/step.h"

/* Where a run stands. */
typedef struct clc_position {
    int64_t step;      /* steps done */
    double best;       /* score of the best checkpoint; -INFINITY before there is one */
    double epoch_loss; /* sum of the losses of the present epoch */
} clc_position;

/* Writes <folder>/checkpoint-<step>.safetensors atomically with parameters, statistics, optimizer
 * state and configuration, then removes all but the newest `keep`. */
clc_status clc_checkpoint_save(const char *folder, clc_step *step, const clc_position *position,
                               int keep);

/* Copies the newest checkpoint to <folder>/best.safetensors. */
clc_status clc_checkpoint_save_best(const char *folder, clc_step *step,
                                    const clc_position *position);

/* Restores the state from `path`; refuses a damaged file or one of another network. */
clc_status clc_checkpoint_load(const char *path, clc_step *step, clc_position *position);

/* The choices that the run was built with, from `path` (NULL: the newest of `folder`); *text is
 * NULL if there is no such file or it holds none. The caller frees it. */
clc_status clc_checkpoint_tuning(const char *folder, const char *path, char **text);

#endif
