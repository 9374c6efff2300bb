/* NT-Xent on cosine similarity (SimCLR, arXiv 2002.05709, eq. 1), tile by tile: the views x views matrix is
 * never stored; the backward pass computes each tile again (as Inf-CL, arXiv 2410.17243).
 *
 * With u = z / |z|, s_ij = u_i . u_j / t and l_i = log sum_{k != i} exp(s_ik):
 *   L = 1/(2N) sum_i (l_i - s_i,pos(i))
 *   dL/du_i = 1/(2N t) sum_{j != i} w_ij u_j,
 *   w_ij = exp(s_ij - l_i) + exp(s_ij - l_j) - (2 if j = pos(i))
 *   dL/dz_i = (dL/du_i - u_i (u_i . dL/du_i)) / |z_i|
 * Logarithms are to base 2 inside: `scale` is log2(e) / t.
 *
 * The workspace holds, with `padded` rows (views and at least MR more, a multiple of NR; all those are 0):
 *   u (padded,DP), panels (padded/NR,D,NR): u transposed in panels of NR views,
 *   1/|z| (padded), l (padded), part: each group's share of the loss.
 * A group handles `per` <= BI rows and streams all columns. */
#include "common.h"

#ifndef D
#define D 128 /* dimensions */
#endif
#ifndef DP
#define DP 128 /* D rounded up to whole chunks of NU vectors */
#endif
#ifndef NU
#define NU 4 /* vectors of a row that the gradient's register tile covers */
#endif
#ifndef MR
#define MR 6 /* rows of a register tile */
#endif
#ifndef NV
#define NV 4 /* vectors of columns of a register tile */
#endif
#ifndef BI
#define BI 48 /* rows of a group, a multiple of MR */
#endif
#ifndef PANELS
#define PANELS 2 /* panels of columns between two updates of the gradient */
#endif
#define NR (NV * VW)
#define BJ (PANELS * NR)

#define MASKED (-3e38f) /* 2^(MASKED - anything) is 0 */
#define LOWEST (-1e30f)
#define SHORTEST 1e-12f /* of a vector, as torch.nn.functional.normalize */

#define U(w) (w)
#define PANEL(w) ((w) + (size_t)padded * DP)
#define INVERSE(w) ((w) + (size_t)padded * (DP + D))
#define LOGSUM(w) ((w) + (size_t)padded * (DP + D + 1))
#define PART(w) ((w) + (size_t)padded * (DP + D + 2))
#define POSITIVE(i) ((i) < views / 2 ? (i) + views / 2 : (i)-views / 2)

/* 2^x: 2^r for r in [-1/2, 1/2] by its Taylor series to r^7 (next term 6e-9), times a power of two;
 * 0 below 2^-126; NaN stays NaN. For x < 128. */
vec power2(const vec x) {
    const vec n = rint(x < -126.0f ? (vec)(-126.0f) : x), r = x - n;
    vec p = 1.52527338e-5f * r + 1.54035304e-4f;
    p = p * r + 1.33335581e-3f;
    p = p * r + 9.61812911e-3f;
    p = p * r + 5.55041087e-2f;
    p = p * r + 2.40226507e-1f;
    p = p * r + 6.93147181e-1f;
    p = p * r + 1.0f;
    const vec power = CAT(as_float, VW)((CAT(convert_int, VW)(n) + 127) << 23);
    return x < -126.0f ? (vec)(0.0f) : p * power;
}

/* s (MR,stride) = scale times the MR rows a (MR,DP) times one panel (D,NR). */
void similarity(const global float *restrict a, const global float *restrict panel,
                const float scale, float *s, const int stride) {
    vec acc[MR][NV];
    UNROLL(MR)
    for (int i = 0; i < MR; i++)
        UNROLL(NV)
        for (int j = 0; j < NV; j++)
            acc[i][j] = (vec)(0.0f);
    for (int k = 0; k < D; k++) {
        vec b[NV];
        UNROLL(NV)
        for (int j = 0; j < NV; j++)
            b[j] = VLOAD(j, panel + k * NR);
        UNROLL(MR)
        for (int i = 0; i < MR; i++)
            UNROLL(NV)
            for (int j = 0; j < NV; j++)
                acc[i][j] += a[i * DP + k] * b[j];
    }
    UNROLL(MR)
    for (int i = 0; i < MR; i++)
        UNROLL(NV)
        for (int j = 0; j < NV; j++)
            VSTORE(acc[i][j] * scale, j, s + i * stride);
}

