#include "harness.h"
#include "optim/optim.h"
#include "optim/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sizes below, at and above those of padding, vector and chunk; each combination of flags. */
static const struct {
    size_t count;
    bool decay, adapt;
} shapes[] = {{1, true, true},     {255, false, false}, {256, true, false},  {257, false, true},
              {5000, true, true},  {16, true, true},    {16384, true, true}, {16385, false, false},
              {40001, true, true}, {17, true, true},    {300, true, true}};

enum {
    TENSORS = sizeof shapes / sizeof *shapes,
    STILL = 9,   /* this tensor's gradients are 0 */
    NOUGHT = 10, /* this tensor starts at 0 */
    STEPS = 5
};

static const double rates[STEPS] = {0.1, 0.2, 0.15, 0.05, 0.1};

/* The flat buffers on both sides. */
typedef struct fixture {
    clc_config_optimizer optim;
    clc_optim_segment segments[TENSORS];
    clc_optim_tables tables;
    reference_tensor tensors[TENSORS];
    size_t floats;
    test_buffer value, grad, state, hyper, loss, result, norms, work;
    clc_sequence sequence;
} fixture;

static clc_config_optimizer make_optim(int kind) {
    return (clc_config_optimizer){.name = kind,
                                  .momentum = 0.9,
                                  .weight_decay = 0.05,
                                  .trust_coefficient = 0.02,
                                  .beta1 = 0.9,
                                  .beta2 = 0.999,
                                  .epsilon = 1e-8};
}

static size_t lay_out(fixture *f) {
    size_t offset = 0;
    for (size_t t = 0; t < TENSORS; t++) {
        f->segments[t] =
            (clc_optim_segment){offset, shapes[t].count, shapes[t].decay, shapes[t].adapt,
                                (clc_optim_group)(t % CLC_GROUP_COUNT)};
        offset += (shapes[t].count + 255) / 256 * 256;
    }
    return offset;
}

/* Device values into the reference's tensors; padding must be exactly 0. */
static float *flatten(const fixture *f, uint64_t seed, bool gradient) {
    float *flat = calloc(f->floats, sizeof *flat);
    assert_non_null(flat);
    for (size_t t = 0; t < TENSORS; t++) {
        const size_t count = f->segments[t].count;
        float *random = test_random(count, seed * 100 + t);
        for (size_t i = 0; i < count; i++) {
            float v = t == (gradient ? (size_t)STILL : (size_t)NOUGHT) ? 0.0f : random[i];
            flat[f->segments[t].offset + i] = v;
            (gradient ? f->tensors[t].grad : f->tensors[t].value)[i] = (double)v;
        }
        free(random);
    }
    return flat;
}

static void make_buffers(fixture *f, const float *value, size_t states) {
    const float loss = 1.5f;
    float *zero = calloc(f->floats * states, sizeof *zero);
    assert_non_null(zero);
    f->value = test_buffer_make("value", value, f->floats);
    f->grad = test_buffer_make("grad", NULL, f->floats);
    f->state = test_buffer_make("state", zero, f->floats * states);
    f->hyper = test_buffer_make("hyper", NULL, CLC_HYPER_COUNT);
    f->loss = test_buffer_make("loss", &loss, 1);
    f->result = test_buffer_make("result", NULL, 4);
    f->norms = test_buffer_make("norms", NULL, 2 * TENSORS);
    f->work = test_buffer_make("workspace", NULL,
                               clc_optim_workspace(f->segments, TENSORS) / sizeof(float));
    free(zero);
}

static fixture set_up(const clc_config_optimizer *optim) {
    fixture f = {.optim = *optim};
    const size_t states = (size_t)clc_optim_states(optim);
    f.floats = lay_out(&f);
    for (size_t t = 0; t < TENSORS; t++) {
        const size_t count = shapes[t].count;
        f.tensors[t] =
            (reference_tensor){count,
                               shapes[t].decay,
                               shapes[t].adapt,
                               calloc(count, sizeof(double)),
                               calloc(count, sizeof(double)),
                               {calloc(count, sizeof(double)), calloc(count, sizeof(double))}};
    }
    float *value = flatten(&f, 1, false);
    make_buffers(&f, value, states);
    free(value);
    CHECK(clc_optim_prepare(test_device(), f.segments, TENSORS, &f.tables));
    const clc_optim_buffers buffers = {f.value.mem, f.grad.mem, f.state.mem,
                                       f.hyper.mem, f.loss.mem, f.result.mem,
                                       f.norms.mem, f.work.mem, f.floats};
    CHECK(clc_optim_build(&f.sequence, test_device(), &f.optim, TENSORS, &f.tables, &buffers));
    return f;
}

