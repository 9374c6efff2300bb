/* A network's own last layer: scores, predictions, and classes that only the network or only the
 * data have. */
#include "eval/classifier.h"

#include "harness.h"
#include "model/heads.h"

#include <math.h>
#include <stdlib.h>

enum { DIM = 7, CLASSES = 5, MOST_CLASSES = 8 };

static clc_config make_config(void) {
    static const char *const overrides[] = {"method.name=supervised", "method.classes=5"};
    clc_config config;
    CHECK(clc_config_load(NULL, overrides, 2, &config));
    return config;
}

/* The layer alone, with random weights (CLASSES,DIM) and biases. */
static clc_params make_layer(const clc_config *config, float *weight, float *bias) {
    clc_params params = {0};
    clc_graph *graph = NULL;
    clc_tensor *in, *out;
    CHECK(clc_graph_create(test_device(), &params, false, &graph));
    CHECK(clc_graph_input(graph, "features", clc_shape_rows(1, DIM), false, &in));
    CHECK(clc_classifier_build(graph, config, in, &out));
    clc_params_layout(&params);
    CHECK(clc_params_allocate(&params, test_device(), false, 0));
    CHECK(clc_param_import(clc_params_find(&params, "classifier.weight"), test_device(), weight));
    CHECK(clc_param_import(clc_params_find(&params, "classifier.bias"), test_device(), bias));
    clc_graph_free(&graph);
    return params;
}

/* Rows beyond a batch, fewer, as many and more classes than the network's. */
static void scores_are_those_of_the_layer(void **state) {
    static const int wanted[] = {3, CLASSES, MOST_CLASSES};
    static const size_t rows[] = {1, 255, 256, 301};
    (void)state;
    float *weight = test_random(CLASSES * DIM, 1), *bias = test_random(CLASSES, 2);
    const clc_config config = make_config();
    clc_params params = make_layer(&config, weight, bias);
    assert_true(clc_classifier_there(&config));
    for (int k = 0; k < 12; k++) {
        const size_t n = rows[k % 4];
        const int classes = wanted[k / 4];
        float *x = test_random(n * DIM, 3 + (uint64_t)k);
        int32_t *said = malloc(n * sizeof *said);
        float *logits = malloc(n * (size_t)classes * sizeof *logits);
        clc_features f = {.rows = n, .dim = DIM, .classes = classes};
        CHECK(clc_features_upload(test_device(), x, &f));
        CHECK(clc_classifier_predict(test_device(), &config, &params, &f, said, logits));
        for (size_t r = 0; r < n; r++) {
            int best = 0;
            for (int c = 0; c < classes; c++) {
                double want = (double)bias[c < CLASSES ? c : 0];
                const float got = logits[r * (size_t)classes + (size_t)c];
                for (int d = 0; d < DIM && c < CLASSES; d++)
                    want += (double)weight[c * DIM + d] * (double)x[r * DIM + (size_t)d];
                /* Sums of DIM products below 1/4. */
                assert_true(c < CLASSES ? fabs((double)got - want) <= 2e-6 : got < -1e29f);
                best = got > logits[r * (size_t)classes + (size_t)best] ? c : best;
            }
            assert_int_equal(said[r], best);
        }
        clc_buffer_release(test_device(), &f.data);
        free(x);
        free(said);
        free(logits);
    }
    clc_params_release(&params, test_device());
    free(weight);
    free(bias);
}

/* Of equal scores it is the first class. */
static void equal_scores_are_of_the_first_class(void **state) {
    (void)state;
    float weight[CLASSES * DIM] = {0}, bias[CLASSES] = {1, 2, 2, 0, 2}, x[DIM] = {1};
    float logits[CLASSES];
    int32_t said = -1;
    const clc_config config = make_config();
    clc_params params = make_layer(&config, weight, bias);
    clc_features f = {.rows = 1, .dim = DIM, .classes = CLASSES};
    CHECK(clc_features_upload(test_device(), x, &f));
    CHECK(clc_classifier_predict(test_device(), &config, &params, &f, &said, logits));
    assert_int_equal(said, 1);
    clc_buffer_release(test_device(), &f.data);
    clc_params_release(&params, test_device());
}

static void other_methods_have_none(void **state) {
    (void)state;
    clc_config config;
    CHECK(clc_config_load(NULL, NULL, 0, &config));
    assert_false(clc_classifier_there(&config));
    config = make_config();
    config.method.classes = 0;
    assert_false(clc_classifier_there(&config));
}

/* Under the names of torchvision. */
static void a_file_has_it_under_the_networks_own_name(void **state) {
    static const char *const vit[] = {"encoder.name=vit_tiny"};
    (void)state;
    clc_config config;
    CHECK(clc_config_load(NULL, NULL, 0, &config));
    assert_string_equal(clc_classifier_outside(&config), "fc");
    CHECK(clc_config_load(NULL, vit, 1, &config));
    assert_string_equal(clc_classifier_outside(&config), "heads.head");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_those_of_the_layer),
        cmocka_unit_test(equal_scores_are_of_the_first_class),
        cmocka_unit_test(other_methods_have_none),
        cmocka_unit_test(a_file_has_it_under_the_networks_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
