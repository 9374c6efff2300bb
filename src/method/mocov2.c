/* MoCo v2 (Chen et al., arXiv 2003.04297): MoCo v1 with an MLP for a head and stronger
 * augmentation, which the configuration says. */
#include "method/method.h"

const clc_method clc_method_mocov2 = {.name = "mocov2",
                                      .loss = "infonce",
                                      .target = CLC_TARGET_TEACHER,
                                      .queue = CLC_QUEUE_TEACHER,
                                      .negatives = CLC_CONFIG_NEGATIVES_QUEUE,
                                      .split = true,
                                      .norm_parts = 8};
