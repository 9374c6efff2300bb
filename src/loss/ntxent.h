/* NT-Xent on cosine similarity (SimCLR, arXiv 2002.05709, eq. 1): the mean over the 2N anchors i of
 * -log(exp(s_ij/t) / sum_{k != i} exp(s_ik/t)), j the other view of i's image. */
#ifndef CLC_LOSS_NTXENT_H
#define CLC_LOSS_NTXENT_H

#include "device/sequence.h"

typedef struct clc_ntxent {
    int views; /* 2N, even: row i < N is the first view of image i, row N + i its second */
    int dim;   /* D */
    double temperature;
} clc_ntxent;

/* Bytes of workspace: O(views x dim); no matrix of views x views is ever stored. */
size_t clc_ntxent_workspace(const clc_device *device, const clc_ntxent *loss);

/* Appends the launches of loss and gradient. z (views,dim) embeddings before normalisation, dz
 * (views,dim) receives dL/dz (written, not added), loss (1) receives L. A zero vector counts as
 * having length 1e-12 and gets a finite gradient. */
clc_status clc_ntxent_build(clc_sequence *sequence, clc_device *device, const clc_ntxent *loss,
                            cl_mem z, cl_mem dz, cl_mem value, cl_mem workspace);

#endif
