/* Supervised contrastive learning (Khosla et al., arXiv 2004.11362): SimCLR's branches; positives
 * are all views of the same label. */
#include "method/method.h"

const clc_method clc_method_supcon = {.name = "supcon", .loss = "supcon", .labels = true};
