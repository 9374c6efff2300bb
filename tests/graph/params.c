/* Parameters: shared by name, laid out for any device, the same values from the same seed,
 * torchvision's layout outside. */
#include "graph/graph.h"
#include "harness.h"
#include "net/net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int add(clc_params *params, const char *name, clc_param_kind kind, int rank,
               const int *shape) {
    int index = -1;
    CHECK(clc_params_add(params, name, kind, rank, shape, &index));
    return index;
}

/* A convolution, a linear layer with bias, a batch-norm: every kind. */
static clc_params every_kind(void) {
    static const int conv[4] = {3, 3, 5, 7}, linear[2] = {11, 13}, bias[1] = {13}, norm[1] = {300};
    clc_params params = {0};
    add(&params, "conv.weight", CLC_PARAM_CONV_WEIGHT, 4, conv);
    add(&params, "norm.weight", CLC_PARAM_NORM_WEIGHT, 1, norm);
    add(&params, "norm.bias", CLC_PARAM_NORM_BIAS, 1, norm);
    add(&params, "norm.running_mean", CLC_PARAM_NORM_MEAN, 1, norm);
    add(&params, "norm.running_var", CLC_PARAM_NORM_VARIANCE, 1, norm);
    add(&params, "linear.weight", CLC_PARAM_LINEAR_WEIGHT, 2, linear);
    add(&params, "linear.bias", CLC_PARAM_LINEAR_BIAS, 1, bias);
    return params;
}

static void allocate(clc_params *params, bool training, int states) {
    clc_params_layout(params);
    CHECK(clc_params_allocate(params, test_device(), training, states));
}

static void one_name_is_one_parameter(void **state) {
    static const int shape[2] = {3, 5}, turned[2] = {5, 3}, flat[1] = {15};
    clc_params params = {0};
    int index = -1;
    (void)state;
    const int first = add(&params, "a", CLC_PARAM_LINEAR_WEIGHT, 2, shape);
    const int other = add(&params, "b", CLC_PARAM_LINEAR_WEIGHT, 2, shape);
    assert_int_not_equal(first, other);
    assert_int_equal(add(&params, "a", CLC_PARAM_LINEAR_WEIGHT, 2, shape), first);
    assert_int_equal(params.count, 2);
    assert_int_equal(clc_params_add(&params, "a", CLC_PARAM_LINEAR_WEIGHT, 2, turned, &index),
                     CLC_INVALID);
    assert_non_null(strstr(clc_error(), "parameter a"));
    assert_int_equal(clc_params_add(&params, "a", CLC_PARAM_LINEAR_BIAS, 1, flat, &index),
                     CLC_INVALID);
    assert_int_equal(clc_params_add(&params, "a", CLC_PARAM_NORM_BIAS, 2, shape, &index),
                     CLC_INVALID);
    assert_int_equal(index, -1);
    assert_null(clc_params_find(&params, "c"));
    clc_params_release(&params, test_device());
}

static void training_and_inference_share(void **state) {
    const clc_config_encoder encoder = {.name = CLC_CONFIG_ENCODER_CUSTOM,
                                        .block = CLC_CONFIG_BLOCK_BASIC,
                                        .blocks = {2, {1, 1}},
                                        .width = 4,
                                        .stem = CLC_CONFIG_STEM_SMALL};
    clc_params params = {0};
    clc_graph *graphs[2] = {NULL};
    clc_tensor *x = NULL, *y = NULL;
    size_t count = 0;
    (void)state;
    for (int i = 0; i < 2; i++) {
        CHECK(clc_graph_create(test_device(), &params, i == 0, &graphs[i]));
        CHECK(clc_graph_input(graphs[i], "x", clc_shape_images(2, 8, 8, 3), false, &x));
        const clc_net_input in = clc_net_images(x);
        CHECK(clc_net_resnet.build(graphs[i], "encoder", &encoder, &in, &y));
        count = i ? count : params.count;
    }
    assert_int_equal(params.count, count);
    assert_non_null(clc_params_find(&params, "encoder.layer2.0.downsample.1.running_var"));
    clc_graph_free(&graphs[0]);
    clc_graph_free(&graphs[1]);
    clc_params_release(&params, test_device());
}