static void tear_down(fixture *f) {
    clc_sequence_free(&f->sequence);
    clc_optim_release(test_device(), &f->tables);
    assert_true(test_buffer_intact(&f->work));
    test_buffer *all[] = {&f->value, &f->grad,   &f->state, &f->hyper,
                          &f->loss,  &f->result, &f->norms, &f->work};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        test_buffer_release(all[i]);
    for (size_t t = 0; t < TENSORS; t++) {
        free(f->tensors[t].value);
        free(f->tensors[t].grad);
        free(f->tensors[t].state[0]);
        free(f->tensors[t].state[1]);
    }
}

/* A group's rate: the predictor's is its own, prototypes rest in odd steps, what is frozen always.
 */
static double rate_of(int group, int step) {
    switch (group) {
    case CLC_GROUP_PREDICTOR:
        return 0.07;
    case CLC_GROUP_PROTOTYPES:
        return step % 2 ? 0 : rates[step - 1];
    case CLC_GROUP_FROZEN:
        return 0;
    default:
        return rates[step - 1];
    }
}

/* One step on the device with the gradient `flat`. */
static void device_step(fixture *f, const float *flat, int step) {
    float hyper[CLC_HYPER_COUNT] = {(float)rates[step - 1], (float)(1 - pow(f->optim.beta1, step)),
                                    (float)(1 - pow(f->optim.beta2, step)), NAN};
    for (int group = 0; group < CLC_GROUP_COUNT; group++)
        hyper[CLC_HYPER_GROUPS + group] = (float)rate_of(group, step);
    CHECK(clc_buffer_write(test_device(), f->hyper.mem, 0, sizeof hyper, hyper));
    CHECK(clc_buffer_write(test_device(), f->grad.mem, 0, f->floats * sizeof *flat, flat));
    CHECK(clc_sequence_run(&f->sequence, test_device()));
    CHECK(clc_device_finish(test_device()));
}

/* A flat buffer against the reference's tensors; padding must still be 0. */
static void expect_flat(const fixture *f, const test_buffer *buffer, size_t base, int which,
                        double tolerance) {
    float *got = test_buffer_read(buffer);
    for (size_t t = 0; t < TENSORS; t++) {
        const reference_tensor *r = &f->tensors[t];
        const size_t first = base + f->segments[t].offset;
        const size_t end = base + (t + 1 < TENSORS ? f->segments[t + 1].offset : f->floats);
        print_message("# tensor %zu, %s: error %.1e of %.1e\n", t, which < 0 ? "value" : "state",
                      test_error(got + first, which < 0 ? r->value : r->state[which], r->count),
                      tolerance);
        assert_true(test_close(buffer->name, got + first, which < 0 ? r->value : r->state[which],
                               r->count, tolerance));
        for (size_t i = first + r->count; i < end; i++)
            assert_true(got[i] == 0.0f);
    }
    free(got);
}

static void expect_result(const fixture *f, double norm, double clip, const double *factors,
                          const double *lengths) {
    /* Sums of 80,000 squares in lanes and chunks: 1,024 in a row at most. */
    const double tolerance = 1024 * ldexp(1, -24);
    float *result = test_buffer_read(&f->result), *norms = test_buffer_read(&f->norms);
    assert_true(result[0] == 1.5f);
    assert_true(fabs((double)result[1] - norm) <= tolerance * norm);
    assert_true(result[2] == 1.0f);
    assert_true(fabs((double)result[3] - clip) <= tolerance * clip);
    for (size_t t = 0; t < TENSORS; t++) {
        assert_true(fabs((double)norms[t] - lengths[t]) <= tolerance * lengths[t]);
        assert_true(fabs((double)norms[TENSORS + t] - factors[t]) <= tolerance * factors[t]);
    }
    free(result);
    free(norms);
}

