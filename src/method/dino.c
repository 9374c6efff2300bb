/* DINO (Caron et al., arXiv 2104.14294): each view predicts the distribution that a running average
 * of the networks gives the two large ones, over the outputs of a last layer of unit-length
 * weights. */
#include "method/method.h"

const clc_method clc_method_dino = {.name = "dino",
                                    .loss = "dino",
                                    .target = CLC_TARGET_TEACHER,
                                    .prototypes = true,
                                    .multicrop = true,
                                    .norm_parts = 1};
