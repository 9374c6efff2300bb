/* Every implementation of every pass against a plain double reference. */
#include "harness.h"

#include "op/conv2d.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static size_t x_count(const clc_conv2d_shape *s) {
    return (size_t)s->n * (size_t)s->h * (size_t)s->w * (size_t)s->c;
}
static size_t w_count(const clc_conv2d_shape *s) {
    return (size_t)s->kh * (size_t)s->kw * (size_t)s->c * (size_t)s->k;
}
static size_t y_count(const clc_conv2d_shape *s) {
    return (size_t)s->n * (size_t)clc_conv2d_oh(s) * (size_t)clc_conv2d_ow(s) * (size_t)s->k;
}

/* Calls visit for each product y[yi] += x[xi] * w[wi] of the convolution: the specification. */
typedef void (*visitor)(void *context, size_t xi, size_t wi, size_t yi);

static void visit_all(const clc_conv2d_shape *s, visitor visit, void *context) {
    const int oh = clc_conv2d_oh(s), ow = clc_conv2d_ow(s);
    for (int n = 0; n < s->n; n++)
        for (int p = 0; p < oh * ow; p++)
            for (int t = 0; t < s->kh * s->kw; t++) {
                const int h = p / ow * s->stride - s->pad + t / s->kw;
                const int w = p % ow * s->stride - s->pad + t % s->kw;
                if (h < 0 || h >= s->h || w < 0 || w >= s->w)
                    continue;
                for (int c = 0; c < s->c; c++)
                    for (int k = 0; k < s->k; k++)
                        visit(context, (size_t)(((n * s->h + h) * s->w + w) * s->c + c),
                              (size_t)((t * s->c + c) * s->k + k),
                              (size_t)((n * oh * ow + p) * s->k + k));
            }
}

typedef struct reference {
    const float *x, *w, *y; /* y holds dL/dy in the backward passes */
    double *out;
    clc_conv2d_pass pass;
} reference;

static void add_product(void *context, size_t xi, size_t wi, size_t yi) {
    reference *r = context;
    if (r->pass == CLC_CONV2D_FORWARD)
        r->out[yi] += (double)r->x[xi] * (double)r->w[wi];
    else if (r->pass == CLC_CONV2D_BACKWARD_DATA)
        r->out[xi] += (double)r->y[yi] * (double)r->w[wi];
    else
        r->out[wi] += (double)r->x[xi] * (double)r->y[yi];
}

/* What the reference computes has the values of `from` plus the sums. */
static double *compute(const clc_conv2d_shape *s, reference *r, size_t count, const float *from) {
    r->out = calloc(count, sizeof *r->out);
    assert_non_null(r->out);
    for (size_t i = 0; from && i < count; i++)
        r->out[i] = (double)from[i];
    visit_all(s, add_product, r);
    return r->out;
}

/* Terms of a sum in the pass. */
static double terms(const clc_conv2d_shape *s, clc_conv2d_pass pass) {
    const double taps = s->kh * s->kw;
    return pass == CLC_CONV2D_FORWARD         ? taps * s->c
           : pass == CLC_CONV2D_BACKWARD_DATA ? taps * s->k
                                              : (double)s->n * clc_conv2d_oh(s) * clc_conv2d_ow(s);
}

/* Rounding of a sum of t terms grows like 6e-8 sqrt(t) beside results that grow like sqrt(t): some
 * units of 6e-8, for small t too. F(4x4,3x3) multiplies by entries up to 8 and divides by up to 24
 * on three sides: its error is some 100 units. */
static double tolerance_of(const clc_conv2d_impl *impl, const clc_conv2d_shape *s,
                           clc_conv2d_pass pass) {
    double direct = 6e-8 * (8 + 2 * sqrt(terms(s, pass)));
    const bool winograd = impl->kind == CLC_CONV2D_WINOGRAD ||
                          impl->kind == CLC_CONV2D_WINOGRAD_STAGED ||
                          impl->kind == CLC_CONV2D_WINOGRAD_GEMM;
    return winograd ? 100 * 6e-8 * (8 + 0.1 * sqrt(terms(s, pass))) : direct;
}

