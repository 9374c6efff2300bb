/* VICReg (Bardes, Ponce and LeCun, arXiv 2105.04906): views agree, dimensions keep their variance
 * and lose their covariance. Each view goes through the networks alone. */
#include "method/method.h"

const clc_method clc_method_vicreg = {.name = "vicreg", .loss = "vicreg", .norm_parts = 1};
