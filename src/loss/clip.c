/* CLIP (Radford et al., arXiv 2103.00020): cross-entropy of one side's vectors over the other's,
 * the mean of both directions; the scale may be learned. */
#include "loss/pairs.h"

static clc_pairs clip(const clc_loss_shape *shape, const clc_config_loss *options) {
    clc_pairs p = clc_pairs_softmax("clip", options);
    clc_pairs_cross(&p, shape);
    p.anchors = p.segments;
    return p;
}

CLC_PAIRS_FUNCTIONS(clip)

const clc_loss clc_loss_clip = {
    .name = "clip", .learns_scale = true, .check = check, .workspace = workspace, .build = build};
