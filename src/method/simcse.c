/* SimCSE (Gao et al., arXiv 2104.08821): a text's two views differ by what dropout leaves of them;
 * of pairs of texts, with or without a third one as hard negative, each is a view. */
#include "method/method.h"

const clc_method clc_method_simcse = {.name = "simcse", .loss = "simcse", .by_field = true};
