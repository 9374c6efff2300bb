/* What a finished training leaves behind besides weights: evaluation and report. */
#ifndef CLC_TRAIN_RESULTS_H
#define CLC_TRAIN_RESULTS_H

#include "train/session.h"

/* Evaluates the encoder by the tasks that the data allow, and writes the report unless
 * output.report is off. Fails where the evaluation does; a report that can't be written is a
 * warning. */
clc_status clc_results_make(clc_session *session);

/* Removes what a former run left of these in the folder: it would pass for this one's. */
clc_status clc_results_forget(const char *folder);

/* The report of a training that stopped early, without anything that takes long. */
void clc_results_so_far(const clc_session *session);

#endif
