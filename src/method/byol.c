/* BYOL (Grill et al., arXiv 2006.07733): a predictor finds what a running average of the networks
 * makes of the other view. Each view goes through the networks alone. */
#include "method/method.h"

const clc_method clc_method_byol = {.name = "byol",
                                    .loss = "cosine",
                                    .target = CLC_TARGET_TEACHER,
                                    .predictor = true,
                                    .norm_parts = 1};
