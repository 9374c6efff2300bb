/* CLIP (Radford et al., arXiv 2103.00020): an encoder for pictures and one for their captions, each
 * with a projector, whose embeddings find each other among those of the batch; with loss.name =
 * logistic SigLIP (arXiv 2303.15343). A frozen encoder makes it LiT (arXiv 2111.07991). */
#include "method/method.h"

const clc_method clc_method_clip = {
    .name = "clip", .loss = "clip", .towers = 2, .by_field = true, .learned_scale = true};
