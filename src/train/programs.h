/* The programs of a training step, for other compilers. */
#ifndef CLC_TRAIN_PROGRAMS_H
#define CLC_TRAIN_PROGRAMS_H

#include "clcontrast/train.h"

/* Writes every OpenCL program of the step that `options` configure to `folder`, without compiling
 * any: a file each, its build options in the first line. */
clc_status clc_programs(const clc_train_options *options, const char *folder);

#endif
