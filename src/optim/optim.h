/* Optimizers: SGD, LARS and AdamW over all parameters in three launches. */
#ifndef CLC_OPTIM_OPTIM_H
#define CLC_OPTIM_OPTIM_H

#include "core/config.h"
#include "device/sequence.h"

/* Which rate a tensor is trained at: hyper[CLC_HYPER_RATE] or, for the others,
 * hyper[CLC_HYPER_GROUPS + group]. A group of rate 0 is left out, its state too. */
typedef enum clc_optim_group {
    CLC_GROUP_MAIN,
    CLC_GROUP_PREDICTOR,
    CLC_GROUP_PROTOTYPES,
    CLC_GROUP_FROZEN, /* never trained: rate 0 */
    CLC_GROUP_COUNT
} clc_optim_group;

/* Numbers of a step that change from step to step. */
enum {
    CLC_HYPER_RATE,
    CLC_HYPER_BIAS1,    /* 1 - beta1^t */
    CLC_HYPER_BIAS2,    /* 1 - beta2^t */
    CLC_HYPER_MOMENTUM, /* of a teacher's average */
    CLC_HYPER_GROUPS,   /* rates of the groups */
    CLC_HYPER_COUNT = CLC_HYPER_GROUPS + CLC_GROUP_COUNT
};

/* One tensor in the flat buffers. Offsets are multiples of 256 floats; padding behind a tensor is
 * 0. */
typedef struct clc_optim_segment {
    size_t offset, count; /* floats */
    bool decay;           /* weight decay applies */
    bool adapt;           /* LARS's trust ratio applies */
    clc_optim_group group;
} clc_optim_segment;

/* Constant tables on the device. */
typedef struct clc_optim_tables {
    cl_mem chunks, segments; /* int4 each */
    size_t chunk_count;
} clc_optim_tables;

/* Floats of state a trainable float. */
int clc_optim_states(const clc_config_optimizer *optimizer);

/* Bytes of workspace, and of the tables. */
size_t clc_optim_workspace(const clc_optim_segment *segments, size_t n);
size_t clc_optim_tables_bytes(const clc_optim_segment *segments, size_t n);

/* Makes the tables; release with clc_optim_release. */
clc_status clc_optim_prepare(clc_device *device, const clc_optim_segment *segments, size_t n,
                             clc_optim_tables *tables);
void clc_optim_release(clc_device *device, clc_optim_tables *tables);

/* The buffers of an update. */
typedef struct clc_optim_buffers {
    cl_mem value, grad; /* (floats) */
    cl_mem state;       /* (states,floats) */
    cl_mem hyper;  /* (CLC_HYPER_COUNT), written before each step; three if all groups are MAIN */
    cl_mem loss;   /* (1) */
    cl_mem result; /* (4): loss, gradient norm, 1 if all is finite else 0, clip factor */
    cl_mem norms;  /* (2,segments): each tensor's gradient norm, then LARS's factor */
    cl_mem workspace;
    size_t floats;
} clc_optim_buffers;

/* Appends the launches of one update; with a non-finite loss or gradient value and state stay as
 * they are. */
clc_status clc_optim_build(clc_sequence *sequence, clc_device *device,
                           const clc_config_optimizer *optimizer, size_t segments,
                           const clc_optim_tables *tables, const clc_optim_buffers *buffers);

/* Appends average = m average + (1 - m) value of the first `floats` (a multiple of 16), m being
 * hyper[CLC_HYPER_MOMENTUM]: a teacher's weights. */
clc_status clc_average_build(clc_sequence *sequence, clc_device *device, cl_mem average,
                             cl_mem value, cl_mem hyper, size_t floats);

/* Appends the bringing of a few values back into a range. */
clc_status clc_clamp_build(clc_sequence *sequence, clc_device *device, cl_mem value, int count,
                           double least, double most);

/* Appends sum += grad (or sum = grad if `first`), and clears grad; if `last`, grad receives the
 * sum. */
clc_status clc_accumulate_build(clc_sequence *sequence, clc_device *device, cl_mem sum, cl_mem grad,
                                size_t floats, bool first, bool last);

#endif