/* Writes `value` where a tile's columns from n0 are row `row` itself or beyond the views. */
void mask(float *s, const int row, const int n0, const int views, const float value) {
    if (row >= n0 && row < n0 + NR)
        s[row - n0] = value;
    for (int c = max(views - n0, 0); c < NR; c++)
        s[c] = value;
}

/* u and its panel of NR rows. The squares are taken relative to the largest element: no overflow. */
TILE_KERNEL void ntxent_normalize(const global float *restrict z, // (views,D)
                                  global float *restrict work, const int views, const int padded) {
    const int n0 = (int)get_group_id(0) * NR;
    global float *u = U(work) + (size_t)n0 * DP, *panel = PANEL(work) + (size_t)n0 * D;
    for (int r = 0; r < NR; r++) {
        const bool inside = n0 + r < views;
        const global float *x = z + (size_t)(inside ? n0 + r : 0) * D;
        float largest = 0.0f, squares = 0.0f;
        for (int k = 0; k < D; k++)
            largest = fabs(x[k]) > largest ? fabs(x[k]) : largest;
        const float unit = largest > 1e-30f ? largest : 1.0f;
        for (int k = 0; k < D; k++)
            squares += (x[k] / unit) * (x[k] / unit);
        const float root = sqrt(squares), shortest = SHORTEST / unit;
        const float factor = inside ? 1.0f / (root < shortest ? shortest : root) : 0.0f;
        for (int k = 0; k < DP; k++)
            u[r * DP + k] = inside && k < D ? x[k] / unit * factor : 0.0f;
        /* Negative: too short, there is no component along u to take out of the gradient. */
        INVERSE(work)[n0 + r] = root < shortest ? -1.0f / SHORTEST : factor / unit;
    }
    for (int k = 0; k < D; k++)
        for (int r = 0; r < NR; r++)
            panel[k * NR + r] = u[r * DP + k];
}

/* Puts the lanes of a row together: log2 of the sum. */
float merge_lanes(const vec top, const vec sum) {
    float tops[VW], sums[VW], m = LOWEST, total = 0.0f;
    VSTORE(top, 0, tops);
    for (int l = 0; l < VW; l++)
        m = tops[l] > m ? tops[l] : m;
    VSTORE(sum * power2(top - m), 0, sums);
    for (int l = 0; l < VW; l++)
        total += sums[l];
    return m + log2(total);
}

/* l_i by running maximum and sum, each lane on its own (Milakov and Gimelshein, arXiv 1805.02867). */
TILE_KERNEL void ntxent_forward(global float *restrict work, const int views, const int padded,
                                const int per, const float scale) {
    const int row0 = (int)get_group_id(0) * per, rows = min(per, views - row0);
    vec top[BI], sum[BI];
    float positive[BI], s[MR * NR], loss = 0.0f;
    for (int r = 0; r < BI; r++) {
        top[r] = (vec)(LOWEST);
        sum[r] = (vec)(0.0f);
    }
    for (int n0 = 0; n0 < views; n0 += NR)
        for (int r = 0; r < rows; r += MR) {
            similarity(U(work) + (size_t)(row0 + r) * DP, PANEL(work) + (size_t)n0 * D, scale, s,
                       NR);
            for (int i = 0; i < MR; i++) {
                const int p = POSITIVE(row0 + r + i) - n0;
                if (p >= 0 && p < NR)
                    positive[r + i] = s[i * NR + p];
                mask(s + i * NR, row0 + r + i, n0, views, MASKED);
                vec m = top[r + i];
                UNROLL(NV)
                for (int j = 0; j < NV; j++) {
                    const vec v = VLOAD(j, s + i * NR);
                    m = v > m ? v : m;
                }
                vec t = sum[r + i] * power2(top[r + i] - m);
                UNROLL(NV)
                for (int j = 0; j < NV; j++)
                    t += power2(VLOAD(j, s + i * NR) - m);
                sum[r + i] = t;
                top[r + i] = m;
            }
        }
    for (int r = 0; r < rows; r++) {
        const float l = merge_lanes(top[r], sum[r]);
        LOGSUM(work)[row0 + r] = l;
        loss += l - positive[r];
    }
    PART(work)[get_group_id(0)] = loss;
}

