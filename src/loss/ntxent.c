/* NT-Xent (SimCLR, arXiv 2002.05709, eq. 1): all views are anchors, all other views their columns,
 * the other views of the same image their positives. */
#include "loss/pairs.h"

static clc_pairs ntxent(const clc_loss_shape *shape, const clc_loss_options *options) {
    clc_pairs p = clc_pairs_softmax("ntxent", options);
    clc_pairs_joint(&p, shape);
    p.once = true;
    return p;
}

CLC_PAIRS_LOSS(ntxent)
