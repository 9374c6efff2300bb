#include "op/conv2d.h"

#include "core/math.h"
#include "op/conv2d_impls.h"

#include <math.h>

double clc_conv2d_flops(const clc_conv2d_shape *s) {
    return 2.0 * s->n * clc_conv2d_oh(s) * clc_conv2d_ow(s) * s->k * s->c * s->kh * s->kw;
}

const char *const clc_conv2d_pass_names[] = {"conv2d_forward", "conv2d_backward_data",
                                             "conv2d_backward_weights"};

static const clc_conv2d_impl *const impls[] = {&clc_conv2d_winograd_staged, &clc_conv2d_winograd,
                                               &clc_conv2d_winograd_gemm,   &clc_conv2d_pointwise,
                                               &clc_conv2d_implicit_gemm,   &clc_conv2d_direct,
                                               &clc_conv2d_im2col};
enum { IMPL_COUNT = sizeof impls / sizeof *impls };

const clc_conv2d_impl *const *clc_conv2d_impls(size_t *count) {
    *count = IMPL_COUNT;
    return impls;
}

/* By arithmetic, as no GPU has been measured: a product of 3x3 windows takes 18 c k operations a
 * pixel, one of tiles 4.5 c k a pixel of tiles, 16 each, whose number is rounded up to the
 * product's rows; there, both transforms write and read 36/16 floats a channel besides the pixels
 * themselves. GPUs do some 16 operations in the time of a byte. */
static bool saves_time(const clc_conv2d_shape *s) {
    const double tiles = (double)s->n * clc_ceil_div_int(s->h, 4) * clc_ceil_div_int(s->w, 4),
                 rows = 64;
    const double pixels = (double)s->n * s->h * s->w, c = s->c, k = s->k;
    const double saved = 18 * c * k * pixels - 4.5 * c * k * 16 * ceil(tiles / rows) * rows;
    return saved > 16 * 4 * 16 * tiles * (2 * 36.0 / 16 + 1) * (c + k);
}

/* Winograd with stride 2 saves less than with stride 1: its transforms cost as much up to some 32
 * channels, and reading large filters for every few tiles costs more, as measured. */
static bool strided_worthwhile(const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    const bool large = (long)s->c * s->k > 256 * 512;
    return s->c >= 48 && s->k >= 48 && (!large || pass == CLC_CONV2D_BACKWARD_WEIGHTS);
}

/* Below 4 x 4 pixels Winograd's tiles are mostly empty, below 4 channels its vectors: it gains
 * nothing and costs digits. In stages it gains where the filters outweigh the tiles, as measured.
 * The direct kernels have the shape that CPU devices need. */
static bool worthwhile(const clc_conv2d_impl *impl, const clc_device *device,
                       const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    const bool large = clc_conv2d_oh(s) >= 4 && clc_conv2d_ow(s) >= 4;
    const long tiles = (long)s->n * clc_ceil_div_int(s->h, 4) * clc_ceil_div_int(s->w, 4);
    const int channels = s->c < s->k ? s->c : s->k;
    if (impl->kind == CLC_CONV2D_WINOGRAD_STAGED)
        return large && tiles <= (pass == CLC_CONV2D_BACKWARD_WEIGHTS ? 2 : 1) * channels;
    if (impl->kind == CLC_CONV2D_WINOGRAD)
        return large && (s->stride == 1 ? channels >= 4 : strided_worthwhile(s, pass));
    if (impl->kind == CLC_CONV2D_WINOGRAD_GEMM)
        return large && saves_time(s);
    if (impl->kind == CLC_CONV2D_POINTWISE || impl->kind == CLC_CONV2D_IMPLICIT_GEMM)
        return device->profile == CLC_PROFILE_GPU;
    return device->profile == CLC_PROFILE_CPU;
}

/* In the order of preference; the last one supports everything. */
const clc_conv2d_impl *clc_conv2d_choose(const clc_device *device, const clc_conv2d_shape *shape,
                                         clc_conv2d_pass pass, clc_conv2d_kind kind) {
    for (size_t i = 0; i < IMPL_COUNT; i++)
        if (impls[i]->kind == kind && impls[i]->supports(device, shape, pass))
            return impls[i];
    for (size_t i = 0; i + 1 < IMPL_COUNT; i++)
        if (impls[i]->supports(device, shape, pass) && worthwhile(impls[i], device, shape, pass))
            return impls[i];
    return impls[IMPL_COUNT - 1];
}
