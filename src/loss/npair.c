/* Multi-class N-pair loss (Sohn, NIPS 2016): dot products of one view with the other, and l2 / 4
 * times both views' mean squared length. */
#include "loss/pairs.h"

static clc_pairs npair(const clc_loss_shape *shape, const clc_config_loss *options) {
    clc_pairs p = clc_pairs_softmax("npair", options);
    clc_pairs_cross(&p, shape);
    p.rate = 1;
    p.first = options->l2 / 2;
    return p;
}

CLC_PAIRS_FUNCTIONS(npair)

const clc_loss clc_loss_npair = {
    .name = "npair", .check = check, .workspace = workspace, .build = build};
