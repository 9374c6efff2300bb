/* Training whose settings come from another run's. */
#ifndef CLC_TRAIN_DERIVE_H
#define CLC_TRAIN_DERIVE_H

#include "clcontrast/train.h"
#include "core/config.h"

/* Takes over what belongs to a run's encoder and its data; the rest stays. */
void clc_config_take_over(const clc_config *run, clc_config *config);

/* Trains by `config`, with all else as the options say. */
clc_status clc_train_as(const clc_config *config, const clc_train_options *options);

#endif