/* L: the groups' shares in order. */
TILE_KERNEL void ntxent_loss(const global float *restrict work, global float *restrict value, // (1)
                             const int padded, const int groups, const float scale) {
    float sum = 0.0f;
    for (int g = 0; g < groups; g++)
        sum += PART(work)[g];
    value[0] = sum * scale;
}

/* Similarities of one row and panel become weights. */
void weigh(float *s, const global float *logsum, const int row, const int n0, const int views) {
    const vec l = (vec)(logsum[row]);
    UNROLL(NV)
    for (int j = 0; j < NV; j++) {
        const vec v = VLOAD(j, s);
        VSTORE(power2(v - l) + power2(v - VLOAD(j, logsum + n0)), j, s);
    }
    const int p = POSITIVE(row) - n0;
    if (p >= 0 && p < NR)
        s[p] -= 2.0f;
    mask(s, row, n0, views, 0.0f);
}

/* du (MR,DP) += w (MR,BJ) times the `columns` rows u (columns,DP). */
void accumulate(const float *w, const global float *restrict u, float *du, const int columns) {
    for (int c = 0; c < DP; c += NU * VW) {
        vec acc[MR][NU];
        UNROLL(MR)
        for (int i = 0; i < MR; i++)
            UNROLL(NU)
            for (int j = 0; j < NU; j++)
                acc[i][j] = VLOAD(j, du + i * DP + c);
        for (int k = 0; k < columns; k++) {
            vec b[NU];
            UNROLL(NU)
            for (int j = 0; j < NU; j++)
                b[j] = VLOAD(j, u + k * DP + c);
            UNROLL(MR)
            for (int i = 0; i < MR; i++)
                UNROLL(NU)
                for (int j = 0; j < NU; j++)
                    acc[i][j] += w[i * BJ + k] * b[j];
        }
        UNROLL(MR)
        for (int i = 0; i < MR; i++)
            UNROLL(NU)
            for (int j = 0; j < NU; j++)
                VSTORE(acc[i][j], j, du + i * DP + c);
    }
}

/* dz of one row from du / factor, through the normalisation. */
void denormalize(const float *du, const global float *u, const float inverse, const float factor,
                 global float *dz) {
    float along = 0.0f;
    for (int k = 0; k < D; k++)
        along += u[k] * du[k];
    along = inverse < 0.0f ? 0.0f : along;
    for (int k = 0; k < D; k++)
        dz[k] = (du[k] - u[k] * along) * factor * fabs(inverse);
}

TILE_KERNEL void ntxent_backward(const global float *restrict work,
                                 global float *restrict dz, // (views,D)
                                 const int views, const int padded, const int per,
                                 const float scale, const float factor) {
    const int row0 = (int)get_group_id(0) * per, rows = min(per, views - row0);
    const int end = (views + NR - 1) / NR * NR;
    float du[BI * DP], w[BI * BJ];
    for (int k = 0; k < BI * DP; k++)
        du[k] = 0.0f;
    for (int n0 = 0; n0 < end; n0 += BJ) {
        const int columns = min(BJ, end - n0);
        for (int n = 0; n < columns; n += NR)
            for (int r = 0; r < rows; r += MR) {
                similarity(U(work) + (size_t)(row0 + r) * DP, PANEL(work) + (size_t)(n0 + n) * D,
                           scale, w + r * BJ + n, BJ);
                for (int i = 0; i < MR; i++)
                    weigh(w + (r + i) * BJ + n, LOGSUM(work), row0 + r + i, n0 + n, views);
            }
        for (int r = 0; r < rows; r += MR)
            accumulate(w + r * BJ, U(work) + (size_t)n0 * DP, du + r * DP, columns);
    }
    for (int r = 0; r < rows; r++)
        denormalize(du + r * DP, U(work) + (size_t)(row0 + r) * DP, INVERSE(work)[row0 + r], factor,
                    dz + (size_t)(row0 + r) * D);
}
