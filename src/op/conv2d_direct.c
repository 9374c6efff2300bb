/* Direct convolution for any shape: see cl/op/conv2d_direct.cl and cl/op/conv2d_strided.cl. */
#include "core/math.h"
#include "op/conv2d_impls.h"
#include "op/reduce.h"

#include <stdio.h>

/* What the kernels are specialised for. `reads` and `writes` are the channels read and written. */
typedef struct direct_tiles {
    unsigned width; /* VW */
    int vectors;    /* NV */
    int pixels;     /* TW */
    int taps;       /* CT */
    int rows;       /* BH */
    int groups, kgroups;
} direct_tiles;

enum { PRIVATE_FLOATS = 48 * 1024, FEWEST_BLOCKS = 16 };

/* Accumulators that fit the registers: 32 with 512-bit vectors, 16 with narrower ones. */
static int accumulators(const clc_device *device) {
    return device->vector_width >= 16 ? 28 : 12;
}

/* The largest divisor of n up to `most`. */
static int divisor(int n, int most) {
    int d = most < n ? most : n;
    while (n % d)
        d--;
    return d;
}

/* Tiles that leave the least of a row of n pixels over. */
static int pixels_of(int n, int most) {
    return clc_ceil_div_int(n, clc_ceil_div_int(n, most));
}

/* Rows a block: as many as private memory and at least FEWEST_BLOCKS groups allow. */
static int rows_of(int rows, int images, int row_floats, int kernel, int stride) {
    int best = 1;
    for (int b = 1; b <= rows; b++) {
        int blocks = clc_ceil_div_int(rows, b);
        if (((b - 1) * stride + kernel) * row_floats > PRIVATE_FLOATS ||
            (blocks * images < FEWEST_BLOCKS && b > 1))
            break;
        best = b;
    }
    return best;
}

static void set_vectors(const clc_device *device, int channels, direct_tiles *t) {
    t->width = clc_vector_width(device, (size_t)channels);
    t->vectors = channels % ((int)t->width * 2) ? 1 : 2;
}

/* Forward, and backward over data with stride 1, which is a forward pass with channels exchanged.
 */
static clc_conv2d_shape as_forward(const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    if (pass != CLC_CONV2D_BACKWARD_DATA)
        return *s;
    return (clc_conv2d_shape){.n = s->n,
                              .h = clc_conv2d_oh(s),
                              .w = clc_conv2d_ow(s),
                              .c = s->k,
                              .k = s->c,
                              .kh = s->kh,
                              .kw = s->kw,
                              .stride = 1,
                              .pad = s->kh - 1 - s->pad};
}

static bool is_strided(const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    /* A padding wider than the filter reaches would become negative when turned round. */
    return pass == CLC_CONV2D_BACKWARD_DATA && (s->stride > 1 || s->kh != s->kw || s->pad >= s->kh);
}

static direct_tiles tiles_for(const clc_device *device, const clc_conv2d_shape *s,
                              clc_conv2d_pass pass) {
    direct_tiles t = {.taps = 1, .groups = 1, .kgroups = 1};
    const int oh = clc_conv2d_oh(s), ow = clc_conv2d_ow(s);
    if (is_strided(s, pass)) {
        set_vectors(device, s->c, &t);
        int columns = clc_ceil_div_int(s->w, s->stride);
        t.pixels = pixels_of(columns, accumulators(device) / t.vectors);
        t.rows = rows_of(s->h, s->n, (ow + 3 * s->kw + t.pixels) * s->k, s->kh + 2, 1);
        return t;
    }
    const clc_conv2d_shape f = as_forward(s, pass);
    const int foh = clc_conv2d_oh(&f), fow = clc_conv2d_ow(&f);
    const int row_floats = ((fow - 1) * f.stride + f.kw) * f.c;
    set_vectors(device, f.k, &t);
    t.pixels = pixels_of(fow, accumulators(device) / t.vectors);
    t.rows = rows_of(foh, f.n, row_floats, f.kh, f.stride);
    /* Also where it isn't used: passes with the same options share a program. */
    t.taps = divisor(f.kw * f.c, accumulators(device) / t.vectors);
    if (pass == CLC_CONV2D_BACKWARD_WEIGHTS) {
        t.rows = rows_of(oh, s->n * FEWEST_BLOCKS, row_floats, s->kh, s->stride);
        const int kblocks = s->k / ((int)t.width * t.vectors);
        /* Large filters: few partial sums, so that those stay small beside the work. */
        const int wanted = (int)device->groups;
        t.kgroups = divisor(kblocks, s->c * s->k >= 128 * 128 ? 4 : 1);
        t.groups = clc_ceil_div_int(wanted, t.kgroups);
        t.groups = t.groups > s->n ? s->n : t.groups;
    }
    return t;
}

static bool supports(const clc_device *device, const clc_conv2d_shape *shape,
                     clc_conv2d_pass pass) {
    (void)device;
    (void)shape;
    (void)pass;
    return true;
}

static size_t filter_floats(const clc_conv2d_shape *s) {
    return (size_t)s->kh * (size_t)s->kw * (size_t)s->c * (size_t)s->k;
}

static size_t workspace(const clc_device *device, const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    const direct_tiles t = tiles_for(device, s, pass);
    size_t copies = pass == CLC_CONV2D_BACKWARD_WEIGHTS ? (size_t)t.groups : 1;
    return copies * filter_floats(s) * sizeof(float);
}

