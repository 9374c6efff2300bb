/* From the configuration to the options of augmentation. */
#ifndef CLC_METHOD_SETUP_H
#define CLC_METHOD_SETUP_H

#include "augment/augment.h"
#include "core/config.h"
#include "data/dataset.h"

/* Mean and deviation are those of `data` unless the configuration gives them. */
clc_status clc_augment_from_config(const clc_config *config, const clc_dataset *data,
                                   clc_augment *augment);

/* Puts what `data` decides into the configuration where it left that open: size, channels,
 * store_side, mean and deviation. With it an encoder stands alone: nothing depends on other images
 * any more. */
clc_status clc_config_settle(clc_config *config, const clc_dataset *data);

/* Takes from a run's settled configuration what this one leaves open. */
void clc_config_adopt(clc_config *config, const clc_config *settled);

#endif
