/* C (m,n) = op(A) (m,k) op(B) (k,n), row-major. Both operands are packed into zero-padded panels, MR rows of A and
 * NR columns of B, so that the product kernel has no edges but at its stores. For CPU devices: GPUs multiply
 * by CLBlast, so one item a group will do. */
#include "common.h"

#ifndef MR
#define MR 8
#define NV 2
#endif
#define NR (NV * VW)

/* panels (ceil(rows/PANEL),k,PANEL) from x: element (i,t) of the operand is x[i * row_step + t * k_step].
 * A group packs one panel. */
#define LINE 16 /* floats read together of operands that lie along k */
#define PACK(name, PANEL)                                                                          \
    TILE_KERNEL void name(const global float *restrict x, global float *restrict panels,           \
                          const int offset, const int rows, const int k, const int row_step,      \
                          const int k_step, const int panels_offset) {                             \
        const int p = (int)get_group_id(0);                                                             \
        global float *to = panels + panels_offset + (size_t)p * k * PANEL;                         \
        const global float *from = x + offset + (size_t)p * PANEL * row_step;                      \
        const int count = min(PANEL, rows - p * PANEL);                                            \
        if (count == PANEL && row_step == 1) {                                                     \
            for (int t = 0; t < k; t++, to += PANEL, from += k_step)                               \
                UNROLL(PANEL)                                                                      \
                for (int i = 0; i < PANEL; i++)                                                    \
                    to[i] = from[i];                                                               \
            return;                                                                                \
        }                                                                                          \
        int t = 0;                                                                                 \
        if (count == PANEL && k_step == 1)                                                         \
            for (; t + LINE <= k; t += LINE, to += LINE * PANEL, from += LINE)                     \
                for (int i = 0; i < PANEL; i++)                                                    \
                    UNROLL(LINE)                                                                   \
                    for (int l = 0; l < LINE; l++)                                                 \
                        to[l * PANEL + i] = from[(size_t)i * row_step + l];                        \
        for (; t < k; t++, to += PANEL, from += k_step) {                                 \
            for (int i = 0; i < count; i++)                                                        \
                to[i] = from[(size_t)i * row_step];                                                \
            for (int i = count; i < PANEL; i++)                                                    \
                to[i] = 0.0f;                                                                      \
        }                                                                                          \
    }

PACK(gemm_pack_a, MR)
PACK(gemm_pack_b, NR)

/* Groups: (panels of B, chunks of panels of A). */
TILE_KERNEL void gemm_panels(const global float *restrict a, // (ceil(m/MR),k,MR), then at b_offset
                             global float *restrict c,       // (ceil(n/NR),k,NR); c is (m,n)
                             const int b_offset,
                             const int offset, const int m, const int n, const int k,
                             const int accumulate) {
    const int n0 = (int)get_group_id(0) * NR, panels = (m + MR - 1) / MR;
    const int per = CHUNK(panels, (int)get_num_groups(1)), first = (int)get_group_id(1) * per;
    for (int p = first; p < min(first + per, panels); p++) {
        const global float *restrict x = a + (size_t)p * k * MR;
        const global float *restrict y = a + b_offset + (size_t)n0 * k;
        vec acc[MR][NV];
        UNROLL(MR)
        for (int i = 0; i < MR; i++)
            UNROLL(NV)
            for (int j = 0; j < NV; j++)
                acc[i][j] = (vec)(0.0f);
        for (int t = 0; t < k; t++, x += MR, y += NR) {
            vec column[NV];
            UNROLL(NV)
            for (int j = 0; j < NV; j++)
                column[j] = VLOAD(j, y);
            UNROLL(MR)
            for (int i = 0; i < MR; i++)
                UNROLL(NV)
                for (int j = 0; j < NV; j++)
                    acc[i][j] += x[i] * column[j];
        }
        for (int i = 0; i < min(MR, m - p * MR); i++) {
            global float *to = c + offset + (size_t)(p * MR + i) * n + n0;
            if (n - n0 >= NR) {
                UNROLL(NV)
                for (int j = 0; j < NV; j++)
                    VSTORE(accumulate ? acc[i][j] + VLOAD(j, to) : acc[i][j], j, to);
            } else {
                float row[NR];
                UNROLL(NV)
                for (int j = 0; j < NV; j++)
                    VSTORE(acc[i][j], j, row);
                for (int j = 0; j < n - n0; j++)
                    to[j] = accumulate ? to[j] + row[j] : row[j];
            }
        }
    }
}
