/* Products of CPU kernels: a tile of MR rows and NV vectors that stays in registers while it is summed. */
#ifndef REGISTERS_H
#define REGISTERS_H
#include "common.h"

#ifndef MR
#define MR 8
#define NV 2
#endif
#define NR (NV * VW)

INLINE void clear_tile(vec acc[MR][NV]) {
    UNROLL(MR)
    for (int i = 0; i < MR; i++)
        UNROLL(NV)
        for (int j = 0; j < NV; j++)
            acc[i][j] = (vec)(0.0f);
}

/* acc += MR rows of A, element (i,t) of which is x[i * ROW_STEP + t * K_STEP], times a panel (k,NR) of B. */
#define MULTIPLY_ADD(name, SPACE, ROW_STEP, K_STEP)                                                \
    INLINE void name(vec acc[MR][NV], const SPACE float *x, const global float *y, const int k) {  \
        for (int t = 0; t < k; t++) {                                                              \
            vec row[NV];                                                                           \
            UNROLL(NV)                                                                             \
            for (int j = 0; j < NV; j++)                                                           \
                row[j] = VLOAD(j, y + t * NR);                                                     \
            UNROLL(MR)                                                                             \
            for (int i = 0; i < MR; i++)                                                           \
                UNROLL(NV)                                                                         \
                for (int j = 0; j < NV; j++)                                                       \
                    acc[i][j] += x[i * (ROW_STEP) + t * (K_STEP)] * row[j];                        \
        }                                                                                          \
    }

#endif
