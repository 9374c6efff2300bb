/* SimSiam (Chen and He, arXiv 2011.10566): a predictor finds one view's projection from the
 * other's, which counts as a constant. Each view goes through the networks alone. */
#include "method/method.h"

const clc_method clc_method_simsiam = {.name = "simsiam",
                                       .loss = "cosine",
                                       .target = CLC_TARGET_PROJECTION,
                                       .predictor = true,
                                       .norm_parts = 1};
