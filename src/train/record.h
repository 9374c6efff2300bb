/* What a run's folder says of how it is trained. */
#ifndef CLC_TRAIN_RECORD_H
#define CLC_TRAIN_RECORD_H

#include "train/session.h"

/* Writes the configuration and what it has no room for: the names of the classes, the tokenizer,
 * which samples kept their labels. */
clc_status clc_record_config(const clc_session *session);

#endif
