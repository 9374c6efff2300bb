/* MoCo v1 (He et al., arXiv 1911.05722): a query of the first view finds its key, made of the
 * second by a running average of the networks, among a queue of earlier keys. Batch-norm over eight
 * parts of a view stands in for the shuffling between devices. With projector.hidden empty the head
 * is linear, as in the paper. */
#include "method/method.h"

const clc_method clc_method_mocov1 = {.name = "mocov1",
                                      .loss = "infonce",
                                      .target = CLC_TARGET_TEACHER,
                                      .queue = CLC_QUEUE_TEACHER,
                                      .negatives = CLC_CONFIG_NEGATIVES_QUEUE,
                                      .split = true,
                                      .norm_parts = 8};