static void check(clc_device *device, const clc_conv2d_impl *impl, const clc_conv2d_shape *s,
                  clc_conv2d_pass pass, bool accumulate) {
    float *data[3] = {test_random(x_count(s), 1), test_random(w_count(s), 2),
                      test_random(y_count(s), 3)};
    const size_t counts[3] = {x_count(s), w_count(s), y_count(s)};
    const int written = pass == CLC_CONV2D_FORWARD ? 2 : pass == CLC_CONV2D_BACKWARD_DATA ? 0 : 1;
    reference r = {data[0], data[1], data[2], NULL, pass};
    double *want = compute(s, &r, counts[written], accumulate ? data[written] : NULL);
    test_buffer buffers[3];
    char name[160];
    snprintf(name, sizeof name, "%s pass %d n%d %dx%dx%d k%d %dx%d s%d p%d%s", impl->name,
             (int)pass, s->n, s->h, s->w, s->c, s->k, s->kh, s->kw, s->stride, s->pad,
             accumulate ? " +=" : "");
    for (int i = 0; i < 3; i++)
        buffers[i] =
            test_buffer_make(name, i == written && !accumulate ? NULL : data[i], counts[i]);
    test_buffer workspace =
        test_buffer_make(name, NULL, impl->workspace(device, s, pass) / sizeof(float));
    const clc_conv2d_args args = {.x = buffers[0].mem,
                                  .w = buffers[1].mem,
                                  .y = buffers[2].mem,
                                  .workspace = workspace.mem,
                                  .accumulate = accumulate,
                                  .layer = "test"};
    clc_sequence sequence = {0};
    CHECK(impl->build(&sequence, device, s, pass, &args));
    test_run(&sequence);
    test_expect(&buffers[written], want, tolerance_of(impl, s, pass));
    if (!test_buffer_intact(&workspace))
        fail_msg("%s: wrote behind its workspace", name);
    for (int i = 0; i < 3; i++) {
        test_buffer_release(&buffers[i]);
        free(data[i]);
    }
    test_buffer_release(&workspace);
    free(want);
}

static const clc_conv2d_shape shapes[] = {
    /* n, h, w, c, k, kh, kw, stride, pad */
    {1, 1, 1, 1, 1, 1, 1, 1, 0},     {2, 5, 7, 3, 8, 3, 3, 1, 1},
    {3, 7, 5, 5, 4, 3, 3, 2, 1},     {2, 9, 9, 13, 17, 3, 3, 1, 1},
    {1, 8, 8, 16, 32, 3, 3, 2, 1},   {2, 11, 6, 3, 16, 7, 7, 2, 3},
    {2, 6, 6, 16, 48, 1, 1, 2, 0},   {1, 7, 7, 8, 8, 1, 1, 1, 0},
    {2, 10, 10, 4, 6, 5, 5, 3, 2},   {2, 6, 9, 16, 16, 3, 3, 1, 1},
    {3, 4, 4, 32, 64, 3, 3, 1, 1},   {1, 13, 15, 48, 16, 3, 3, 1, 1},
    {5, 8, 8, 64, 32, 3, 3, 1, 1},   {2, 2, 2, 128, 128, 3, 3, 1, 1},
    {37, 3, 3, 16, 16, 3, 3, 1, 1},  {1, 28, 28, 1, 16, 3, 3, 1, 1},
    {2, 3, 3, 2, 2, 3, 3, 1, 0},     {1, 4, 4, 3, 5, 3, 3, 1, 2},
    {2, 1, 9, 16, 16, 3, 3, 1, 1},   {1, 3, 3, 16, 16, 3, 3, 2, 1},
    {3, 13, 10, 24, 40, 3, 3, 2, 1},
};

