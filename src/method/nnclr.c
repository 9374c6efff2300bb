/* NNCLR (Dwibedi et al., arXiv 2104.14548): the predictions of one view find the nearest neighbour
 * of the other view's projection, taken from a queue of projections, among those of the batch. */
#include "method/method.h"

const clc_method clc_method_nnclr = {.name = "nnclr",
                                     .loss = "infonce",
                                     .target = CLC_TARGET_NEIGHBOURS,
                                     .queue = CLC_QUEUE_PROJECTION,
                                     .predictor = true,
                                     .norm_parts = 1};
