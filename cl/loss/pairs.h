/* What every loss on pairs of embeddings shares. Tiles of the matrix of similarities (or squared distances)
 * are made, used and forgotten: the matrix is never stored, and the backward pass makes each tile again
 * (as Inf-CL, arXiv 2410.17243). A loss adds its element-wise rule.
 *
 * Vectors lie in segments of `rows` each. Joint losses have one segment that holds all views: rows and
 * columns are the same, an element itself left out. Cross losses have one segment a view and, if there are
 * targets, one a view of those: the columns of segment s are segment `segments - 1 - s`, its partner. The
 * first `anchors` segments are anchors; their columns go on with the queue, whose vectors are constant.
 * Vectors of equal id (label, or number of the image) are positives.
 *
 * The workspace holds, with `padded` vectors in all (each segment has at least MR more than its rows and a
 * multiple of NR; all those are 0):
 *   u (padded,DP): z / |z|, or z itself if raw; panels (padded/NR,D,NR): u transposed in panels of NR vectors;
 *   1/|z| (padded), -1 for z itself; ids (padded); STATS arrays of a number a row (padded);
 *   4 factors that all groups need, and PARTS shares of each group. */
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
#ifndef DISTANCE
#define DISTANCE 0 /* 0: dot products; 1: squared distances */
#endif
#ifndef STATS
#define STATS 2
#endif
#ifndef PARTS
#define PARTS 4
#endif
#ifndef UNIT
#define UNIT 1.0f /* similarities are multiplied by it: log2(e) where exponentials are to base 2 */
#endif
#ifndef LEARNED
#define LEARNED 0 /* 1: scale and bias of the similarities are parameters with gradients */
#endif
#define NR      (NV * VW)
#define BJ      (PANELS * NR)

#define MASKED   (-3e38f) /* 2^(MASKED - anything) is 0 */
#define LOWEST   (-1e30f)
#define SHORTEST 1e-12f /* of a vector, as torch.nn.functional.normalize */
#define NOBODY   (-2)   /* id of padding */
#define QUEUED   (-1)   /* id of the queue's vectors: nobody's positive */

#define U(w)       (w)
#define PANEL(w)   ((w) + (size_t)padded * DP)
#define INVERSE(w) ((w) + (size_t)padded * (DP + D))
#define ID(w)      ((const global int *)((w) + (size_t)padded * (DP + D + 1)))
#define STAT(w, k) ((w) + (size_t)padded * (DP + D + 2 + (k)))
#define FACTOR(w)  ((w) + (size_t)padded * (DP + D + 2 + STATS))
#define PART(w)    (FACTOR(w) + 4)

/* What FACTOR holds: of the loss (1 / anchors, say), of the similarities, what is added to those, free. */
enum { OF_LOSS, OF_SIMILARITY, BIAS, OTHER };
#define MOST_LOG_SCALE 4.60517019f /* log 100: as CLIP, arXiv 2103.00020 */

/* Parameters of every kernel: rows of a segment, segments, those that are anchors, vectors of the queue, all
 * vectors with padding, rows of a group. */
#define SHAPE                                                                                      \
    const int rows, const int segments, const int anchors, const int queue, const int padded,      \
        const int per
#define SHAPE_ARGS rows, segments, anchors, queue, padded, per

#define PANELS_OF(n) (((n) + NR - 1) / NR * NR)

/* A group's rows, and the columns that those meet: its partner's, then the queue's. */
typedef struct place {
    int row0, rows, segment;
    int first[2], end[2];
} place;

place find_place(const int group, SHAPE) {
    place p;
    const int groups = (rows + per - 1) / per, block = group % groups;
    const int stride = (padded - PANELS_OF(queue)) / segments;
    p.segment = group / groups;
    p.row0 = p.segment * stride + block * per;
    p.rows = min(per, rows - block * per);
    p.first[0] = (segments - 1 - p.segment) * stride;
    p.end[0] = p.first[0] + rows;
    p.first[1] = segments * stride;
    p.end[1] = p.first[1] + (p.segment < anchors ? queue : 0);
    return p;
}

#if VW == 1
#define IVLOAD(i, p)  ((p)[i])
#define IVSTORE(v, i, p) ((p)[i] = (v))
#define TO_IVEC(v)    convert_int(v)
#define FROM_BITS(v)  as_float(v)
#else
#define IVLOAD(i, p)  CAT(vload, VW)(i, p)
#define IVSTORE(v, i, p) CAT(vstore, VW)(v, i, p)
#define TO_IVEC(v)    CAT(convert_int, VW)(v)
#define FROM_BITS(v)  CAT(as_float, VW)(v)
#endif

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
    const vec power = FROM_BITS((TO_IVEC(n) + 127) << 23);
    return x < -126.0f ? (vec)(0.0f) : p * power;
}

constant int lane_numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

float sum_lanes(const vec v) {
    float lanes[VW], sum = 0.0f;
    VSTORE(v, 0, lanes);
    for (int l = 0; l < VW; l++)
        sum += lanes[l];
    return sum;
}