static void the_layout_is_aligned(void **state) {
    clc_params params = every_kind();
    size_t end = 0;
    (void)state;
    clc_params_layout(&params);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < params.count; i++) {
            const clc_param *p = &params.items[i];
            if (clc_param_trainable(p) != (pass == 0))
                continue;
            assert_int_equal(p->offset % 256, 0);
            assert_int_equal(p->offset * sizeof(float) % test_device()->info.alignment, 0);
            assert_int_equal(p->offset, end); /* no gap but padding, no overlap */
            end = (p->offset + p->count + 255) / 256 * 256;
        }
        assert_int_equal(pass ? params.total : params.trainable, end);
    }
    clc_params_release(&params, test_device());
}

static void memory_is_what_the_layout_says(void **state) {
    (void)state;
    for (int training = 0; training < 2; training++) {
        clc_params params = every_kind();
        clc_device *device = test_device();
        const uint64_t before = device->allocated;
        allocate(&params, training, 2);
        assert_true(device->allocated - before ==
                    sizeof(float) * (params.total + (training ? 3 * params.trainable : 0)));
        for (size_t i = 0; i < params.count; i++) {
            assert_non_null(params.items[i].value);
            assert_int_equal(params.items[i].grad != NULL,
                             training && clc_param_trainable(&params.items[i]));
        }
        clc_params_release(&params, device);
        assert_true(device->allocated == before);
    }
}

static float *read_all(cl_mem buffer, size_t count) {
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    CHECK(clc_buffer_read(test_device(), buffer, 0, count * sizeof *values, values));
    return values;
}

static float *initialised(uint64_t seed, size_t *count) {
    clc_params params = every_kind();
    allocate(&params, false, 0);
    CHECK(clc_params_initialise(&params, test_device(), seed));
    float *values = read_all(params.value, params.total);
    *count = params.total;
    clc_params_release(&params, test_device());
    return values;
}

static void the_same_seed_gives_the_same_values(void **state) {
    size_t count = 0;
    (void)state;
    float *a = initialised(5, &count), *b = initialised(5, &count), *c = initialised(6, &count);
    assert_memory_equal(a, b, count * sizeof *a);
    size_t same = 0;
    for (size_t i = 0; i < 3 * 3 * 5 * 7; i++)
        same += a[i] == c[i];
    assert_int_equal(same, 0);
    free(a);
    free(b);
    free(c);
}

static double deviation(const float *values, size_t count, double *largest) {
    double sum = 0, squares = 0;
    *largest = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
        *largest = fmax(*largest, fabs((double)values[i]));
    }
    return sqrt(squares / (double)count - pow(sum / (double)count, 2));
}

static void expect_constant(const clc_params *params, const char *name, float value) {
    const clc_param *param = clc_params_find(params, name);
    float *values = read_all(param->value, param->count);
    for (size_t i = 0; i < param->count; i++)
        assert_true(values[i] == value);
    free(values);
}

/* Over tens of thousands of numbers a deviation errs by less than 2 %. */
static void the_distributions_are_pytorchs(void **state) {
    static const int conv[4] = {3, 3, 32, 64}, linear[2] = {100, 200}, bias[1] = {200},
                     norm[1] = {9};
    clc_params params = {0};
    double largest = 0;
    (void)state;
    add(&params, "conv", CLC_PARAM_CONV_WEIGHT, 4, conv);
    add(&params, "linear", CLC_PARAM_LINEAR_WEIGHT, 2, linear);
    add(&params, "linear.bias", CLC_PARAM_LINEAR_BIAS, 1, bias);
    add(&params, "weight", CLC_PARAM_NORM_WEIGHT, 1, norm);
    add(&params, "bias", CLC_PARAM_NORM_BIAS, 1, norm);
    add(&params, "mean", CLC_PARAM_NORM_MEAN, 1, norm);
    add(&params, "variance", CLC_PARAM_NORM_VARIANCE, 1, norm);
    allocate(&params, false, 0);
    CHECK(clc_params_initialise(&params, test_device(), 1));
    float *values = read_all(params.items[0].value, params.items[0].count);
    const double normal = sqrt(2.0 / (64 * 9)); /* of fan-out 64 x 3 x 3 */
    assert_true(fabs(deviation(values, params.items[0].count, &largest) / normal - 1) < 0.02);
    assert_true(largest > 3.5 * normal && largest < 6 * normal);
    free(values);
    for (int i = 1; i < 3; i++) { /* uniform within 1 / sqrt(100), the bias of 200 numbers too */
        values = read_all(params.items[i].value, params.items[i].count);
        const double ratio = deviation(values, params.items[i].count, &largest) / (0.1 / sqrt(3));
        assert_true(fabs(ratio - 1) < (i == 1 ? 0.02 : 0.15));
        assert_true(largest <= 0.1 && largest > 0.09);
        free(values);
    }
    expect_constant(&params, "weight", 1);
    expect_constant(&params, "bias", 0);
    expect_constant(&params, "mean", 0);
    expect_constant(&params, "variance", 1);
    clc_params_release(&params, test_device());
}

