/* Winograd's F(4x4,3x3) in stages through global memory: see cl/op/conv2d_winograd_staged.cl. For
 * many channels on few pixels, where the fused kernels (op/conv2d_winograd.c) would read the
 * filters again for every few tiles. */
#include "core/math.h"
#include "op/conv2d_impls.h"
#include "op/reduce.h"

#include <stdio.h>

enum { MOST_TILES = 96, MOST_BLOCK = 64, FEWEST_ITEMS = 8 };
static const size_t most_stage_bytes = (size_t)1 << 30;

typedef struct staged_tiles {
    int width, vectors; /* VW, NV */
    int tiles, block;   /* T, TB */
    int taps;           /* CT */
    int cb, kb;         /* CB, KB */
    int panel, row;     /* CP, C_ROW */
    int splits;         /* of the tiles, in the backward pass over weights */
    int count, padded;  /* tiles of the batch, and rounded up to a multiple of TB */
} staged_tiles;

/* The largest multiple of `unit` up to `most` that divides n. */
static int block_of(int n, int unit, int most) {
    int block = most / unit * unit;
    while (block > unit && n % block)
        block -= unit;
    return block;
}

static staged_tiles tiles_for(const clc_device *device, const clc_conv2d_shape *s,
                              clc_conv2d_pass pass) {
    staged_tiles t = {.width = (int)device->vector_width};
    const bool wide = device->vector_width >= 16; /* 32 registers, else 16 */
    int c, k;
    clc_conv2d_channels(s, pass, &c, &k);
    t.vectors = k % (2 * t.width) ? 1 : 2;
    t.block = wide ? 12 : 6;
    t.count = s->n * clc_ceil_div_int(s->h, 4) * clc_ceil_div_int(s->w, 4);
    t.padded = clc_round_up_int(t.count, t.block);
    const int blocks = clc_ceil_div_int(t.padded, MOST_TILES);
    t.tiles = clc_ceil_div_int(t.padded / t.block, blocks) * t.block;
    t.taps = wide && t.vectors == 1 ? 16 : wide ? 8 : 4;
    const bool weights = pass == CLC_CONV2D_BACKWARD_WEIGHTS;
    t.cb = block_of(c, t.taps, MOST_BLOCK);
    t.panel = weights ? t.width : c;
    /* A row apart from a power of two, so that the tiles of a register tile don't share cache sets.
     */
    t.row = weights ? t.panel : c + t.width;
    t.kb = block_of(k, t.vectors * t.width, MOST_BLOCK);
    const int items = c / t.cb * (k / t.kb);
    const int wanted = (int)device->groups > FEWEST_ITEMS ? (int)device->groups : FEWEST_ITEMS;
    t.splits = items >= wanted ? 1 : clc_ceil_div_int(wanted, items);
    return t;
}

/* Floats of the transformed tiles of what is read, and of the gradient. */
static size_t input_floats(const staged_tiles *t, int c) {
    return 36 * (size_t)t->padded * (size_t)(c / t->panel * t->row);
}
static size_t gradient_floats(const staged_tiles *t, int k) {
    return 36 * (size_t)t->padded * (size_t)k;
}

static size_t filter_floats(const clc_conv2d_shape *s) {
    return (size_t)s->c * (size_t)s->k;
}

static size_t workspace(const clc_device *device, const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    const staged_tiles t = tiles_for(device, s, pass);
    int c, k;
    clc_conv2d_channels(s, pass, &c, &k);
    size_t floats = input_floats(&t, c);
    if (pass == CLC_CONV2D_BACKWARD_WEIGHTS)
        floats +=
            gradient_floats(&t, k) + (t.splits > 1 ? (size_t)t.splits * 9 * filter_floats(s) : 0);
    else
        floats += 36 * filter_floats(s);
    return floats * sizeof(float);
}

static bool supports(const clc_device *device, const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    if (device->profile != CLC_PROFILE_CPU || s->kh != 3 || s->kw != 3 || s->stride != 1 ||
        s->pad != 1)
        return false;
    const int unit = (int)device->vector_width > 16 ? (int)device->vector_width : 16;
    if (s->c % unit || s->k % unit)
        return false;
    return workspace(device, s, pass) <= most_stage_bytes;
}

typedef struct staged_build {
    clc_sequence *sequence;
    clc_device *device;
    const clc_conv2d_shape *shape;
    const clc_conv2d_args *args;
    int c, k;
    staged_tiles tiles;
    char options[192];
    clc_launch_spec spec;
} staged_build;

static clc_launch_spec kernel(const staged_build *b, const char *name, size_t g0, size_t g1,
                              double flops) {
    clc_launch_spec spec = b->spec;
    spec.kernel = name;
    spec.groups[0] = g0;
    spec.groups[1] = g1;
    spec.flops = flops;
    return spec;
}