/* s (MR,stride) = the MR rows a (MR,DP) against one panel (D,NR): dot products or squared distances. */
void similarity(const global float *restrict a, const global float *restrict panel,
                const float factor, float *s, const int stride) {
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
#if DISTANCE
                acc[i][j] += (a[i * DP + k] - b[j]) * (a[i * DP + k] - b[j]);
#else
                acc[i][j] += a[i * DP + k] * b[j];
#endif
    }
    UNROLL(MR)
    for (int i = 0; i < MR; i++)
        UNROLL(NV)
        for (int j = 0; j < NV; j++)
            VSTORE(acc[i][j] * factor, j, s + i * stride);
}

/* Writes `value` where a tile's columns from n0 are row `row` itself or at or beyond `end`. */
void mask(float *s, const int row, const int n0, const int end, const float value) {
    if (row >= n0 && row < n0 + NR)
        s[row - n0] = value;
    for (int c = max(end - n0, 0); c < NR; c++)
        s[c] = value;
}

/* Whether the columns of vector j of the panel at n0 are positives of a row with id `id`. */
ivec positives(const global float *work, const int padded, const int n0, const int j,
               const int id) {
    return IVLOAD(j, ID(work) + n0) == (ivec)(id);
}

/* Where VW columns from `column` are a pair with row `row`: not itself, and before `end`. */
ivec are_pairs(const int row, const int column, const int end) {
    const ivec at = (ivec)(column) + IVLOAD(0, lane_numbers);
    return (at != (ivec)(row)) & (at < (ivec)(end));
}

/* One vector's u. The squares are taken relative to the largest element: no overflow. Returns 1/|z|; it is
 * negative if there is no component along u to take out of the gradient, as when z is too short. */
float normalize_row(const global float *restrict x, global float *restrict u) {
    float largest = 0.0f, squares = 0.0f;
    for (int k = 0; k < D; k++)
        largest = fabs(x[k]) > largest ? fabs(x[k]) : largest;
    const float unit = largest > 1e-30f ? largest : 1.0f;
    for (int k = 0; k < D; k++)
        squares += (x[k] / unit) * (x[k] / unit);
    const float root = sqrt(squares), shortest = SHORTEST / unit;
    const float factor = 1.0f / (root < shortest ? shortest : root);
    for (int k = 0; k < D; k++)
        u[k] = x[k] / unit * factor;
    return root < shortest ? -1.0f / SHORTEST : factor / unit;
}

/* u, its panel, 1/|z|, ids and cleared statistics of NR vectors a group. Segments lie in z, then in target,
 * then in the queue. */
TILE_KERNEL void pairs_prepare(const global float *restrict z,      // (students*rows,D)
                               const global float *restrict target, // (segments*rows - those,D)
                               const global float *restrict bank,   // (queue,D): unit length
                               const global int *restrict labels,   // (images), or NULL
                               const global float *restrict log_scale, // (1), or NULL
                               const global float *restrict bias,      // (1), or NULL
                               global float *restrict work, SHAPE, const int students,
                               const int images, const int raw, const float rate,
                               const float offset) {
    const int n0 = (int)get_group_id(0) * NR, stride = (padded - PANELS_OF(queue)) / segments;
    const int segment = min(n0 / stride, segments), first = n0 - segment * stride;
    const bool queued = segment == segments;
    const global float *from = queued               ? bank
                               : segment < students ? z + (size_t)segment * rows * D
                                                    : target + (size_t)(segment - students) * rows * D;
    global float *u = U(work) + (size_t)n0 * DP, *panel = PANEL(work) + (size_t)n0 * D;
    global int *ids = (global int *)ID(work) + n0;
    for (int r = 0; r < NR; r++) {
        const bool inside = first + r < (queued ? queue : rows);
        const global float *x = from + (size_t)(first + r) * D;
        float inverse = -1.0f;
        for (int k = 0; k < DP; k++)
            u[r * DP + k] = inside && k < D ? x[k] : 0.0f;
        if (inside && !raw && !queued)
            inverse = normalize_row(x, u + r * DP);
        INVERSE(work)[n0 + r] = inverse;
        ids[r] = !inside ? NOBODY : queued ? QUEUED : (first + r) % images;
        if (labels && inside && !queued)
            ids[r] = labels[(first + r) % images];
        for (int k = 0; k < STATS; k++)
            STAT(work, k)[n0 + r] = 0.0f;
    }
    for (int k = 0; k < D; k++)
        for (int r = 0; r < NR; r++)
            panel[k * NR + r] = u[r * DP + k];
    if (n0 == 0) {
        FACTOR(work)[OF_SIMILARITY] = log_scale ? exp(fmin(log_scale[0], MOST_LOG_SCALE)) : rate;
        FACTOR(work)[BIAS] = bias ? bias[0] : offset;
    }
}

/* The mean over what the groups counted: their shares are a sum and its number of terms. */
TILE_KERNEL void pairs_merge(global float *restrict work, global float *restrict value, // (1)
                             const int padded, const int groups, const float weight) {
    float sum = 0.0f, count = 0.0f;
    for (int g = 0; g < groups; g++) {
        sum += PART(work)[g * PARTS];
        count += PART(work)[g * PARTS + 1];
    }
    FACTOR(work)[OF_LOSS] = count > 0.0f ? weight / count : 0.0f;
    value[0] = sum * FACTOR(work)[OF_LOSS];
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