static double length_of(const reference_tensor *t) {
    double norm = 0;
    reference_clip(t, 1, 0, &norm);
    return norm;
}

/* A step of the reference; at rate 0 only its factor counts, and nothing changes. */
static double reference_or_rest(const clc_config_optimizer *optim, reference_tensor *r, double rate,
                                double clip, int step) {
    double *const of[3] = {r->value, r->state[0], r->state[1]};
    double *kept = malloc(3 * r->count * sizeof *kept);
    for (size_t k = 0; k < 3; k++)
        memcpy(kept + k * r->count, of[k], r->count * sizeof *kept);
    const double factor = reference_step(optim, r, rate, clip, step);
    for (size_t k = 0; k < 3 && rate == 0; k++)
        memcpy(of[k], kept + k * r->count, r->count * sizeof *kept);
    free(kept);
    return factor;
}

/* Several steps on both sides, which move values of about 1 by 0.01 to 1. Some ten roundings a
 * step, mostly in quantities smaller than 1: 16 units in the last place, 2^-20, in all. */
static void follow(const clc_config_optimizer *optim) {
    fixture f = set_up(optim);
    const int steps = test_affordable(STEPS * (double)f.floats) ? STEPS : 1;
    for (int step = 1; step <= steps; step++) {
        double norm = 0, factors[TENSORS], lengths[TENSORS];
        float *flat = flatten(&f, (uint64_t)step + 1, true);
        const double clip = reference_clip(f.tensors, TENSORS, optim->clip_norm, &norm);
        for (size_t t = 0; t < TENSORS; t++) {
            lengths[t] = length_of(&f.tensors[t]);
            const double rate = rate_of((int)f.segments[t].group, step);
            reference_tensor *r = &f.tensors[t];
            factors[t] = reference_or_rest(optim, r, rate, clip, step);
        }
        device_step(&f, flat, step);
        free(flat);
        expect_result(&f, norm, clip, factors, lengths);
    }
    expect_flat(&f, &f.value, 0, -1, ldexp(1, -20));
    for (int s = 0; s < clc_optim_states(optim); s++)
        expect_flat(&f, &f.state, (size_t)s * f.floats, s, ldexp(1, -20));
    tear_down(&f);
}

static void sgd_follows_the_reference(void **state) {
    (void)state;
    clc_config_optimizer optim = make_optim(CLC_CONFIG_OPTIMIZER_SGD);
    follow(&optim);
    optim.nesterov = true;
    follow(&optim);
    optim.nesterov = false;
    optim.momentum = optim.weight_decay = 0;
    follow(&optim);
}

static void lars_follows_the_reference(void **state) {
    (void)state;
    clc_config_optimizer optim = make_optim(CLC_CONFIG_OPTIMIZER_LARS);
    follow(&optim);
    optim.weight_decay = 0;
    follow(&optim);
}

static void adamw_follows_the_reference(void **state) {
    (void)state;
    clc_config_optimizer optim = make_optim(CLC_CONFIG_OPTIMIZER_ADAMW);
    follow(&optim);
    optim.beta1 = 0.5;
    optim.beta2 = 0.95;
    optim.epsilon = 1e-2;
    follow(&optim);
}

/* A gradient of length 160 or so is cut to 3; one below the limit is left alone. */
static void long_gradients_are_clipped(void **state) {
    (void)state;
    for (int kind = CLC_CONFIG_OPTIMIZER_SGD; kind <= CLC_CONFIG_OPTIMIZER_ADAMW; kind++) {
        clc_config_optimizer optim = make_optim(kind);
        optim.clip_norm = 3;
        follow(&optim);
        optim.clip_norm = 1000;
        follow(&optim);
    }
}

