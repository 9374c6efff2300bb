/* Named parameters: trainable tensors and batch-norm statistics, all in flat device buffers. */
#ifndef CLC_GRAPH_PARAM_H
#define CLC_GRAPH_PARAM_H

#include "device/device.h"

typedef enum clc_param_kind {
    CLC_PARAM_CONV_WEIGHT,   /* (kh,kw,c,k) or (taps,c,k) on the device, (k,c,..) outside */
    CLC_PARAM_LINEAR_WEIGHT, /* (in,out) on the device, (out,in) outside */
    CLC_PARAM_LINEAR_BIAS,
    CLC_PARAM_NORM_WEIGHT,
    CLC_PARAM_NORM_BIAS,
    CLC_PARAM_NORM_MEAN, /* running statistics: not trained */
    CLC_PARAM_NORM_VARIANCE,
    CLC_PARAM_CONSTANT, /* trained, begins as `initial` */
    CLC_PARAM_TABLE     /* (rows,width), the same outside: embeddings, projections x W */
} clc_param_kind;

typedef struct clc_param {
    char name[96]; /* torchvision's name behind a branch: "encoder.layer1.0.conv1.weight" */
    clc_param_kind kind;
    int rank;
    int shape[4];    /* in device layout */
    int group;       /* clc_optim_group: which rate it is trained at; 0 unless set */
    float initial;   /* of a CONSTANT; of a LINEAR_WEIGHT or LINEAR_BIAS the bound, 0: see below */
    float deviation; /* of a TABLE's first values; not 0: those of a weight are normal with it, and
                        a bias behind it begins as 0 */
    size_t count;    /* floats */
    size_t offset;   /* floats into `value` of clc_params */
    cl_mem value;    /* (shape) */
    cl_mem grad;     /* (shape); NULL for statistics and in inference */
} clc_param;

typedef struct clc_params {
    clc_param *items;
    size_t count, capacity;
    size_t trainable; /* floats, padding counted: the trainable tensors come first */
    size_t total;     /* floats with statistics */
    int states;       /* optimizer state floats a trainable float */
    cl_mem value;     /* (total) */
    cl_mem grad;      /* (trainable), NULL in inference */
    cl_mem state;     /* (states,trainable), NULL in inference */
} clc_params;

static inline bool clc_param_trainable(const clc_param *param) {
    return param->kind != CLC_PARAM_NORM_MEAN && param->kind != CLC_PARAM_NORM_VARIANCE;
}

/* Adds a parameter, or finds the one of that name (its shape must agree); *index receives it. */
clc_status clc_params_add(clc_params *params, const char *name, clc_param_kind kind, int rank,
                          const int *shape, int *index);

/* The parameter of that name, or NULL. */
clc_param *clc_params_find(const clc_params *params, const char *name);

/* Assigns offsets; afterwards `trainable` and `total` are known. Nothing can be added any more. */
void clc_params_layout(clc_params *params);

/* Allocates the buffers (gradients and `states` state buffers only if `training`), zeroed. */
clc_status clc_params_allocate(clc_params *params, clc_device *device, bool training, int states);

/* Fills values as PyTorch and torchvision do: convolutions normal with variance 2/fan_out, linear
 * layers uniform in +-1/sqrt(fan_in), batch-norm 1 and 0. The same seed gives the same values
 * anywhere. */
clc_status clc_params_initialise(clc_params *params, clc_device *device, uint64_t seed);

/* Copies one parameter from or to the host in torchvision's layout; `data` holds `count` floats. */
clc_status clc_param_import(const clc_param *param, clc_device *device, const float *data);
clc_status clc_param_export(const clc_param *param, clc_device *device, cl_mem buffer, float *data);

/* The same for any buffer that holds the tensor at `offset` bytes, such as optimizer state. */
clc_status clc_param_read(const clc_param *param, clc_device *device, cl_mem buffer, size_t offset,
                          float *data);
clc_status clc_param_write(const clc_param *param, clc_device *device, cl_mem buffer, size_t offset,
                           const float *data);

/* The shape outside: (k,c,kh,kw), (k,c,taps), (out,in) or (n). */
void clc_param_outer_shape(const clc_param *param, size_t shape[4]);

void clc_params_release(clc_params *params, clc_device *device);

#endif
