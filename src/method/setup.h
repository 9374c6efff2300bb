/* From the configuration to the options of augmentation. */
#ifndef CLC_METHOD_SETUP_H
#define CLC_METHOD_SETUP_H

#include "augment/augment.h"
#include "core/config.h"
#include "data/dataset.h"

/* Mean and deviation are those of `data` unless the configuration gives them. */
clc_status clc_augment_from_config(const clc_config *config, const clc_dataset *data,
                                   clc_augment *augment);

#endif
