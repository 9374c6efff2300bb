/* SwAV (Caron et al., arXiv 2006.09882): each view predicts the codes of the two large ones over
 * prototypes, which are frozen at first. A queue of earlier projections may join in finding the
 * codes; it is shared by both views. */
#include "method/method.h"

const clc_method clc_method_swav = {.name = "swav",
                                    .loss = "swav",
                                    .queue = CLC_QUEUE_SCORED,
                                    .prototypes = true,
                                    .unit_prototypes = true,
                                    .multicrop = true,
                                    .norm_parts = 1};
