/* Convolutions to be tuned: every implementation that supports the pass, at the device's vector
 * width and half. */
#include "op/conv2d.h"
#include "tune/tune.h"

#include <stdio.h>
#include <string.h>

typedef struct conv2d_problem {
    clc_conv2d_shape shape;
    clc_conv2d_pass pass;
    clc_conv2d_choice choices[CLC_TUNE_CANDIDATES];
} conv2d_problem;

_Static_assert(sizeof(conv2d_problem) <= CLC_TUNE_SHAPE_BYTES,
               "a problem needs more room for its shape");

static size_t workspace(const clc_tune_problem *problem, size_t candidate) {
    const conv2d_problem *p = problem->shape;
    return clc_conv2d_choice_workspace(&p->choices[candidate], problem->device, &p->shape, p->pass);
}

static clc_status build(const clc_tune_problem *problem, size_t candidate, clc_sequence *sequence,
                        const cl_mem operands[3], cl_mem space) {
    const conv2d_problem *p = problem->shape;
    const clc_conv2d_args args = {
        .x = operands[0], .w = operands[1], .y = operands[2], .workspace = space, .layer = "tune"};
    return clc_conv2d_choice_build(&p->choices[candidate], sequence, problem->device, &p->shape,
                                   p->pass, &args);
}

/* One product of the sum. */
static void add(double a, double b, double *sum, double *squares) {
    *sum += a * b;
    *squares += a * b * a * b;
}

static double forward_at(const clc_conv2d_shape *s, const float *x, const float *w, size_t index,
                         double *squares) {
    const int k = (int)(index % (size_t)s->k), oh = clc_conv2d_oh(s), ow = clc_conv2d_ow(s);
    const size_t pixel = index / (size_t)s->k;
    const int px = (int)(pixel % (size_t)ow), py = (int)(pixel / (size_t)ow % (size_t)oh);
    const size_t image = pixel / (size_t)(oh * ow);
    double sum = 0;
    for (int t = 0; t < s->kh * s->kw; t++) {
        const int h = py * s->stride - s->pad + t / s->kw, v = px * s->stride - s->pad + t % s->kw;
        if (h < 0 || h >= s->h || v < 0 || v >= s->w)
            continue;
        for (int c = 0; c < s->c; c++)
            add(x[((image * (size_t)s->h + (size_t)h) * (size_t)s->w + (size_t)v) * (size_t)s->c +
                  (size_t)c],
                w[((size_t)t * (size_t)s->c + (size_t)c) * (size_t)s->k + (size_t)k], &sum,
                squares);
    }
    return sum;
}

static double data_at(const clc_conv2d_shape *s, const float *w, const float *dy, size_t index,
                      double *squares) {
    const int c = (int)(index % (size_t)s->c), oh = clc_conv2d_oh(s), ow = clc_conv2d_ow(s);
    const size_t pixel = index / (size_t)s->c, image = pixel / (size_t)(s->h * s->w);
    const int v = (int)(pixel % (size_t)s->w), h = (int)(pixel / (size_t)s->w % (size_t)s->h);
    double sum = 0;
    for (int t = 0; t < s->kh * s->kw; t++) {
        const int y = h + s->pad - t / s->kw, x = v + s->pad - t % s->kw;
        if (y < 0 || x < 0 || y % s->stride || x % s->stride || y / s->stride >= oh ||
            x / s->stride >= ow)
            continue;
        const size_t at =
            (image * (size_t)oh + (size_t)(y / s->stride)) * (size_t)ow + (size_t)(x / s->stride);
        for (int k = 0; k < s->k; k++)
            add(dy[at * (size_t)s->k + (size_t)k],
                w[((size_t)t * (size_t)s->c + (size_t)c) * (size_t)s->k + (size_t)k], &sum,
                squares);
    }
    return sum;
}

static double weights_at(const clc_conv2d_shape *s, const float *x, const float *dy, size_t index,
                         double *squares) {
    const size_t k = index % (size_t)s->k, c = index / (size_t)s->k % (size_t)s->c;
    const int t = (int)(index / (size_t)s->k / (size_t)s->c), oh = clc_conv2d_oh(s),
              ow = clc_conv2d_ow(s);
    double sum = 0;
    for (int i = 0; i < s->n * oh * ow; i++) {
        const int h = i / ow % oh * s->stride - s->pad + t / s->kw,
                  v = i % ow * s->stride - s->pad + t % s->kw;
        if (h < 0 || h >= s->h || v < 0 || v >= s->w)
            continue;
        const size_t image = (size_t)(i / (oh * ow));
        add(x[((image * (size_t)s->h + (size_t)h) * (size_t)s->w + (size_t)v) * (size_t)s->c + c],
            dy[(size_t)i * (size_t)s->k + k], &sum, squares);
    }
    return sum;
}

static double reference(const clc_tune_problem *problem, const float *const operands[3],
                        size_t index, double *squares) {
    const conv2d_problem *p = problem->shape;
    *squares = 0;
    if (p->pass == CLC_CONV2D_FORWARD)
        return forward_at(&p->shape, operands[0], operands[1], index, squares);
    if (p->pass == CLC_CONV2D_BACKWARD_DATA)
        return data_at(&p->shape, operands[1], operands[2], index, squares);
    return weights_at(&p->shape, operands[0], operands[2], index, squares);
}

static void offer(clc_tune_problem *problem, conv2d_problem *p, clc_conv2d_choice choice) {
    if (problem->candidate_count == CLC_TUNE_CANDIDATES ||
        !clc_conv2d_choice_supports(&choice, problem->device, &p->shape, p->pass))
        return;
    p->choices[problem->candidate_count] = choice;
    clc_conv2d_choice_words(&choice, problem->candidates[problem->candidate_count],
                            sizeof *problem->candidates);
    problem->candidate_count++;
}

bool clc_tune_conv2d(clc_device *device, const char *key, void *shape, clc_tune_problem *problem) {
    conv2d_problem *p = shape;
    size_t count;
    const clc_conv2d_impl *const *impls = clc_conv2d_impls(&count);
    *p = (conv2d_problem){0};
    if (!clc_conv2d_parse_key(key, &p->shape, &p->pass))
        return false;
    const clc_conv2d_shape *s = &p->shape;
    const size_t y =
        (size_t)s->n * (size_t)clc_conv2d_oh(s) * (size_t)clc_conv2d_ow(s) * (size_t)s->k;
    *problem = (clc_tune_problem){
        .device = device,
        .floats = {(size_t)s->n * (size_t)s->h * (size_t)s->w * (size_t)s->c,
                   (size_t)s->kh * (size_t)s->kw * (size_t)s->c * (size_t)s->k, y},
        .written = p->pass == CLC_CONV2D_FORWARD         ? 2
                   : p->pass == CLC_CONV2D_BACKWARD_DATA ? 0
                                                         : 1,
        .workspace = workspace,
        .build = build,
        .reference = reference,
        .shape = p};
    offer(problem, p,
          (clc_conv2d_choice){clc_conv2d_choose(device, s, p->pass, CLC_CONV2D_AUTO),
                              device->vector_width});
    for (size_t i = 0; i < count; i++) {
        if (impls[i] != p->choices[0].impl)
            offer(problem, p, (clc_conv2d_choice){impls[i], device->vector_width});
        if (device->profile == CLC_PROFILE_CPU && device->vector_width >= 8 &&
            impls[i]->kind != CLC_CONV2D_IM2COL)
            offer(problem, p, (clc_conv2d_choice){impls[i], device->vector_width / 2});
    }
    return true;
}
