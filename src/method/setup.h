/* From the configuration to the options of augmentation and schedule. */
#ifndef CLC_METHOD_SETUP_H
#define CLC_METHOD_SETUP_H

#include "augment/augment.h"
#include "core/config.h"
#include "data/dataset.h"
#include "optim/schedule.h"

/* Mean and deviation are those of `data` unless the configuration gives them. */
clc_status clc_augment_from_config(const clc_config *config, const clc_dataset *data,
                                   clc_augment *augment);

/* The rate of the configuration, scaled by the batch as it says. */
clc_schedule clc_schedule_from_config(const clc_config *config, int64_t steps_per_epoch);

#endif
