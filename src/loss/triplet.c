/* Triplet loss (FaceNet, arXiv 1503.03832): an anchor's positives nearer than its negatives by a
 * margin. Hard mining needs one pass over the pairs; otherwise each block of anchors gets lists
 * (cl/loss/triplet.cl). */
#include "core/math.h"
#include "loss/pairs.h"

#include <stdio.h>

/* How the lists are cut. */
typedef struct lists {
    clc_pairs_tiling tiling;
    size_t block;  /* anchors with lists at a time */
    size_t most;   /* positives of one */
    size_t shares; /* groups that add to the loss */
} lists;

static clc_pairs triplet(const clc_loss_shape *shape, const clc_config_loss *options) {
    clc_pairs p = clc_pairs_softmax("triplet", options);
    const bool hard = options->mining == CLC_CONFIG_MINING_HARD;
    p.source = hard ? "loss/triplet_hard.cl" : "loss/triplet.cl";
    p.forward = "triplet_hard_forward";
    p.stats = hard ? 3 : 1;
    p.heavy = true;
    p.rate = 1;
    p.first = options->soft ? 0 : options->margin;
    snprintf(p.rule, sizeof p.rule, "-DMETRIC=%d -DSOFT=%d%s", options->distance, options->soft,
             options->mining == CLC_CONFIG_MINING_SEMIHARD ? " -DSEMIHARD=1" : "");
    clc_pairs_joint(&p, shape);
    if (!(options->margin >= 0))
        p.refusal = "the margin must be 0 or more";
    if (options->soft && options->mining == CLC_CONFIG_MINING_SEMIHARD)
        p.refusal =
            "semi-hard mining needs a margin; use loss.soft = false, or mining = hard or all";
    return p;
}

static clc_status check(const clc_loss_shape *shape, const clc_config_loss *options) {
    const clc_pairs p = triplet(shape, options);
    return clc_pairs_check(&p);
}

/* Without labels an anchor's positives are its image's other views. */
static lists cut(const clc_device *device, const clc_pairs *p, const clc_loss_shape *shape) {
    enum { BLOCK = 256 };
    lists l = {.tiling = clc_pairs_tile(device, p)};
    const size_t rows = (size_t)p->rows, columns = l.tiling.column_block;
    const bool all = !shape->labels || rows <= BLOCK;
    l.most = (size_t)(shape->labels ? p->rows : shape->views) - 1;
    l.most = l.most ? l.most : 1;
    l.block = clc_ceil_div(all ? rows : BLOCK, columns) * columns;
    const size_t before = (rows - 1) / l.block; /* whole blocks before the last */
    l.shares = before * clc_ceil_div(l.block, l.tiling.rows) +
               clc_ceil_div(rows - before * l.block, l.tiling.rows);
    return l;
}

static size_t workspace(const clc_device *device, const clc_loss_shape *shape,
                        const clc_config_loss *options) {
    const clc_pairs p = triplet(shape, options);
    if (options->mining == CLC_CONFIG_MINING_HARD)
        return clc_pairs_workspace(device, &p);
    const lists l = cut(device, &p, shape);
    const clc_pairs_tiling *t = &l.tiling;
    return (t->padded * (3 * t->dim + 2 + (size_t)p.stats) + 4 + l.shares * CLC_PAIRS_PARTS +
            l.block * (2 * l.most + 1)) *
           sizeof(float);
}

typedef struct builder {
    clc_sequence *sequence;
    clc_device *device;
    const clc_pairs *pairs;
    const lists *lists;
    const clc_loss_buffers *buffers;
} builder;

#define LISTS_ARGS(b, base)                                                                        \
    CLC_MEM((b)->buffers->workspace), CLC_INT((b)->pairs->rows),                                   \
        CLC_INT((b)->lists->tiling.padded), CLC_INT((b)->lists->shares),                           \
        CLC_INT((b)->lists->block), CLC_INT((b)->lists->most), CLC_INT(base),                      \
        CLC_FLOAT((b)->pairs->first)

/* The gradient of rows [first, last) by the lists of the block at `base`. */
static clc_status add_gradient(const builder *b, size_t base, size_t first, size_t last, size_t per,
                               bool own) {
    char options[256];
    clc_launch_spec spec = clc_pairs_spec(b->pairs, &b->lists->tiling, "triplet_gradient",
                                          clc_ceil_div(last - first, per), options);
    const double columns = own ? b->pairs->rows : (double)b->lists->block;
    spec.flops = 4 * (double)(last - first) * columns * b->pairs->dim;
    return CLC_LAUNCH(b->sequence, b->device, &spec, LISTS_ARGS(b, base), CLC_INT(first),
                      CLC_INT(last), CLC_INT(per), CLC_INT(own));
}

static clc_status add_block(const builder *b, size_t base) {
    clc_status status = CLC_OK;
    char options[256];
    const clc_pairs_tiling *t = &b->lists->tiling;
    const size_t rows = (size_t)b->pairs->rows, end = base + b->lists->block;
    const size_t last = end < rows ? end : rows, own = last - base;
    const size_t share = clc_ceil_div(clc_ceil_div(own, b->device->groups), t->rows) * t->rows;
    clc_launch_spec spec =
        clc_pairs_spec(b->pairs, t, "triplet_lists", clc_ceil_div(own, t->rows), options);
    spec.flops = 4 * (double)own * (double)rows * b->pairs->dim;
    CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &spec, LISTS_ARGS(b, base)));
    CLC_TRY(add_gradient(b, base, 0, rows, t->per, false));
    CLC_TRY(add_gradient(b, base, base, last, share < t->block ? share : t->block, true));
fail:
    return status;
}

static clc_status build(clc_sequence *sequence, clc_device *device, const clc_loss_shape *shape,
                        const clc_config_loss *options, const clc_loss_buffers *buffers) {
    clc_status status = CLC_OK;
    const clc_pairs p = triplet(shape, options);
    if (options->mining == CLC_CONFIG_MINING_HARD)
        return clc_pairs_build(sequence, device, &p, buffers);
    const lists l = cut(device, &p, shape);
    const builder b = {sequence, device, &p, &l, buffers};
    char text[256];
    CLC_TRY(clc_pairs_prepare(sequence, device, &p, buffers));
    for (size_t base = 0; base < (size_t)p.rows; base += l.block)
        CLC_TRY(add_block(&b, base));
    clc_launch_spec spec = clc_pairs_spec(&p, &l.tiling, "pairs_merge", 1, text);
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(buffers->workspace),
                       CLC_MEM(buffers->value), CLC_INT(l.tiling.padded), CLC_INT(l.shares),
                       CLC_FLOAT(p.weight)));
    spec = clc_pairs_spec(&p, &l.tiling, "triplet_finish", l.tiling.groups, text);
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(buffers->workspace), CLC_MEM(buffers->dz),
                       CLC_INT(p.rows), CLC_INT(l.tiling.padded), CLC_INT(l.shares),
                       CLC_INT(l.tiling.per)));
fail:
    return status;
}

const clc_loss clc_loss_triplet = {
    .name = "triplet", .check = check, .workspace = workspace, .build = build};