/* (o,i,h,w) outside, (h,w,i,o) on the device; (out,in) and (in,out) for linear layers. */
static size_t device_index(const clc_param *param, size_t outside) {
    const int *s = param->shape;
    if (param->kind == CLC_PARAM_LINEAR_WEIGHT)
        return outside % (size_t)s[0] * (size_t)s[1] + outside / (size_t)s[0];
    if (param->kind != CLC_PARAM_CONV_WEIGHT)
        return outside;
    const size_t kh = (size_t)s[0], kw = (size_t)s[1], c = (size_t)s[2], k = (size_t)s[3];
    const size_t w = outside % kw, h = outside / kw % kh, i = outside / (kw * kh) % c,
                 o = outside / (kw * kh * c);
    return ((h * kw + w) * c + i) * k + o;
}

static void import_permutes_and_export_permutes_back(void **state) {
    clc_params params = every_kind();
    (void)state;
    allocate(&params, true, 2);
    for (size_t n = 0; n < params.count; n++) {
        const clc_param *param = &params.items[n];
        float *values = test_random(param->count, n), *back = malloc(param->count * sizeof *back);
        CHECK(clc_param_import(param, test_device(), values));
        float *raw = read_all(param->value, param->count);
        for (size_t i = 0; i < param->count; i++)
            assert_true(raw[device_index(param, i)] == values[i]);
        CHECK(clc_param_export(param, test_device(), param->value, back));
        assert_memory_equal(back, values, param->count * sizeof *back);
        if (clc_param_trainable(param)) { /* the second state buffer */
            const size_t offset = (params.trainable + param->offset) * sizeof(float);
            CHECK(clc_param_write(param, test_device(), params.state, offset, values));
            memset(back, 0, param->count * sizeof *back);
            CHECK(clc_param_read(param, test_device(), params.state, offset, back));
            assert_memory_equal(back, values, param->count * sizeof *back);
        }
        free(values);
        free(back);
        free(raw);
    }
    clc_params_release(&params, test_device());
}

static void shapes_outside_are_torchvisions(void **state) {
    clc_params params = every_kind();
    size_t shape[4] = {0};
    static const int wide[4] = {1, 7, 5, 3};
    (void)state;
    clc_param_outer_shape(&params.items[0], shape);
    assert_true(shape[0] == 7 && shape[1] == 5 && shape[2] == 3 && shape[3] == 3);
    clc_param_outer_shape(clc_params_find(&params, "linear.weight"), shape);
    assert_true(shape[0] == 13 && shape[1] == 11);
    clc_param_outer_shape(clc_params_find(&params, "linear.bias"), shape);
    assert_true(shape[0] == 13);
    clc_param_outer_shape(&params.items[add(&params, "w", CLC_PARAM_CONV_WEIGHT, 4, wide)], shape);
    assert_true(shape[0] == 3 && shape[1] == 5 && shape[2] == 1 && shape[3] == 7);
    clc_params_release(&params, test_device());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_name_is_one_parameter),
        cmocka_unit_test(training_and_inference_share),
        cmocka_unit_test(the_layout_is_aligned),
        cmocka_unit_test(memory_is_what_the_layout_says),
        cmocka_unit_test(the_same_seed_gives_the_same_values),
        cmocka_unit_test(the_distributions_are_pytorchs),
        cmocka_unit_test(import_permutes_and_export_permutes_back),
        cmocka_unit_test(shapes_outside_are_torchvisions),
    };
    return cmocka_run_group_tests_name("params", tests, NULL, test_close_device);
}
