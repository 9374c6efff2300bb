/* Corruptions of normalised images on the device, in five strengths each: what an encoder that is
 * robust hardly notices (in the manner of Hendrycks & Dietterich, arXiv 1903.12261). Kinds and what
 * their amounts are: cl/augment/corruption.h. */
#ifndef CLC_AUGMENT_CORRUPT_H
#define CLC_AUGMENT_CORRUPT_H

#include "device/sequence.h"

#include "../../cl/augment/corruption.h"

enum { CLC_CORRUPTION_STRENGTHS = 5 };

/* "noise", "blur" ... (CORRUPTIONS). */
extern const char *const clc_corruption_names[];

/* The amount of a kind at strength 1 to CLC_CORRUPTION_STRENGTHS, for images of that side. */
double clc_corruption_amount(int kind, int strength, int side);

typedef struct clc_corruption {
    clc_device *device;
    int images, side, channels; /* N, S, C */
    uint64_t seed;
    cl_mem values;     /* (N,S,S,C): normalised; corrupted in place */
    cl_mem identities; /* int (N): decide what is drawn */
    /* private */
    cl_mem norm, clean, other, means;
    clc_sequence steps[CORRUPTIONS];
} clc_corruption;

/* mean, deviation (channels): how the values were normalised. The caller has set what isn't
 * private; buffers must outlive it. Release it also after a failure. */
clc_status clc_corruption_make(clc_corruption *corruption, const double *mean,
                               const double *deviation);

/* Enqueues one kind on all N images. */
clc_status clc_corruption_run(clc_corruption *corruption, int kind, double amount);

void clc_corruption_release(clc_corruption *corruption);

/* Asks for its program ahead of time. */
clc_status clc_corruption_request(clc_device *device);

#endif
