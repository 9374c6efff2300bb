#include "loss/pairs.h"

#include "core/math.h"

#include <stdio.h>
#include <string.h>

/* On CPU devices 24 accumulators with 32 vector registers, 12 with 16, and rows enough that a panel
 * read is used well. A GPU's group has the rows of one tile: its state is registers, and a rule
 * that takes many leaves half. */
static void choose_tile(const clc_device *device, const clc_pairs *pairs, clc_pairs_tiling *t) {
    const bool cpu = device->profile == CLC_PROFILE_CPU;
    t->width = cpu ? device->vector_width : 1;
    t->items = device->group_size;
    t->rows = cpu ? 6 : pairs->heavy ? 4 : 8;
    t->vectors = t->width == 16 ? 4 : 2;
    t->chunk = t->vectors;
    t->block = cpu ? 96 : t->rows;
    t->column_block = t->vectors * t->width * t->items;
    t->prepared = cpu || t->column_block < 8 ? t->column_block : 8;
}

/* Whether each pair is met once (cl/loss/symmetric.cl): where a work-item has whole tiles, for unit
 * vectors at temperatures that leave exp() in range, and if there are blocks enough. */
static bool meets_once(const clc_device *device, const clc_pairs *p, const clc_pairs_tiling *t) {
    return device->profile == CLC_PROFILE_CPU && p->once && p->segments == 1 && !p->raw &&
           p->rate <= 40 && p->dim % (int)t->width == 0 &&
           (size_t)p->rows >= 2 * t->block * device->groups;
}

/* An odd number of blocks of whole squares; the statistics are those of symmetric.cl. */
static void cut_in_squares(const clc_device *device, const clc_pairs *p, clc_pairs_tiling *t) {
    const size_t rows = (size_t)p->rows;
    t->block = t->column_block > 32 ? (unsigned)(3 * t->column_block) : 96;
    t->panels = (unsigned)(t->block / t->column_block);
    t->padded = clc_round_up(rows, t->block);
    t->per = clc_round_up(clc_ceil_div(rows, 4 * device->groups), t->block);
    t->groups = clc_ceil_div(rows, t->per) | 1;
    t->stats = 3;
    t->once = true;
}

clc_pairs_tiling clc_pairs_tile(const clc_device *device, const clc_pairs *pairs) {
    enum { PRIVATE_FLOATS = 65536 }; /* of the gradient's block: a quarter of a MB on the stack */
    clc_pairs_tiling t = {0};
    const size_t rows = (size_t)pairs->rows;
    choose_tile(device, pairs, &t);
    const size_t lanes = t.width * t.items, vectors = clc_ceil_div((size_t)pairs->dim, lanes);
    const size_t chunks = clc_ceil_div(vectors, t.chunk);
    t.chunk = (unsigned)clc_ceil_div(vectors, chunks);
    t.dim = chunks * t.chunk * lanes;
    const size_t fitting = PRIVATE_FLOATS / t.dim < t.block ? PRIVATE_FLOATS / t.dim : t.block;
    t.block = fitting < t.rows ? t.rows : (unsigned)(fitting / t.rows * t.rows);
    t.panels = (unsigned)(t.column_block < 128 ? 128 / t.column_block : 1);
    t.padded = clc_round_up(rows + t.rows, t.column_block) * (size_t)pairs->segments +
               clc_round_up((size_t)pairs->queue, t.column_block);
    const size_t all = rows * (size_t)pairs->students;
    const size_t share = clc_round_up(clc_ceil_div(all, device->groups), t.rows);
    t.per = share < t.block ? share : t.block;
    t.groups = clc_ceil_div(rows, t.per);
    t.stats = (size_t)pairs->stats;
    if (meets_once(device, pairs, &t))
        cut_in_squares(device, pairs, &t);
    return t;
}

void clc_pairs_joint(clc_pairs *pairs, const clc_loss_shape *shape) {
    pairs->rows = shape->views * shape->images;
    pairs->segments = pairs->students = pairs->anchors = 1;
    pairs->images = shape->images;
    pairs->dim = shape->dim;
}

void clc_pairs_cross(clc_pairs *pairs, const clc_loss_shape *shape) {
    pairs->rows = pairs->images = shape->images;
    pairs->students = shape->views;
    pairs->segments = shape->views * (shape->targets ? 2 : 1);
    pairs->anchors = shape->targets ? shape->views : 1;
    pairs->queue = shape->queue;
    pairs->dim = shape->dim;
    if (pairs->segments < 2)
        pairs->refusal = "one view has nothing to be compared with; choose a method with two";
}