static void format_options(const clc_conv2d_shape *s, const direct_tiles *t, char *text,
                           size_t size) {
    snprintf(text, size,
             "-DVW=%u -DH=%d -DW=%d -DC=%d -DOH=%d -DOW=%d -DK=%d -DKH=%d -DKW=%d -DSTRIDE=%d "
             "-DPAD=%d -DBH=%d -DTW=%d -DNV=%d -DCT=%d",
             t->width, s->h, s->w, s->c, clc_conv2d_oh(s), clc_conv2d_ow(s), s->k, s->kh, s->kw,
             s->stride, s->pad, t->rows, t->pixels, t->vectors, t->taps);
}

/* Bytes that the pass must move: both activations and the filters once. */
static double bytes_of(const clc_conv2d_shape *s) {
    return 4.0 *
           ((double)s->n * s->h * s->w * s->c +
            (double)s->n * clc_conv2d_oh(s) * clc_conv2d_ow(s) * s->k + (double)filter_floats(s));
}

typedef struct direct_build {
    clc_sequence *sequence;
    clc_device *device;
    const clc_conv2d_shape *shape;
    const clc_conv2d_args *args;
    direct_tiles tiles;
    char options[256];
    clc_launch_spec spec; /* common parts */
} direct_build;

static clc_launch_spec kernel(const direct_build *b, const char *name, size_t g0, size_t g1) {
    clc_launch_spec spec = b->spec;
    spec.kernel = name;
    spec.groups[0] = g0;
    spec.groups[1] = g1;
    return spec;
}

static clc_launch_spec auxiliary(const direct_build *b, const char *name, size_t groups) {
    clc_launch_spec spec = kernel(b, name, groups, 1);
    spec.flops = 0;
    spec.bytes = 8.0 * (double)filter_floats(b->shape);
    return spec;
}

static clc_status build_forward(const direct_build *b, const clc_conv2d_shape *f, bool turned) {
    clc_status status = CLC_OK;
    const clc_conv2d_args *a = b->args;
    cl_mem from = turned ? a->y : a->x, to = turned ? a->x : a->y;
    clc_launch_spec pack =
        auxiliary(b, turned ? "conv2d_pack_turned" : "conv2d_pack", (size_t)(f->kh * f->kw * f->c));
    clc_launch_spec main =
        kernel(b, "conv2d_forward", (size_t)clc_ceil_div_int(clc_conv2d_oh(f), b->tiles.rows),
               (size_t)f->n);
    CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &pack, CLC_MEM(a->w), CLC_MEM(a->workspace)));
    CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &main, CLC_MEM(from), CLC_MEM(a->workspace),
                       CLC_MEM(to), CLC_INT(turned && a->accumulate)));
fail:
    return status;
}

static clc_status build_strided(direct_build *b) {
    clc_status status = CLC_OK;
    const clc_conv2d_shape *s = b->shape;
    const clc_conv2d_args *a = b->args;
    b->spec.source = "op/conv2d_strided.cl";
    clc_launch_spec pack = auxiliary(b, "conv2d_pack_strided", (size_t)(s->kh * s->kw * s->k));
    clc_launch_spec main = kernel(b, "conv2d_backward_data_strided",
                                  (size_t)clc_ceil_div_int(s->h, b->tiles.rows), (size_t)s->n);
    CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &pack, CLC_MEM(a->w), CLC_MEM(a->workspace)));
    CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &main, CLC_MEM(a->y), CLC_MEM(a->workspace),
                       CLC_MEM(a->x), CLC_INT(a->accumulate)));
fail:
    return status;
}

static clc_status build_weights(const direct_build *b) {
    clc_status status = CLC_OK;
    const clc_conv2d_shape *s = b->shape;
    const clc_conv2d_args *a = b->args;
    const clc_parts parts = {a->workspace, 0, filter_floats(s), (size_t)b->tiles.groups};
    clc_launch_spec main =
        kernel(b, "conv2d_backward_weights", (size_t)b->tiles.groups, (size_t)b->tiles.kgroups);
    CLC_TRY(CLC_LAUNCH(b->sequence, b->device, &main, CLC_MEM(a->x), CLC_MEM(a->y),
                       CLC_MEM(a->workspace), CLC_INT(s->n),
                       CLC_INT(clc_ceil_div_int(s->n, b->tiles.groups))));
    CLC_TRY(clc_reduce_parts(b->sequence, b->device, &parts, a->w, b->spec.op, b->spec.layer));
fail:
    return status;
}

static clc_status build(clc_sequence *sequence, clc_device *device, const clc_conv2d_shape *shape,
                        clc_conv2d_pass pass, const clc_conv2d_args *args) {
    const bool strided = is_strided(shape, pass);
    const clc_conv2d_shape forward = as_forward(shape, strided ? CLC_CONV2D_FORWARD : pass);
    direct_build b = {.sequence = sequence,
                      .device = device,
                      .shape = shape,
                      .args = args,
                      .tiles = tiles_for(device, shape, pass),
                      .spec = {.source = "op/conv2d_direct.cl",
                               .op = clc_conv2d_pass_names[pass],
                               .layer = args->layer,
                               .flops = clc_conv2d_flops(shape),
                               .bytes = bytes_of(shape)}};
    format_options(&forward, &b.tiles, b.options, sizeof b.options);
    b.spec.options = b.options;
    if (pass == CLC_CONV2D_BACKWARD_WEIGHTS)
        return build_weights(&b);
    if (strided)
        return build_strided(&b);
    return build_forward(&b, &forward, pass == CLC_CONV2D_BACKWARD_DATA);
}

const clc_conv2d_impl clc_conv2d_direct = {CLC_CONV2D_DIRECT, "direct", supports, workspace, build};
