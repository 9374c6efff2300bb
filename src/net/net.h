/* Networks: builders only. */
#ifndef CLC_NET_NET_H
#define CLC_NET_NET_H

#include "core/config.h"
#include "op/ops.h"

/* ResNet (He et al., arXiv 1512.03385) as torchvision's, v1.5: the stride is in the 3x3
 * convolution. Images in (N,H,W,C), features out (N,1,1,F). Parameters get torchvision's names
 * behind `prefix`. */
clc_status clc_resnet_build(clc_graph *graph, const char *prefix, const clc_config_encoder *encoder,
                            clc_tensor *in, clc_tensor **out);

/* Linear layers with batch-norm (then without bias) and ReLU between them. */
typedef struct clc_mlp {
    const clc_ints *hidden; /* widths of the hidden layers */
    int output;
    int only;            /* stop behind so many hidden layers; 0: build all */
    bool batchnorm;      /* after hidden layers */
    bool last_batchnorm; /* after the output */
    bool last_frozen;    /* that one keeps scale 1 and shift 0 */
    int group;           /* clc_optim_group of all its parameters */
} clc_mlp;

/* in (N,1,1,C), out (N,1,1,output). Names are those of a PyTorch Sequential: "<prefix>.0.weight".
 */
clc_status clc_mlp_build(clc_graph *graph, const char *prefix, const clc_mlp *mlp, clc_tensor *in,
                         clc_tensor **out);

#endif