clc_pairs clc_pairs_softmax(const char *name, const clc_config_loss *options) {
    return (clc_pairs){.name = name,
                       .source = "loss/softmax.cl",
                       .forward = "softmax_forward",
                       .merge = "pairs_merge",
                       .stats = 2,
                       .raw = !options->normalize,
                       .rate = 1 / options->temperature,
                       .weight = options->weight};
}

clc_status clc_pairs_check(const clc_pairs *p) {
    if (p->refusal)
        return clc_fail(CLC_INVALID, "%s: %s", p->name, p->refusal);
    if (p->rows < 1 || p->dim < 1)
        return clc_fail(CLC_INVALID, "%s: %d rows of %d dimensions; at least 1 of each is needed",
                        p->name, p->rows, p->dim);
    if (p->segments == 1 && p->rows == p->images && p->images < 2)
        return clc_fail(CLC_INVALID, "%s: one embedding makes no pair; use a larger batch",
                        p->name);
    if (p->segments > 1 && p->segments % 2 && !p->hard_negatives)
        return clc_fail(CLC_INVALID, "%s compares two views, not %d; set the method's views to 2",
                        p->name, p->students);
    if (p->segments > 4)
        return clc_fail(CLC_INVALID, "%s compares two views with two targets, not %d with %d",
                        p->name, p->students, p->segments - p->students);
    if (!(p->rate >= 1e-6 && p->rate <= 1000))
        return clc_fail(CLC_INVALID, "%s: the temperature is %g; it must be 0.001 to 1000000",
                        p->name, 1 / p->rate);
    return CLC_OK;
}

static size_t groups_of(const clc_pairs_tiling *t, int segments) {
    return t->groups * (size_t)segments;
}

size_t clc_pairs_workspace(const clc_device *device, const clc_pairs *p) {
    const clc_pairs_tiling t = clc_pairs_tile(device, p);
    return (t.padded * (2 * t.dim + 2 + t.stats) + 4 +
            groups_of(&t, p->segments) * CLC_PAIRS_PARTS) *
           sizeof(float);
}

clc_launch_spec clc_pairs_spec(const clc_pairs *p, const clc_pairs_tiling *t, const char *kernel,
                               size_t groups, char options[256]) {
    snprintf(
        options, 256,
        "-DD=%d -DDP=%zu -DNU=%u -DVW=%u -DMR=%u -DNV=%u -DBI=%u -DPANELS=%u -DPREPARED=%zu %s",
        p->dim, t->dim, t->chunk, t->width, t->rows, t->vectors, t->block, t->panels, t->prepared,
        p->rule);
    return (clc_launch_spec){.source = t->once ? "loss/symmetric.cl" : p->source,
                             .kernel = kernel,
                             .options = options,
                             .groups = {groups},
                             .local = {t->items},
                             .layer = "loss"};
}

/* The parameters that all kernels have (SHAPE). */
#define SHAPE_ARGS(p, t)                                                                           \
    CLC_INT((p)->rows), CLC_INT((p)->segments), CLC_INT((p)->anchors), CLC_INT((p)->queue),        \
        CLC_INT((t)->padded), CLC_INT((t)->per)

/* Pairs that `segments` segments meet. */
static double pairs_met(const clc_pairs *p, int segments) {
    const double queued = segments < p->anchors ? segments : p->anchors;
    const double bank = p->hard_negatives ? p->rows : p->queue;
    return (double)p->rows * ((double)segments * p->rows + queued * bank);
}

clc_status clc_pairs_prepare(clc_sequence *sequence, clc_device *device, const clc_pairs *p,
                             const clc_loss_buffers *b) {
    const clc_pairs_tiling t = clc_pairs_tile(device, p);
    char options[256];
    clc_launch_spec spec = clc_pairs_spec(p, &t, "pairs_prepare", t.padded / t.prepared, options);
    const double floats = (double)p->dim * ((double)p->rows * p->segments + p->queue);
    spec.flops = 4 * floats;
    spec.bytes = 12 * floats;
    return CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->z), CLC_MEM(b->target), CLC_MEM(b->queue),
                      CLC_MEM(b->labels), CLC_MEM(b->log_scale), CLC_MEM(b->bias),
                      CLC_MEM(b->workspace), SHAPE_ARGS(p, &t), CLC_INT(p->students),
                      CLC_INT(p->images), CLC_INT(p->raw), CLC_FLOAT(p->rate), CLC_FLOAT(p->bias));
}

