/* Sessions that need a network, but no data of the user's: for tuning and benchmarks. */
#ifndef CLC_TRAIN_STAND_IN_H
#define CLC_TRAIN_STAND_IN_H

#include "train/session.h"

/* As clc_session_plan and clc_session_open. Where the configuration names no training images,
 * random ones of 32 x 32 x 3 stand in. */
clc_status clc_stand_in_plan(clc_session *session, const clc_train_options *options);
clc_status clc_stand_in_open(clc_session *session, const clc_train_options *options);

#endif
