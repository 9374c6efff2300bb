/* The memory plan shown before step 1, and the refusal of what doesn't fit. */
#ifndef CLC_TRAIN_MEMORY_H
#define CLC_TRAIN_MEMORY_H

#include "train/step.h"

/* Prints the plan in MB; images that don't fit beside the rest are brought a batch at a time where
 * the configuration leaves that open. Fails with CLC_MEMORY, what is needed, what there is and the
 * largest batch that would fit when the device can't hold it. `step` must be planned. */
clc_status clc_memory_check(clc_step *step, const clc_dataset *data);

#endif
