/* MoCo v3 (Chen, Xie and He, arXiv 2104.02057): predictions of each view find the other view's key,
 * made by a running average of the networks, among those of the batch. The loss is the sum of both
 * directions, each times 2 t: 4 t times the mean. */
#include "method/method.h"

const clc_method clc_method_mocov3 = {.name = "mocov3",
                                      .loss = "infonce",
                                      .target = CLC_TARGET_TEACHER,
                                      .predictor = true,
                                      .norm_parts = 1,
                                      .temperature_weight = 4};
