/* Winograd's F(4x4,3x3) on GPUs, as 36 matrix products between transforms: see
 * cl/op/conv2d_winograd_gemm.cl. As many images at a time as the workspace has room for. */
#include "core/math.h"
#include "op/conv2d_impls.h"

#include <stdio.h>

enum { MOST_FLOATS = 32 << 20 };

typedef struct plan {
    size_t c, k;        /* channels read and written */
    size_t tiles;       /* of an image */
    size_t images;      /* at a time */
    size_t splits, per; /* of the sum over tiles in the backward pass over weights */
    size_t b, results;  /* where they lie in the workspace, in floats */
    size_t floats;
} plan;

/* Bound of each of what the workspace holds: transformed tiles of both sides, filters, and parts of
 * their gradients. The 32nd part of small memories. */
static size_t most_floats(const clc_device *device) {
    const size_t share = (size_t)(device->info.memory / 32 / sizeof(float));
    return share < MOST_FLOATS ? share : MOST_FLOATS;
}

static size_t tile_side(const clc_device *device) {
    return (size_t)(clc_product_side(device) * CLC_PRODUCT_RESULTS);
}

/* Splits the sum over tiles, so that every compute unit has a part. */
static void split(plan *p, const clc_device *device) {
    const size_t side = tile_side(device), filters = 36 * p->c * p->k, depth = p->images * p->tiles;
    const size_t groups = 36 * clc_ceil_div(p->c, side) * clc_ceil_div(p->k, side),
                 most = most_floats(device) / filters;
    const size_t wanted = clc_ceil_div(device->groups, groups);
    p->splits = wanted < most ? wanted : most;
    p->per = clc_ceil_div(clc_ceil_div(depth, p->splits), CLC_PRODUCT_STEP) * CLC_PRODUCT_STEP;
    p->splits = clc_ceil_div(depth, p->per);
}

/* splits = 0: not possible. */
static plan plan_of(const clc_device *device, const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    const bool weights = pass == CLC_CONV2D_BACKWARD_WEIGHTS;
    int c, k;
    clc_conv2d_channels(s, pass, &c, &k);
    plan p = {.c = (size_t)c,
              .k = (size_t)k,
              .tiles = clc_ceil_div((size_t)s->h, 4) * clc_ceil_div((size_t)s->w, 4)};
    const size_t image = 36 * p.tiles * (p.c + p.k), filters = 36 * p.c * p.k;
    const size_t most = most_floats(device);
    if (image > most || filters > most)
        return p;
    p.images = most / image < (size_t)s->n ? most / image : (size_t)s->n;
    p.splits = 1;
    p.per = p.c;
    if (weights)
        split(&p, device);
    p.b = 36 * p.images * p.tiles * p.c;
    p.results = p.b + (weights ? 36 * p.images * p.tiles * p.k : filters);
    p.floats = p.results + (weights ? p.splits * filters : 36 * p.images * p.tiles * p.k);
    return p;
}

static bool supports(const clc_device *device, const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    return device->profile == CLC_PROFILE_GPU && device->info.max_group >= 64 && s->kh == 3 &&
           s->kw == 3 && s->stride == 1 && s->pad == 1 && plan_of(device, s, pass).splits > 0;
}

static size_t workspace(const clc_device *device, const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    return plan_of(device, s, pass).floats * sizeof(float);
}

typedef struct gemm_build {
    clc_sequence *sequence;
    clc_device *device;
    const clc_conv2d_shape *shape;
    const clc_conv2d_args *args;
    clc_conv2d_pass pass;
    plan plan;
    char options[96];
} gemm_build;

/* One of the transforms: `items` of them, each reading `reads` and writing `writes` floats. */
static clc_launch_spec transform(const gemm_build *b, const char *kernel, size_t items, int reads,
                                 int writes) {
    return (clc_launch_spec){.source = "op/conv2d_winograd_gemm.cl",
                             .kernel = kernel,
                             .options = b->options,
                             .groups = {clc_ceil_div(items, b->device->group_size)},
                             .local = {b->device->group_size},
                             .op = clc_conv2d_pass_names[b->pass],
                             .layer = b->args->layer,
                             .bytes = 4.0 * (double)items * (reads + writes)};
}