/* Runs a second step with `bad` in one gradient (or as the loss): nothing may change. */
static void expect_untouched(int kind, float bad, size_t tensor, size_t element) {
    clc_config_optimizer optim = make_optim(kind);
    optim.clip_norm = 3;
    fixture f = set_up(&optim);
    float *flat = flatten(&f, 2, true);
    device_step(&f, flat, 1);
    float *value = test_buffer_read(&f.value), *kept = test_buffer_read(&f.state);
    if (tensor < TENSORS)
        flat[f.segments[tensor].offset + element] = bad;
    else
        CHECK(clc_buffer_write(test_device(), f.loss.mem, 0, sizeof bad, &bad));
    device_step(&f, flat, 2);
    float *value_after = test_buffer_read(&f.value), *kept_after = test_buffer_read(&f.state);
    assert_memory_equal(value, value_after, f.value.count * sizeof(float));
    assert_memory_equal(kept, kept_after, f.state.count * sizeof(float));
    float *result = test_buffer_read(&f.result), *norms = test_buffer_read(&f.norms);
    assert_true(result[2] == 0.0f);
    for (size_t t = 0; t < TENSORS; t++)
        assert_int_equal(isfinite(norms[t]) != 0, t != tensor);
    float *all[] = {flat, value, kept, value_after, kept_after, result, norms};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    tear_down(&f);
}

static void nothing_changes_unless_all_is_finite(void **state) {
    (void)state;
    for (int kind = CLC_CONFIG_OPTIMIZER_SGD; kind <= CLC_CONFIG_OPTIMIZER_ADAMW; kind++) {
        expect_untouched(kind, NAN, 0, 0);
        expect_untouched(kind, INFINITY, 7, 16384);
        expect_untouched(kind, -INFINITY, 3, 256);
        expect_untouched(kind, NAN, TENSORS, 0);
        expect_untouched(kind, INFINITY, TENSORS, 0);
    }
}

/* Three steps from the same start. `want` was printed by PyTorch 2 in float64; LARS's follows from
 * its definition, by a script. */
static void expect_known(const clc_config_optimizer *optim, const double want[3]) {
    static const double start[3] = {0.5, -1.25, 2.0};
    static const double grads[3][3] = {{0.1, -0.3, 0.7}, {-0.2, 0.05, 0.4}, {0.6, 0.9, -0.15}};
    double value[3], grad[3], m[3] = {0}, v[3] = {0}, norm;
    reference_tensor tensor = {3, true, true, value, grad, {m, v}};
    memcpy(value, start, sizeof value);
    for (int step = 1; step <= 3; step++) {
        memcpy(grad, grads[step - 1], sizeof grad);
        const double clip = reference_clip(&tensor, 1, optim->clip_norm, &norm);
        reference_step(optim, &tensor, 0.1, clip, step);
    }
    for (int i = 0; i < 3; i++)
        assert_true(fabs(value[i] - want[i]) <= 1e-6); /* clipping: PyTorch adds 1e-6 to the norm */
}

static void reference_agrees_with_pytorch(void **state) {
    (void)state;
    clc_config_optimizer optim = make_optim(CLC_CONFIG_OPTIMIZER_SGD);
    expect_known(&optim, (const double[]){0.437024687500, -1.233831593750, 1.694968000000});
    optim.clip_norm = 0.5;
    expect_known(&optim, (const double[]){0.478945791964, -1.213219301489, 1.752588366585});
    optim.clip_norm = 0;
    optim.nesterov = true;
    expect_known(&optim, (const double[]){0.386013106562, -1.282956609031, 1.603887982000});
    optim = make_optim(CLC_CONFIG_OPTIMIZER_ADAMW);
    optim.epsilon = 1e-3;
    expect_known(&optim, (const double[]){0.380861963778, -1.126457438824, 1.716375480424});
    optim = make_optim(CLC_CONFIG_OPTIMIZER_LARS);
    expect_known(&optim, (const double[]){0.498315096326, -1.248286554675, 1.979821560436});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_agrees_with_pytorch),
        cmocka_unit_test(sgd_follows_the_reference),
        cmocka_unit_test(lars_follows_the_reference),
        cmocka_unit_test(adamw_follows_the_reference),
        cmocka_unit_test(long_gradients_are_clipped),
        cmocka_unit_test(nothing_changes_unless_all_is_finite),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
