/* Networks: builders only. */
#ifndef CLC_NET_NET_H
#define CLC_NET_NET_H

#include "op/ops.h"

enum { CLC_RESNET_STAGES = 8, CLC_MLP_LAYERS = 8 };

/* ResNet (He et al., arXiv 1512.03385) as torchvision's, v1.5: the stride is in the 3x3
 * convolution. */
typedef struct clc_resnet {
    bool bottleneck;
    int stages;
    int blocks[CLC_RESNET_STAGES]; /* blocks of each stage */
    int width;                     /* channels of the first stage, 64 in the paper */
    bool small_stem;               /* 3x3 stride 1 without max-pool, for small images */
} clc_resnet;

/* Sets blocks and kind for "resnet10", "resnet18", "resnet34" or "resnet50"; false for other names.
 */
bool clc_resnet_named(const char *name, clc_resnet *resnet);

/* Images in (N,H,W,C), features out (N,1,1,F). Parameters get torchvision's names behind `prefix`.
 */
clc_status clc_resnet_build(clc_graph *graph, const char *prefix, const clc_resnet *resnet,
                            clc_tensor *in, clc_tensor **out);

/* F, the number of features. */
int clc_resnet_features(const clc_resnet *resnet);

/* Linear layers with batch-norm (then without bias) and ReLU between them. */
typedef struct clc_mlp {
    int hidden_layers;
    int hidden[CLC_MLP_LAYERS];
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
