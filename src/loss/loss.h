/* The losses on embeddings by name. Another one is a file that defines clc_loss_<name>, and one
 * word in CLC_LOSSES. */
#ifndef CLC_LOSS_LOSS_H
#define CLC_LOSS_LOSS_H

#include "device/sequence.h"

#define CLC_LOSSES(X) X(ntxent)

typedef struct clc_loss_shape {
    int views; /* rows of the embeddings: all first views, then all second */
    int dim;
} clc_loss_shape;

/* What configurations set; a loss takes what it knows. */
typedef struct clc_loss_options {
    double temperature;
} clc_loss_options;

typedef struct clc_loss {
    const char *name;
    /* Bytes of workspace. */
    size_t (*workspace)(const clc_device *device, const clc_loss_shape *shape,
                        const clc_loss_options *options);
    /* Appends the launches: z (views,dim) -> dz (views,dim) = dL/dz, written, and value (1) = L. */
    clc_status (*build)(clc_sequence *sequence, clc_device *device, const clc_loss_shape *shape,
                        const clc_loss_options *options, cl_mem z, cl_mem dz, cl_mem value,
                        cl_mem workspace);
} clc_loss;

#define CLC_LOSS_DECLARE(name) extern const clc_loss clc_loss_##name;
CLC_LOSSES(CLC_LOSS_DECLARE)
#undef CLC_LOSS_DECLARE

/* NULL when there is none of that name. */
const clc_loss *clc_loss_find(const char *name);

#endif
