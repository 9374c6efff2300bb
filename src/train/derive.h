/* Training whose settings come from another run's. */
#ifndef CLC_TRAIN_DERIVE_H
#define CLC_TRAIN_DERIVE_H

#include "clcontrast/train.h"
#include "core/config.h"

/* Reads the configuration of a run or encoder file into `was`; `config` is the default with what
 * belongs to that encoder and its data. */
clc_status clc_config_derive(const char *run, clc_config *was, clc_config *config);

/* Makes the configuration of training from `run` (or an encoder file), on other data where `data`
 * isn't NULL, and says what it will be. */
typedef clc_status clc_config_maker(const char *run, const char *data,
                                    const clc_train_options *options, clc_config *config);

/* Trains by what `make` makes, with all else as the options say. */
clc_status clc_train_derived(clc_config_maker *make, const char *run, const char *data,
                             const clc_train_options *options);

#endif