static void check_pass(clc_conv2d_pass pass) {
    size_t count = 0, checked = 0;
    const clc_conv2d_impl *const *impls = clc_conv2d_impls(&count);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t k = 0; k < count; k++)
            if (impls[k]->supports(test_device(), &shapes[i], pass) &&
                test_affordable(clc_conv2d_flops(&shapes[i]) / 2)) {
                check(test_device(), impls[k], &shapes[i], pass, false);
                if (pass == CLC_CONV2D_BACKWARD_DATA)
                    check(test_device(), impls[k], &shapes[i], pass, true);
                checked++;
            }
    assert_true(checked >= sizeof shapes / sizeof *shapes / 2);
}

static void forward_matches_the_reference(void **state) {
    (void)state;
    check_pass(CLC_CONV2D_FORWARD);
}

static void backward_data_matches_the_reference(void **state) {
    (void)state;
    check_pass(CLC_CONV2D_BACKWARD_DATA);
}

static void backward_weights_matches_the_reference(void **state) {
    (void)state;
    check_pass(CLC_CONV2D_BACKWARD_WEIGHTS);
}

/* Vectors of another width than this device's; of the last shape so many channels that the tiles of
 * a large register tile don't fit private memory. */
static void winograd_is_right_with_other_vectors(void **state) {
    (void)state;
    const clc_conv2d_shape others[] = {{2, 6, 9, 20, 32, 3, 3, 1, 1},
                                       {3, 13, 10, 24, 40, 3, 3, 2, 1},
                                       {1, 8, 8, 16, 512, 3, 3, 2, 1}};
    clc_device device = *test_device();
    if (device.profile != CLC_PROFILE_CPU)
        return;
    device.vector_width = device.vector_width == 16 ? 8 : 16;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        for (int pass = CLC_CONV2D_FORWARD; pass <= CLC_CONV2D_BACKWARD_WEIGHTS; pass++) {
            const clc_conv2d_impl *impl =
                clc_conv2d_choose(&device, &others[i], (clc_conv2d_pass)pass, CLC_CONV2D_WINOGRAD);
            assert_int_equal(impl->kind, CLC_CONV2D_WINOGRAD);
            if (test_affordable(clc_conv2d_flops(&others[i]) / 2))
                check(&device, impl, &others[i], (clc_conv2d_pass)pass,
                      pass == CLC_CONV2D_BACKWARD_DATA);
        }
}

/* On a device whose memory has room for the transformed tiles of two of the three images. */
static void winograd_takes_images_in_turn(void **state) {
    (void)state;
    const clc_conv2d_shape s = {3, 9, 9, 13, 17, 3, 3, 1, 1};
    const clc_conv2d_impl *impl =
        clc_conv2d_choose(test_device(), &s, CLC_CONV2D_FORWARD, CLC_CONV2D_WINOGRAD_GEMM);
    clc_device small = *test_device();
    small.info.memory = 32 * sizeof(float) * (2 * 36 * 9 * (13 + 17) + 1000);
    if (impl->kind != CLC_CONV2D_WINOGRAD_GEMM)
        return; /* not for CPU devices */
    for (int pass = CLC_CONV2D_FORWARD; pass <= CLC_CONV2D_BACKWARD_WEIGHTS; pass++) {
        assert_true(impl->supports(&small, &s, (clc_conv2d_pass)pass));
        assert_true(impl->workspace(&small, &s, (clc_conv2d_pass)pass) <
                    impl->workspace(test_device(), &s, (clc_conv2d_pass)pass));
        check(&small, impl, &s, (clc_conv2d_pass)pass, pass == CLC_CONV2D_BACKWARD_DATA);
    }
    small.info.memory /= 4;
    assert_false(impl->supports(&small, &s, CLC_CONV2D_FORWARD));
}

/* The loss is sum y g: its differences must be the gradients that the reference gives. The loss is
 * linear in each argument, so central differences are exact but for rounding. */
