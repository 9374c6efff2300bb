/* One function a kind of golden file; each fails the running test on a difference. */
#ifndef TESTS_GOLDEN_GOLDEN_H
#define TESTS_GOLDEN_GOLDEN_H

#include "data/safetensors.h"
#include "graph/param.h"

void golden_loss(const clc_safetensors *file);
void golden_swav(const clc_safetensors *file);
void golden_net(const clc_safetensors *file);
void golden_train(const clc_safetensors *file);

/* The tensor, which must be there. */
const clc_st_tensor *golden_tensor(const clc_safetensors *file, const char *name);

/* Its values as doubles (F32 or F64); freed by the caller. */
double *golden_doubles(const clc_st_tensor *tensor);

/* A number of the metadata; fails the test if it is missing. */
double golden_number(const clc_safetensors *file, const char *key);

/* "1,2,3" of the metadata; returns how many. */
int golden_list(const clc_safetensors *file, const char *key, int *values, int most);

/* Fills every parameter from "<prefix><name>". */
void golden_load_params(const clc_safetensors *file, clc_params *params, const char *prefix);

/* Whether a parameter-shaped tensor in `buffer` is close to the golden tensor `name`. */
bool golden_param_close(const clc_safetensors *file, const char *name, const clc_param *param,
                        cl_mem buffer, double tolerance);

/* Networks are held to the backward error: a result is right if it is that of some input within
 * rounding of the one given. (Where the input of a ReLU is within rounding of 0, float32 may switch
 * it, whatever the order of sums; of few values one switch moves gradients by 1e-2. A wrong formula
 * is wrong for every input.) Attempt 0 takes the input as it is, others multiply each value by 1 +
 * u 2^-18, |u| <= 1. */
enum { GOLDEN_ATTEMPTS = 32 };
void golden_nudge(float *values, size_t count, int attempt);

/* (n,c,h,w) to (n,h,w,c). */
void golden_to_nhwc(const float *from, float *to, size_t n, size_t c, size_t h, size_t w);

#endif
