/* A trained network whose scores another one learns: finetune.teacher. */
#ifndef CLC_METHOD_TRAINED_H
#define CLC_METHOD_TRAINED_H

#include "graph/param.h"
#include "method/method.h"

/* The configuration of the teacher, for a network that is to learn from it by `config`, a settled
 * one. The caller frees *teacher. CLC_INVALID: it scores no classes, or others, or reads other
 * views. */
clc_status clc_trained_config(const clc_config *config, clc_config **teacher);

/* Fills the teacher's parameters from its file. */
clc_status clc_trained_load(const clc_config *config, clc_params *params, clc_device *device);

#endif
