/* Matrix products on GPUs: a group of GS x GS items computes a tile of TM x TN of out (rows,COLUMNS) = A B, gathering
 * KS columns at a time of both operands into local memory. Needs GS, COLUMNS, the operands' elements A(m,r) and B(r,n)
 * in terms of pointers a and b, and A_ALONG_R and B_ALONG_R: whether r is what runs along memory, so that
 * neighbouring items take it. */
#ifndef PRODUCT_H
#define PRODUCT_H

#define PM 4 /* results an item: PM x PN */
#define PN 4
#define KS 16
#define TM (GS * PM)
#define TN (GS * PN)
#define ITEMS (GS * GS)
#define PRODUCT_KERNEL __attribute__((reqd_work_group_size(GS, GS, 1))) kernel

/* One tile, summed over r in [first, last): groups (COLUMNS / TN, rows / TM), rounded up. at and bt are local memory;
 * += with `accumulate`. */
INLINE void product_tile(const global float *a, const global float *b, global float *out,
                         local float (*at)[TM + 1], local float (*bt)[TN + 1], const int rows,
                         const int first, const int last, const int accumulate) {
    const int lx = (int)get_local_id(0), ly = (int)get_local_id(1), item = ly * GS + lx;
    const int m0 = (int)get_group_id(1) * TM, n0 = (int)get_group_id(0) * TN;
    float acc[PM][PN];
    for (int i = 0; i < PM; i++)
        for (int j = 0; j < PN; j++)
            acc[i][j] = 0.0f;
    for (int r0 = first; r0 < last; r0 += KS) {
        for (int i = item; i < TM * KS; i += ITEMS) {
            const int r = A_ALONG_R ? i % KS : i / TM, m = A_ALONG_R ? i / KS : i % TM;
            at[r][m] = m0 + m < rows && r0 + r < last ? A(m0 + m, r0 + r) : 0.0f;
        }
        for (int i = item; i < TN * KS; i += ITEMS) {
            const int r = B_ALONG_R ? i % KS : i / TN, n = B_ALONG_R ? i / KS : i % TN;
            bt[r][n] = n0 + n < COLUMNS && r0 + r < last ? B(r0 + r, n0 + n) : 0.0f;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int r = 0; r < KS; r++) {
            float bv[PN];
            UNROLL(PN)
            for (int j = 0; j < PN; j++)
                bv[j] = bt[r][lx + j * GS];
            UNROLL(PM)
            for (int i = 0; i < PM; i++) {
                const float av = at[r][ly + i * GS];
                UNROLL(PN)
                for (int j = 0; j < PN; j++)
                    acc[i][j] += av * bv[j];
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    for (int i = 0; i < PM; i++)
        for (int j = 0; j < PN; j++) {
            const int m = m0 + ly + i * GS, n = n0 + lx + j * GS;
            if (m < rows && n < COLUMNS) {
                global float *to = out + (size_t)m * COLUMNS + n;
                *to = accumulate ? *to + acc[i][j] : acc[i][j];
            }
        }
}

#endif
