/* The optimizers in plain C and double precision, one tensor at a time: PyTorch's definitions. */
#ifndef TESTS_OPTIM_REFERENCE_H
#define TESTS_OPTIM_REFERENCE_H

#include "optim/optim.h"

/* A tensor and the state of its optimizer, which begins at 0. */
typedef struct reference_tensor {
    size_t count;
    bool decay, adapt;
    double *value, *grad; /* (count) */
    double *state[2];     /* (count) each */
} reference_tensor;

/* What the gradients of all tensors together are multiplied by, as torch.nn.utils.clip_grad_norm_
 * without its 1e-6; *norm is their length before. */
double reference_clip(const reference_tensor *tensors, size_t n, double clip_norm, double *norm);

/* One step, number `step` from 1, with gradients times `clip`. Returns LARS's factor, 1 without. */
double reference_step(const clc_config_optimizer *optim, reference_tensor *tensor, double rate,
                      double clip, int step);

#endif
