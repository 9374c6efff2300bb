/* Sums of partial results that groups left behind: see cl/op/reduce.cl. */
#ifndef CLC_OP_REDUCE_H
#define CLC_OP_REDUCE_H

#include "device/sequence.h"

/* Partial results: `count` times `floats` values, from `offset` floats of `buffer` on. */
typedef struct clc_parts {
    cl_mem buffer;
    size_t offset, floats, count;
} clc_parts;

/* Appends out (floats) = the sum of the parts, in order. `op` and `layer` as in clc_launch_spec. */
clc_status clc_reduce_parts(clc_sequence *sequence, clc_device *device, const clc_parts *parts,
                            cl_mem out, const char *op, const char *layer);

#endif
