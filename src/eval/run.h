/* What is done with a finished run: `clcontrast eval RUN` and `clcontrast embed RUN`. */
#ifndef CLC_EVAL_RUN_H
#define CLC_EVAL_RUN_H

#include "clcontrast/encoder.h"

/* Evaluates the encoder of the run folder and prints the table. */
clc_status clc_run_evaluate(const char *folder, const char *device, const char *const *overrides,
                            size_t override_count);

/* Writes features and labels of both sets as .npy into `output` (NULL: the run folder). */
clc_status clc_run_embed(const char *folder, const char *device, const char *output,
                         const char *const *overrides, size_t override_count);

#endif
