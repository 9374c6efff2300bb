/* 3x3 convolution by Winograd's algorithm: see cl/op/conv2d_winograd.cl. With stride 1 its error
 * relative to the output's deviation is about 1e-4, ten times that of the direct one (Lavin and
 * Gray, section 6). */
#include "core/math.h"
#include "op/conv2d_impls.h"

#include <stdio.h>

/* MOST_PADDING: what the four-fold saving leaves worth having. */
enum { PRIVATE_BYTES = 1900 * 1024, FEWEST_GROUPS = 8, MOST_TILES = 24, MOST_PADDING = 3 };

typedef struct winograd_tiles {
    int width, vectors; /* VW, NV */
    int c, k;           /* channels read and written, filled up to whole vectors */
    int tiles, block;   /* T, TB */
    int taps;           /* CT */
    int parts;          /* KG */
} winograd_tiles;

static int image_tiles(const clc_conv2d_shape *s) {
    return clc_ceil_div_int(clc_conv2d_oh(s), 4) * clc_ceil_div_int(clc_conv2d_ow(s), 4);
}

/* Products of a tile: LINE * LINE. */
static int points_of(const clc_conv2d_shape *s) {
    return s->stride == 1 ? 36 : 81;
}

static size_t private_bytes(const clc_conv2d_shape *s, clc_conv2d_pass pass,
                            const winograd_tiles *t) {
    const int second =
        pass == CLC_CONV2D_BACKWARD_WEIGHTS ? t->k / t->parts : t->width * t->vectors;
    return (size_t)points_of(s) * sizeof(float) *
           (size_t)(t->tiles * (t->c + second) + 2 * t->width);
}

static winograd_tiles tiles_for(const clc_device *device, const clc_conv2d_shape *s,
                                clc_conv2d_pass pass) {
    winograd_tiles t = {.width = (int)device->vector_width, .parts = 1};
    const bool wide = device->vector_width >= 16; /* 32 registers, else 16 */
    clc_conv2d_channels(s, pass, &t.c, &t.k);
    t.c = clc_round_up_int(t.c, t.width);
    t.k = clc_round_up_int(t.k, t.width);
    t.vectors = t.k % (2 * t.width) ? 1 : 2;
    t.taps = wide && t.vectors == 1 ? 16 : wide ? 8 : 4;
    t.taps = t.taps < t.width ? t.taps : t.width;
    /* Large filters: split them, so that fewer partial sums are kept. */
    const int blocks = t.k / (t.width * t.vectors);
    const int wanted = (long)t.c * t.k >= 256 * 256 ? 4 : (long)t.c * t.k >= 128 * 128 ? 2 : 1;
    while (t.parts < wanted && blocks % (t.parts * 2) == 0)
        t.parts *= 2;
    t.block = wide ? 12 : 6;
    t.tiles = MOST_TILES;
    while (t.tiles > t.block &&
           (t.tiles * t.c * points_of(s) > 36 * 8192 || private_bytes(s, pass, &t) > PRIVATE_BYTES))
        t.tiles -= t.block;
    /* A smaller register tile is better than none. */
    if (private_bytes(s, pass, &t) > PRIVATE_BYTES)
        t.block = t.tiles = 6;
    return t;
}

static bool supports(const clc_device *device, const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    if (device->profile != CLC_PROFILE_CPU || s->kh != 3 || s->kw != 3 || s->stride > 2 ||
        s->pad != 1)
        return false;
    const winograd_tiles t = tiles_for(device, s, pass);
    return t.c * t.k <= MOST_PADDING * s->c * s->k && private_bytes(s, pass, &t) <= PRIVATE_BYTES;
}

/* Groups of the backward pass over weights: each keeps sums of its own. */
static int sum_groups(const clc_device *device, const clc_conv2d_shape *s,
                      const winograd_tiles *t) {
    const int wanted = (int)device->groups < FEWEST_GROUPS ? FEWEST_GROUPS : (int)device->groups;
    const int groups = clc_ceil_div_int(wanted, t->parts), tiles = s->n * image_tiles(s);
    const int most = clc_ceil_div_int(tiles, t->tiles);
    return groups < most ? groups : most;
}

static size_t workspace(const clc_device *device, const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    const winograd_tiles t = tiles_for(device, s, pass);
    const size_t one = 36 * (size_t)t.c * (size_t)t.k * sizeof(float);
    return pass == CLC_CONV2D_BACKWARD_WEIGHTS ? one * (size_t)sum_groups(device, s, &t) : one;
}

