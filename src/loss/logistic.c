/* Logistic loss (noise-contrastive estimation; SigLIP, arXiv 2303.15343): each pair of one view's
 * vector with one of the other's, or of the queue's, is a yes or a no. Scale and bias may be
 * learned. */
#include "loss/pairs.h"

static clc_pairs logistic(const clc_loss_shape *shape, const clc_config_loss *options) {
    clc_pairs p = clc_pairs_softmax("logistic", options);
    p.source = "loss/logistic.cl";
    p.forward = "logistic_forward";
    p.stats = 1;
    p.bias = options->bias;
    clc_pairs_cross(&p, shape);
    return p;
}

CLC_PAIRS_FUNCTIONS(logistic)

const clc_loss clc_loss_logistic = {.name = "logistic",
                                    .learns_scale = true,
                                    .learns_bias = true,
                                    .check = check,
                                    .workspace = workspace,
                                    .build = build};
