/* SimCLR (Chen et al., arXiv 2002.05709): two views of each image through one encoder and
 * projector, NT-Xent on all of them. Batch-norm sees both views together, as in the paper. */
#include "method/method.h"

const clc_method clc_method_simclr = {.name = "simclr", .loss = "ntxent"};
