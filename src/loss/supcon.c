/* Supervised contrastive loss (Khosla et al., arXiv 2004.11362, eq. 2, "L_out"): NT-Xent whose
 * positives are all views of the same label. */
#include "loss/pairs.h"

static clc_pairs supcon(const clc_loss_shape *shape, const clc_config_loss *options) {
    clc_pairs p = clc_pairs_softmax("supcon", options);
    clc_pairs_joint(&p, shape);
    p.once = true;
    return p;
}

CLC_PAIRS_FUNCTIONS(supcon)

const clc_loss clc_loss_supcon = {
    .name = "supcon", .check = check, .workspace = workspace, .build = build};
