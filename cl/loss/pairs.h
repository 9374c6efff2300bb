/* What every loss on pairs of embeddings shares. Tiles of the matrix of similarities (or squared distances)
 * are made, used and forgotten: the matrix is never stored, and the backward pass makes each tile again
 * (as Inf-CL, arXiv 2410.17243). A loss adds its element-wise rule.
 *
 * Vectors lie in segments of `rows` each. Joint losses have one segment that holds all views: rows and
 * columns are the same, an element itself left out. Cross losses have one segment a view and, if there are
 * targets, one a view of those: the columns of segment s are segment `segments - 1 - s`, its partner. The
 * first `anchors` segments are anchors; their columns go on with the queue, whose vectors are constant.
 * With HARD_NEGATIVES there are three segments: the first alone are anchors, whose columns are the second and
 * third, and those of these are the first. Vectors of equal id (label, or number of the image) are positives;
 * the third segment's have none.
 *
 * The workspace holds, with `padded` vectors in all (each segment has at least MR more than its rows and a
 * multiple of NR; all those are 0):
 *   u (padded,DP): z / |z|, or z itself if raw; panels (padded/NR,DP,NR): u transposed in panels of NR vectors;
 *   1/|z| (padded), -1 for z itself; ids (padded); STATS arrays of a number a row (padded);
 *   4 factors that all groups need, and PARTS shares of each group. */
#include "group.h"

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
#ifndef HARD_NEGATIVES
#define HARD_NEGATIVES 0
#endif
#ifndef PREPARED
#define PREPARED 16 /* vectors that a group prepares: a divisor of NR */
#endif
#define NR      (NV * LANES)
#define BJ      (PANELS * NR)

#define MASKED   (-3e38f) /* 2^(MASKED - anything) is 0 */
#define LOWEST   (-1e30f)
#define SHORTEST 1e-12f /* of a vector, as torch.nn.functional.normalize */
#define NOBODY   (-2)   /* id of padding */
#define QUEUED   (-1)   /* id of the queue's vectors and of hard negatives: nobody's positive */

#define U(w)       (w)
#define PANEL(w)   ((w) + (size_t)padded * DP)
#define INVERSE(w) ((w) + (size_t)padded * (2 * DP))
#define ID(w)      ((const global int *)((w) + (size_t)padded * (2 * DP + 1)))
#define STAT(w, k) ((w) + (size_t)padded * (2 * DP + 2 + (k)))
#define FACTOR(w)  ((w) + (size_t)padded * (2 * DP + 2 + STATS))
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

/* A group's rows, and the columns that those meet: its partner's, then the queue's (the bank). */
typedef struct place {
    int row0, rows, segment;
    int partner, partner_end, bank, bank_end;
} place;

/* The columns of the partner (k = 0) and of the queue (1). */
#define FIRST(p, k) ((k) ? (p).bank : (p).partner)
#define END(p, k)   ((k) ? (p).bank_end : (p).partner_end)

/* The first vector of a segment; those of the queue follow all segments. */
int first_of(const int segment, SHAPE) {
    return (padded - PANELS_OF(queue)) / segments * segment;
}

place find_place(const int group, SHAPE) {
    place p;
    const int groups = (rows + per - 1) / per, block = group % groups;
    p.segment = group / groups;
    p.row0 = first_of(p.segment, SHAPE_ARGS) + block * per;
    p.rows = min(per, rows - block * per);
    p.partner = first_of(segments - 1 - p.segment, SHAPE_ARGS);
    p.partner_end = p.partner + rows;
    p.bank = first_of(segments, SHAPE_ARGS);
    p.bank_end = p.bank + (p.segment < anchors ? queue : 0);
    if (HARD_NEGATIVES) {
        p.partner = first_of(p.segment == 0, SHAPE_ARGS);
        p.bank = first_of(2, SHAPE_ARGS);
        p.partner_end = p.partner + rows;
        p.bank_end = p.bank + (p.segment == 0 ? rows : 0);
    }
    return p;
}

/* One vector's u. The squares are taken relative to the largest element: no overflow. Returns 1/|z|; it is
 * negative if there is no component along u to take out of the gradient, as when z is too short. */