typedef struct winograd_build {
    clc_sequence *sequence;
    clc_device *device;
    const clc_conv2d_shape *shape;
    const clc_conv2d_args *args;
    winograd_tiles tiles;
    char options[200];
    clc_launch_spec spec;
} winograd_build;

static clc_launch_spec kernel(const winograd_build *b, const char *name, size_t g0, size_t g1,
                              double flops) {
    clc_launch_spec spec = b->spec;
    spec.kernel = name;
    spec.groups[0] = g0;
    spec.groups[1] = g1;
    spec.flops = flops;
    return spec;
}

static clc_status build_data(const winograd_build *b, bool turned) {
    clc_status status = CLC_OK;
    const clc_conv2d_args *a = b->args;
    const clc_conv2d_shape *s = b->shape;
    const int tiles = s->n * image_tiles(s);
    clc_launch_spec filter = kernel(b, turned ? "winograd_filter_turned" : "winograd_filter",
                                    (size_t)(b->tiles.k / b->tiles.width), 1, 0);
    clc_launch_spec main =
        kernel(b, "winograd_forward", (size_t)clc_ceil_div_int(tiles, b->tiles.tiles), 1,
               clc_conv2d_flops(s));
    CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &filter, CLC_MEM(a->w), CLC_MEM(a->workspace),
                       CLC_INT(0)));
    CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &main, CLC_MEM(turned ? a->y : a->x),
                       CLC_MEM(a->workspace), CLC_MEM(turned ? a->x : a->y), CLC_INT(s->n),
                       CLC_INT(turned && a->accumulate)));
fail:
    return status;
}

static clc_status build_weights(const winograd_build *b) {
    clc_status status = CLC_OK;
    const clc_conv2d_args *a = b->args;
    const clc_conv2d_shape *s = b->shape;
    const int groups = sum_groups(b->device, s, &b->tiles), tiles = s->n * image_tiles(s);
    clc_launch_spec main = kernel(b, "winograd_backward_weights", (size_t)groups,
                                  (size_t)b->tiles.parts, clc_conv2d_flops(s));
    clc_launch_spec reduce =
        kernel(b, "winograd_reduce", (size_t)(b->tiles.k / b->tiles.width), b->device->groups, 0);
    CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &main, CLC_MEM(a->x), CLC_MEM(a->y),
                       CLC_MEM(a->workspace), CLC_INT(s->n),
                       CLC_INT(clc_ceil_div_int(tiles, groups))));
    CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &reduce, CLC_MEM(a->workspace), CLC_MEM(a->w),
                       CLC_INT(groups)));
fail:
    return status;
}

static clc_status build(clc_sequence *sequence, clc_device *device, const clc_conv2d_shape *s,
                        clc_conv2d_pass pass, const clc_conv2d_args *args) {
    int c, k;
    const bool turned = pass == CLC_CONV2D_BACKWARD_DATA;
    clc_conv2d_channels(s, pass, &c, &k);
    winograd_build b = {
        .sequence = sequence,
        .device = device,
        .shape = s,
        .args = args,
        .tiles = tiles_for(device, s, pass),
        .spec = {.source = "op/conv2d_winograd.cl",
                 .op = clc_conv2d_pass_names[pass],
                 .layer = args->layer,
                 .bytes = 4.0 * s->n *
                          (s->h * s->w * s->c + clc_conv2d_oh(s) * clc_conv2d_ow(s) * s->k)}};
    snprintf(b.options, sizeof b.options,
             "-DSTRIDE=%d -DTURNED=%d -DVW=%d -DH=%d -DW=%d -DC=%d -DK=%d -DNV=%d -DT=%d -DTB=%d "
             "-DCT=%d -DKG=%d",
             s->stride, s->stride > 1 && turned, b.tiles.width, s->h, s->w, c, k, b.tiles.vectors,
             b.tiles.tiles, b.tiles.block, b.tiles.taps, b.tiles.parts);
    b.spec.options = b.options;
    return pass == CLC_CONV2D_BACKWARD_WEIGHTS ? build_weights(&b) : build_data(&b, turned);
}

const clc_conv2d_impl clc_conv2d_winograd = {CLC_CONV2D_WINOGRAD, "winograd", supports, workspace,
                                             build};
