/* Going on with a run: which checkpoint, and what may be other than it was. */
#ifndef CLC_TRAIN_RESUME_H
#define CLC_TRAIN_RESUME_H

#include "clcontrast/train.h"
#include "train/checkpoint.h"

/* Opens the checkpoint that `options` name, by default the newest of the run's folder, and holds
 * its configuration against `config`, which takes from it what it leaves open itself: CLC_INVALID,
 * with what differs, where that would be another training and options->allow_changes isn't set, or
 * another network; what a run may change is logged. A damaged newest file is refused with the path
 * of the one before. */
clc_status clc_resume_open(const clc_train_options *options, clc_config *config,
                           clc_checkpoint **checkpoint);

/* Restores the state into `step`, whose epochs have `images` images, and makes *position. */
clc_status clc_resume(const clc_train_options *options, const clc_checkpoint *checkpoint,
                      int64_t images, clc_step *step, clc_position *position);

#endif