float normalize_row(const global float *restrict x, global float *restrict u,
                    SHARED float *lanes) {
    float most = 0.0f, sum = 0.0f;
    for EACH(k, D)
        most = fabs(x[k]) > most ? fabs(x[k]) : most;
    const float largest = most_of_items(most, lanes);
    const float unit = largest > 1e-30f ? largest : 1.0f;
    for EACH(k, D)
        sum += (x[k] / unit) * (x[k] / unit);
    const float root = sqrt(sum_items(sum, lanes)), shortest = SHORTEST / unit;
    const float factor = 1.0f / (root < shortest ? shortest : root);
    for EACH(k, D)
        u[k] = x[k] / unit * factor;
    return root < shortest ? -1.0f / SHORTEST : factor / unit;
}

/* u, its panel, 1/|z|, ids and cleared statistics of PREPARED vectors a group. Segments lie in z, then in target,
 * then in the queue. */
GROUP_KERNEL void pairs_prepare(const global float *restrict z,      // (students*rows,D)
                                const global float *restrict target, // (segments*rows - those,D)
                                const global float *restrict bank,   // (queue,D): unit length
                                const global int *restrict labels,   // (images), or NULL
                                const global float *restrict log_scale, // (1), or NULL
                                const global float *restrict bias,      // (1), or NULL
                                global float *restrict work, SHAPE, const int students,
                                const int images, const int raw, const float rate,
                                const float offset) {
    SHARED float lanes[LANES];
    const int n0 = (int)get_group_id(0) * PREPARED;
    const int stride = first_of(1, SHAPE_ARGS), segment = min(n0 / stride, segments);
    const int first = n0 - segment * stride;
    const bool queued = segment == segments;
    const global float *from = queued               ? bank
                               : segment < students ? z + (size_t)segment * rows * D
                                                    : target + (size_t)(segment - students) * rows * D;
    global float *u = U(work) + (size_t)n0 * DP;
    global float *panel = PANEL(work) + (size_t)(n0 / NR) * NR * DP + n0 % NR;
    for (int r = 0; r < PREPARED; r++) {
        const int row = first + r;
        const bool inside = row < (queued ? queue : rows);
        const global float *x = from + (size_t)row * D;
        float inverse = -1.0f;
        for EACH(k, DP)
            u[r * DP + k] = inside && k < D ? x[k] : 0.0f;
        if (inside && !raw && !queued)
            inverse = normalize_row(x, u + r * DP, lanes);
        if (LANE == 0) {
            const bool nobodys = queued || (HARD_NEGATIVES && segment == 2);
            const int id = !inside ? NOBODY : nobodys ? QUEUED : row % images;
            INVERSE(work)[n0 + r] = inverse;
            ((global int *)ID(work))[n0 + r] = labels && id >= 0 ? labels[id] : id;
        }
    }
    for (int k = 0; k < STATS; k++)
        for EACH(r, PREPARED)
            STAT(work, k)[n0 + r] = 0.0f;
    for EACH(k, DP)
        for (int r = 0; r < PREPARED; r++)
            panel[(size_t)k * NR + r] = u[r * DP + k];
    if (n0 + LANE == 0) {
        FACTOR(work)[OF_SIMILARITY] = log_scale ? exp(fmin(log_scale[0], MOST_LOG_SCALE)) : rate;
        FACTOR(work)[BIAS] = bias ? bias[0] : offset;
    }
}

/* What the groups left as their share k, all together. */
float sum_shares(const global float *restrict work, const int padded, const int groups, const int k,
                 SHARED float *lanes) {
    float sum = 0.0f;
    for EACH(g, groups)
        sum += PART(work)[g * PARTS + k];
    return sum_items(sum, lanes);
}

/* The mean over what the groups counted: their shares are a sum and its number of terms. One group. */
GROUP_KERNEL void pairs_merge(global float *restrict work, global float *restrict value, // (1)
                              const int padded, const int groups, const float weight) {
    SHARED float lanes[LANES];
    const float sum = sum_shares(work, padded, groups, 0, lanes);
    const float count = sum_shares(work, padded, groups, 1, lanes);
    const float factor = count > 0.0f ? weight / count : 0.0f;
    if (LANE == 0) {
        FACTOR(work)[OF_LOSS] = factor;
        value[0] = sum * factor;
    }
}

#include "loss/tile.h"
#include "loss/gradient.h"