static clc_status stage_input(const staged_build *b, cl_mem x) {
    const clc_launch_spec s = kernel(b, "winograd_stage_input", b->device->groups * 4, 1, 0);
    return CLC_LAUNCH(b->sequence, b->device, &s, CLC_MEM(x), CLC_MEM(b->args->workspace),
                      CLC_INT(b->shape->n), CLC_INT(b->tiles.padded));
}

static clc_status build_data(const staged_build *b, bool turned) {
    clc_status status = CLC_OK;
    const clc_conv2d_args *a = b->args;
    const staged_tiles *t = &b->tiles;
    const size_t u_offset = input_floats(t, b->c);
    clc_launch_spec filter = kernel(b, turned ? "winograd_filter_turned" : "winograd_filter",
                                    (size_t)(b->k / t->width), 1, 0);
    clc_launch_spec product =
        kernel(b, "winograd_stage_product", (size_t)clc_ceil_div_int(t->padded, t->tiles),
               (size_t)(b->k / (t->width * t->vectors)), clc_conv2d_flops(b->shape));
    CLC_TRY(stage_input(b, turned ? a->y : a->x));
    CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &filter, CLC_MEM(a->w), CLC_MEM(a->workspace),
                       CLC_INT(u_offset)));
    CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &product, CLC_MEM(a->workspace),
                       CLC_MEM(turned ? a->x : a->y), CLC_INT(b->shape->n), CLC_INT(t->padded),
                       CLC_INT(u_offset), CLC_INT(turned && a->accumulate)));
fail:
    return status;
}

static clc_status build_weights(const staged_build *b) {
    clc_status status = CLC_OK;
    const clc_conv2d_args *a = b->args;
    const staged_tiles *t = &b->tiles;
    const size_t d_offset = input_floats(t, b->c),
                 part_offset = d_offset + gradient_floats(t, b->k);
    clc_launch_spec gradient = kernel(b, "winograd_stage_gradient", b->device->groups * 4, 1, 0);
    clc_launch_spec product = kernel(b, "winograd_stage_weights", (size_t)(b->c / t->cb),
                                     (size_t)(b->k / t->kb), clc_conv2d_flops(b->shape));
    product.groups[2] = (size_t)t->splits;
    CLC_TRY(stage_input(b, a->x));
    CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &gradient, CLC_MEM(a->y), CLC_MEM(a->workspace),
                       CLC_INT(b->shape->n), CLC_INT(t->padded), CLC_INT(d_offset)));
    CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &product, CLC_MEM(a->workspace),
                       CLC_MEM(t->splits > 1 ? a->workspace : a->w), CLC_INT(t->padded),
                       CLC_INT(d_offset), CLC_INT(t->splits > 1 ? part_offset : 0)));
    if (t->splits > 1) {
        const clc_parts parts = {a->workspace, part_offset, 9 * filter_floats(b->shape),
                                 (size_t)t->splits};
        CLC_TRY(clc_reduce_parts(b->sequence, b->device, &parts, a->w, b->spec.op, b->spec.layer));
    }
fail:
    return status;
}

static clc_status build(clc_sequence *sequence, clc_device *device, const clc_conv2d_shape *s,
                        clc_conv2d_pass pass, const clc_conv2d_args *args) {
    staged_build b = {.sequence = sequence,
                      .device = device,
                      .shape = s,
                      .args = args,
                      .tiles = tiles_for(device, s, pass),
                      .spec = {.source = "op/conv2d_winograd_staged.cl",
                               .op = clc_conv2d_pass_names[pass],
                               .layer = args->layer,
                               .bytes = 4.0 * s->n * s->h * s->w * (s->c + s->k)}};
    const bool weights = pass == CLC_CONV2D_BACKWARD_WEIGHTS;
    clc_conv2d_channels(s, pass, &b.c, &b.k);
    const staged_tiles *t = &b.tiles;
    int n = snprintf(b.options, sizeof b.options,
                     "-DVW=%d -DH=%d -DW=%d -DC=%d -DK=%d -DNV=%d -DCP=%d -DC_ROW=%d", t->width,
                     s->h, s->w, b.c, b.k, t->vectors, t->panel, t->row);
    if (weights)
        snprintf(b.options + n, sizeof b.options - (size_t)n,
                 " -DWEIGHTS -DCT=%d -DCB=%d -DKB=%d -DT=%d", t->taps, t->cb, t->kb, 64);
    else
        snprintf(b.options + n, sizeof b.options - (size_t)n, " -DT=%d -DTB=%d", t->tiles,
                 t->block);
    b.spec.options = b.options;
    return weights ? build_weights(&b) : build_data(&b, pass == CLC_CONV2D_BACKWARD_DATA);
}

const clc_conv2d_impl clc_conv2d_winograd_staged = {CLC_CONV2D_WINOGRAD_STAGED, "winograd_staged",
                                                    supports, workspace, build};
