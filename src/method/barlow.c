/* Barlow Twins (Zbontar et al., arXiv 2103.03230): the cross-correlation of two views' embeddings
 * becomes the identity. Each view goes through the networks alone. */
#include "method/method.h"

const clc_method clc_method_barlow = {.name = "barlow", .loss = "barlow", .norm_parts = 1};