/* The products of the `images` images from `first` on. */
static clc_status multiply(const gemm_build *b, size_t first, size_t images) {
    const plan *p = &b->plan;
    const bool weights = b->pass == CLC_CONV2D_BACKWARD_WEIGHTS;
    const size_t tiles = images * p->tiles, rows = weights ? p->c : tiles,
                 depth = weights ? tiles : p->c;
    const size_t side = (size_t)clc_product_side(b->device), block = tile_side(b->device);
    clc_launch_spec spec = transform(b, "winograd_gemm_product", 0, 0, 0);
    spec.groups[0] = clc_ceil_div(p->k, block);
    spec.groups[1] = clc_ceil_div(rows, block);
    spec.groups[2] = p->splits * 36;
    spec.local[0] = spec.local[1] = side;
    spec.flops = clc_conv2d_flops(b->shape) * (double)images / b->shape->n;
    spec.bytes = 4.0 * 36 * (double)(rows * depth + depth * p->k + rows * p->k);
    return CLC_LAUNCH(b->sequence, b->device, &spec, CLC_MEM(b->args->workspace),
                      CLC_MEM(b->args->workspace), CLC_INT(p->b), CLC_INT(p->results),
                      CLC_INT(rows), CLC_INT(depth), CLC_INT(p->per),
                      CLC_INT(weights && first > 0));
}

static clc_status build_images(const gemm_build *b, size_t first, size_t images) {
    clc_status status = CLC_OK;
    const clc_conv2d_args *a = b->args;
    const plan *p = &b->plan;
    const bool turned = b->pass == CLC_CONV2D_BACKWARD_DATA,
               weights = b->pass == CLC_CONV2D_BACKWARD_WEIGHTS;
    const size_t tiles = images * p->tiles;
    const clc_arg begin = CLC_INT(first * p->tiles), count = CLC_INT(tiles);
    clc_launch_spec input = transform(b, "winograd_gemm_input", tiles * p->c, 16, 36);
    clc_launch_spec gradient = transform(b, "winograd_gemm_gradient", tiles * p->k, 16, 36);
    clc_launch_spec output = transform(b, "winograd_gemm_output", tiles * p->k, 36, 16);
    CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &input, CLC_MEM(turned ? a->y : a->x),
                       CLC_MEM(a->workspace), begin, count));
    if (weights)
        CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &gradient, CLC_MEM(a->y), CLC_MEM(a->workspace),
                           CLC_INT(p->b), begin, count));
    CLC_TRY(multiply(b, first, images));
    if (!weights)
        CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &output, CLC_MEM(a->workspace),
                           CLC_INT(p->results), CLC_MEM(turned ? a->x : a->y), begin, count,
                           CLC_INT(turned && a->accumulate)));
fail:
    return status;
}

static clc_status build(clc_sequence *sequence, clc_device *device, const clc_conv2d_shape *s,
                        clc_conv2d_pass pass, const clc_conv2d_args *a) {
    clc_status status = CLC_OK;
    gemm_build b = {sequence, device, s, a, pass, plan_of(device, s, pass), ""};
    const plan *p = &b.plan;
    const size_t filters = p->c * p->k;
    const bool weights = pass == CLC_CONV2D_BACKWARD_WEIGHTS;
    snprintf(b.options, sizeof b.options, "-DPASS=%d -DH=%d -DW=%d -DC=%zu -DK=%zu -DGS=%d",
             (int)pass, s->h, s->w, p->c, p->k, clc_product_side(device));
    clc_launch_spec filter = transform(&b, "winograd_gemm_filter", filters, 9, 36);
    clc_launch_spec gradient =
        transform(&b, "winograd_gemm_filter_gradient", filters, 36 * (int)p->splits, 9);
    if (!weights)
        CLC_TRY(CLC_LAUNCH(sequence, device, &filter, CLC_MEM(a->w), CLC_MEM(a->workspace),
                           CLC_INT(p->b)));
    for (size_t first = 0; first < (size_t)s->n; first += p->images)
        CLC_TRY(build_images(&b, first,
                             first + p->images < (size_t)s->n ? p->images : (size_t)s->n - first));
    if (weights)
        CLC_TRY(CLC_LAUNCH(sequence, device, &gradient, CLC_MEM(a->workspace), CLC_INT(p->results),
                           CLC_MEM(a->w), CLC_INT(p->splits)));
fail:
    return status;
}

const clc_conv2d_impl clc_conv2d_winograd_gemm = {CLC_CONV2D_WINOGRAD_GEMM, "winograd_gemm",
                                                  supports, workspace, build};