static void the_reference_agrees_with_finite_differences(void **state) {
    (void)state;
    const clc_conv2d_shape s = {2, 5, 4, 3, 2, 3, 3, 2, 1};
    float *x = test_random(x_count(&s), 1), *w = test_random(w_count(&s), 2);
    float *g = test_random(y_count(&s), 3);
    for (int pass = CLC_CONV2D_BACKWARD_DATA; pass <= CLC_CONV2D_BACKWARD_WEIGHTS; pass++) {
        const bool data = pass == CLC_CONV2D_BACKWARD_DATA;
        reference r = {x, w, g, NULL, (clc_conv2d_pass)pass};
        double *gradient = compute(&s, &r, data ? x_count(&s) : w_count(&s), NULL);
        for (size_t i = 0; i < (data ? x_count(&s) : w_count(&s)); i += 5) {
            float *value = data ? &x[i] : &w[i];
            const float step = 0.25f, kept = *value; /* exact in binary */
            double loss[2] = {0, 0};
            for (int side = 0; side < 2; side++) {
                *value = side ? kept + step : kept - step;
                reference f = {x, w, NULL, NULL, CLC_CONV2D_FORWARD};
                double *y = compute(&s, &f, y_count(&s), NULL);
                for (size_t k = 0; k < y_count(&s); k++)
                    loss[side] += y[k] * (double)g[k];
                free(y);
            }
            const double width = (double)(kept + step) - (double)(kept - step);
            *value = kept;
            assert_true(fabs((loss[1] - loss[0]) / width - gradient[i]) < 1e-9);
        }
        free(gradient);
    }
    free(x);
    free(w);
    free(g);
}

/* Of 16: 20 channels fill more than half of two vectors, 18 would be mostly padding. */
static void channels_are_filled_up_to_whole_vectors_or_half_ones(void **state) {
    (void)state;
    clc_device device = *test_device();
    device.profile = CLC_PROFILE_CPU;
    device.vector_width = 16;
    clc_conv2d_shape s = {.n = 2, .h = 8, .w = 8, .kh = 3, .kw = 3, .stride = 1, .pad = 1};
    for (int channels = 20; channels >= 18; channels -= 2)
        for (int pass = 0; pass < 3; pass++) {
            s.c = s.k = channels;
            const clc_conv2d_choice choice =
                clc_conv2d_select(&device, &s, (clc_conv2d_pass)pass, CLC_CONV2D_AUTO);
            assert_int_equal(choice.impl->kind, CLC_CONV2D_WINOGRAD);
            assert_int_equal(choice.width, channels == 20 ? 16 : 8);
            assert_true(clc_conv2d_choice_supports(&choice, &device, &s, (clc_conv2d_pass)pass));
        }
    assert_int_equal(
        clc_conv2d_select(&device, &s, CLC_CONV2D_FORWARD, CLC_CONV2D_DIRECT).impl->kind,
        CLC_CONV2D_DIRECT);
}

static void every_pass_of_every_shape_has_an_implementation(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int pass = 0; pass < 3; pass++)
            for (int kind = CLC_CONV2D_AUTO; kind <= CLC_CONV2D_IM2COL; kind++) {
                const clc_conv2d_impl *impl = clc_conv2d_choose(
                    test_device(), &shapes[i], (clc_conv2d_pass)pass, (clc_conv2d_kind)kind);
                assert_non_null(impl);
                assert_true(impl->supports(test_device(), &shapes[i], (clc_conv2d_pass)pass));
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_agrees_with_finite_differences),
        cmocka_unit_test(channels_are_filled_up_to_whole_vectors_or_half_ones),
        cmocka_unit_test(every_pass_of_every_shape_has_an_implementation),
        cmocka_unit_test(forward_matches_the_reference),
        cmocka_unit_test(backward_data_matches_the_reference),
        cmocka_unit_test(backward_weights_matches_the_reference),
        cmocka_unit_test(winograd_is_right_with_other_vectors),
        cmocka_unit_test(winograd_takes_images_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