static clc_status build_learned(clc_sequence *sequence, clc_device *device, const clc_pairs *p,
                                const clc_pairs_tiling *t, const clc_loss_buffers *b) {
    char options[256];
    const clc_launch_spec spec = clc_pairs_spec(p, t, "pairs_learned", 1, options);
    return CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_MEM(b->dlog_scale), CLC_MEM(b->dbias), CLC_INT(t->padded), CLC_INT(groups_of(t, p->students)));
}

static clc_status build_merge(clc_sequence *sequence, clc_device *device, const clc_pairs *p,
                              const clc_pairs_tiling *t, const clc_loss_buffers *b) {
    char options[256];
    const clc_launch_spec spec = clc_pairs_spec(p, t, p->merge, 1, options);
    return CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_MEM(b->value),
                      CLC_INT(t->padded), CLC_INT(groups_of(t, p->segments)), CLC_FLOAT(p->weight));
}

/* Every two blocks meet, and each block itself, in one of as many rounds as there are blocks. */
static clc_status build_symmetric(clc_sequence *sequence, clc_device *device, const clc_pairs *p,
                                  const clc_pairs_tiling *t, const clc_loss_buffers *b) {
    clc_status status = CLC_OK;
    const size_t blocks = t->groups;
    const double bytes = 4.0 * p->rows * p->dim, products = pairs_met(p, 1) * p->dim;
    char options[256];
    clc_launch_spec spec = clc_pairs_spec(p, t, "symmetric_forward", blocks / 2 + 1, options);
    spec.flops = products / (double)blocks;
    spec.bytes = 2 * bytes;
    for (size_t round = 0; round < blocks; round++)
        CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), SHAPE_ARGS(p, t),
                           CLC_INT(round), CLC_INT(blocks)));
    spec = clc_pairs_spec(p, t, "symmetric_finish", blocks, options);
    spec.bytes = bytes;
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_MEM(b->dz),
                       SHAPE_ARGS(p, t)));
    CLC_TRY(build_merge(sequence, device, p, t, b));
    spec = clc_pairs_spec(p, t, "symmetric_backward", blocks / 2 + 1, options);
    spec.flops = 3 * products / (double)blocks;
    spec.bytes = 4 * bytes;
    for (size_t round = 0; round < blocks; round++)
        CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_MEM(b->dz),
                           SHAPE_ARGS(p, t), CLC_INT(round), CLC_INT(blocks)));
    spec = clc_pairs_spec(p, t, "symmetric_gradient", blocks, options);
    spec.bytes = 3 * bytes;
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_MEM(b->dz),
                       SHAPE_ARGS(p, t)));
fail:
    return status;
}

clc_status clc_pairs_build(clc_sequence *sequence, clc_device *device, const clc_pairs *given,
                           const clc_loss_buffers *b) {
    clc_status status = CLC_OK;
    clc_pairs pairs = *given, *p = &pairs;
    const size_t used = strlen(p->rule);
    snprintf(p->rule + used, sizeof p->rule - used, " -DLEARNED=%d", b->dlog_scale != NULL);
    const clc_pairs_tiling t = clc_pairs_tile(device, p);
    const double bytes = 8.0 * p->rows * p->segments * p->dim;
    char options[256];
    CLC_TRY(clc_pairs_prepare(sequence, device, p, b));
    if (t.once)
        return build_symmetric(sequence, device, p, &t, b);
    clc_launch_spec spec = clc_pairs_spec(p, &t, p->forward, groups_of(&t, p->segments), options);
    spec.flops = 2 * pairs_met(p, p->anchors) * p->dim;
    spec.bytes = bytes;
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), SHAPE_ARGS(p, &t),
                       CLC_FLOAT(p->first), CLC_FLOAT(p->second)));
    CLC_TRY(build_merge(sequence, device, p, &t, b));
    spec = clc_pairs_spec(p, &t, "pairs_backward", groups_of(&t, p->students), options);
    spec.flops = 4 * pairs_met(p, p->students) * p->dim;
    spec.bytes = 1.5 * bytes;
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(b->workspace), CLC_MEM(b->dz),
                       SHAPE_ARGS(p, &t), CLC_FLOAT(p->first), CLC_FLOAT(p->second)));
    if (b->dlog_scale)
        CLC_TRY(build_learned(sequence, device, p, &t, b));
fail:
    return status;
}
