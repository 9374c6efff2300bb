/* NT-Xent (SimCLR, arXiv 2002.05709, eq. 1): all views are anchors, all other views their columns,
 * the other views of the same image their positives. */
#include "loss/pairs.h"

static clc_pairs ntxent(const clc_loss_shape *shape, const clc_config_loss *options) {
    clc_pairs p = clc_pairs_softmax("ntxent", options);
    clc_pairs_joint(&p, shape);
    p.once = true;
    return p;
}

CLC_PAIRS_FUNCTIONS(ntxent)

const clc_loss clc_loss_ntxent = {
    .name = "ntxent", .check = check, .workspace = workspace, .build = build};
