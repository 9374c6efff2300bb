/* Matrix products by CLBlast; use clc_gemm_build. */
#ifndef CLC_DEVICE_GEMM_CLBLAST_H
#define CLC_DEVICE_GEMM_CLBLAST_H

#include "device/gemm.h"

clc_status clc_gemm_clblast_build(clc_sequence *sequence, const clc_gemm *gemm, const char *op,
                                  const char *layer);

#endif
