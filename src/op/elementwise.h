/* Launches over all elements of a tensor, in vectors of VW floats. */
#ifndef CLC_OP_ELEMENTWISE_H
#define CLC_OP_ELEMENTWISE_H

#include "graph/graph.h"

typedef struct clc_elementwise {
    char options[64];
    clc_launch_spec spec;
    int vectors; /* what the kernel goes over */
} clc_elementwise;

/* A launch of `kernel` over the tensor's elements that reads and writes so many tensors of its
 * size; *b must live until it is added. `define` is a further option, or "". */
void clc_elementwise_begin(clc_elementwise *b, const clc_device *device, const clc_tensor *tensor,
                           const char *source, const char *kernel, const char *define,
                           const char *layer, double passes);

/* Appends to = from (count floats), or += with `accumulate`: a gradient that goes on as it is. */
clc_status clc_pass_gradient(clc_sequence *sequence, clc_device *device, const clc_tensor *from,
                             const clc_tensor *to, bool accumulate, const char *layer);

#endif
