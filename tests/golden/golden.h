/* One function a kind of golden file; each fails the running test on a difference. */
#ifndef TESTS_GOLDEN_GOLDEN_H
#define TESTS_GOLDEN_GOLDEN_H

#include "data/safetensors.h"
#include "eval/features.h"
#include "graph/graph.h"

void golden_loss(const clc_safetensors *file);
void golden_swav(const clc_safetensors *file);
void golden_net(const clc_safetensors *file);
void golden_train(const clc_safetensors *file);

/* Whether the metric is one that we have, and its check. */
bool golden_metric_known(const char *name);
void golden_metric(const clc_safetensors *file);

/* Metrics of structure. */
void golden_clustering(const clc_safetensors *file);
void golden_cka(const clc_safetensors *file);
void golden_spread(const clc_safetensors *file);

/* Fails the test unless `got` is within `most` of the file's number, or both are NaN. */
void golden_expect(const clc_safetensors *file, const char *name, double got, double most);

/* A tensor of rows as features on the device, without labels. */
clc_features golden_features(const clc_safetensors *file, const char *name);

/* A single op, and a network that is no ResNet; whether one of that name is known. */
void golden_op(const clc_safetensors *file);
bool golden_op_known(const char *name);
void golden_encoder(const clc_safetensors *file);
bool golden_encoder_known(const char *name);

/* Traces of training of several networks, or on given dropout. */
void golden_trace(const clc_safetensors *file);
bool golden_trace_known(const char *name);

/* The tensor, which must be there. */
const clc_st_tensor *golden_tensor(const clc_safetensors *file, const char *name);

/* Its values as doubles (F32 or F64); freed by the caller. */
double *golden_doubles(const clc_st_tensor *tensor);

/* Its values as int32 (I64); freed by the caller. */
int32_t *golden_integers(const clc_st_tensor *tensor);

/* The same as floats. */
float *golden_floats(const clc_st_tensor *tensor);

/* Copies a tensor (images (N,C,H,W)), or one of I64, to a tensor of a graph. */
void golden_upload(const clc_st_tensor *from, const clc_tensor *to);
void golden_upload_ints(const clc_st_tensor *from, const clc_tensor *to);

/* What a buffer holds, in the layout of the file's tensor; freed by the caller. */
float *golden_download(const clc_st_tensor *like, cl_mem buffer);

/* A number of the metadata; fails the test if it is missing. */
double golden_number(const clc_safetensors *file, const char *key);

/* "1,2,3" of the metadata; returns how many. */
int golden_list(const clc_safetensors *file, const char *key, int *values, int most);

/* Fills every parameter from "<prefix><name>". */
void golden_load_params(const clc_safetensors *file, clc_params *params, const char *prefix);

/* Whether a parameter-shaped tensor in `buffer` is close to the golden tensor `name`. */
bool golden_param_close(const clc_safetensors *file, const char *name, const clc_param *param,
                        cl_mem buffer, double tolerance);

/* Files of this folder have one attempt: the input as it is. Those of CLC_GOLDEN have up to 32, and
 * it is said which one passed: a ReLU whose input is nearly 0 may switch in float32, and of few
 * values one switch moves gradients by 1e-2. Attempts after the first multiply each value by 1 + u
 * 2^-18, |u| <= 1, 64 times float's rounding. */
int golden_attempts(void);
/* Says so if a later attempt than the first one passed. */
void golden_report(int attempt, bool close);
void golden_nudge(float *values, size_t count, int attempt);

/* (n,c,h,w) to (n,h,w,c). */
void golden_to_nhwc(const float *from, float *to, size_t n, size_t c, size_t h, size_t w);

#endif
