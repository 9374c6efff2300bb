/* Contrastive loss with a margin (Hadsell et al., CVPR 2006): positives together, negatives apart
 * by the margin. */
#include "loss/pairs.h"

#include <stdio.h>

static clc_pairs contrastive(const clc_loss_shape *shape, const clc_config_loss *options) {
    clc_pairs p = clc_pairs_softmax("contrastive", options);
    p.source = "loss/contrastive.cl";
    p.forward = "contrastive_forward";
    p.merge = "contrastive_merge";
    p.stats = 1;
    p.rate = 1;
    p.first = options->linear ? options->positive_margin : 0;
    p.second = options->margin;
    snprintf(p.rule, sizeof p.rule, "-DMETRIC=%d -DLINEAR=%d", options->distance, options->linear);
    clc_pairs_joint(&p, shape);
    if (!(options->margin >= 0))
        p.refusal = "the margin must be 0 or more";
    return p;
}

CLC_PAIRS_FUNCTIONS(contrastive)

const clc_loss clc_loss_contrastive = {
    .name = "contrastive", .check = check, .workspace = workspace, .build = build};
