/* Settings chosen on held-out rows. */
#include "eval/choose.h"

#include "eval/holdout.h"
#include "eval/knn.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 137, DIM = 3, CLASSES = 4 };

/* Row i holds i, so that it can be recognised; class 3 has one row only. */
static clc_features numbered(float *values, int32_t *labels) {
    clc_features f = {NULL, ROWS, DIM, labels, CLASSES};
    for (int i = 0; i < ROWS; i++) {
        labels[i] = i == 70 ? 3 : i % 3 * (i % 2);
        for (int d = 0; d < DIM; d++)
            values[i * DIM + d] = (float)(i * DIM + d);
    }
    CHECK(clc_buffer_create(test_device(), sizeof(float) * ROWS * DIM, "x", &f.data));
    CHECK(clc_buffer_write(test_device(), f.data, 0, sizeof(float) * ROWS * DIM, values));
    return f;
}

static void a_tenth_of_each_class_is_held_out(void **state) {
    (void)state;
    float values[ROWS * DIM];
    int32_t labels[ROWS];
    int of_class[CLASSES] = {0}, held_of[CLASSES] = {0}, seen[ROWS] = {0};
    clc_features f = numbered(values, labels);
    clc_holdout h;
    CHECK(clc_holdout_make(test_device(), &f, 5, &h));
    assert_int_equal(h.rest.rows + h.held.rows, ROWS);
    for (int i = 0; i < ROWS; i++)
        of_class[labels[i]]++;
    for (int part = 0; part < 2; part++) {
        const clc_features *p = part ? &h.held : &h.rest;
        float got[ROWS * DIM];
        CHECK(clc_buffer_read(test_device(), p->data, 0, sizeof(float) * p->rows * DIM, got));
        for (size_t i = 0; i < p->rows; i++) {
            const int row = (int)got[i * DIM] / DIM;
            assert_memory_equal(got + i * DIM, values + row * DIM, DIM * sizeof *got);
            assert_int_equal(p->labels[i], labels[row]);
            seen[row]++;
            held_of[labels[row]] += part;
        }
    }
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(seen[i], 1);
    for (int c = 0; c < 3; c++)
        assert_int_equal(held_of[c], (of_class[c] + 9) / 10);
    assert_int_equal(held_of[3], 0);
    clc_holdout_release(test_device(), &h);
    clc_buffer_release(test_device(), &f.data);
}

static void classes_of_one_row_are_refused(void **state) {
    (void)state;
    float values[ROWS * DIM];
    int32_t labels[ROWS];
    clc_features f = numbered(values, labels);
    clc_holdout h;
    f.rows = 2;
    labels[0] = 0;
    labels[1] = 1;
    assert_int_equal(clc_holdout_make(test_device(), &f, 5, &h), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "two"));
    clc_holdout_release(test_device(), &h);
    clc_buffer_release(test_device(), &f.data);
}

/* Labels are noise but for directions: one neighbour is worth nothing, many are. */
static void many_neighbours_are_chosen_where_labels_are_noisy(void **state) {
    (void)state;
    enum { N = 1200 };
    float *x = test_random(N * 2, 4);
    int32_t labels[N];
    clc_rng rng = clc_rng_make(6, 1);
    clc_features f = {NULL, N, 2, labels, 2};
    clc_config_evaluation o = {.knn_k = 1, .knn_temperature = 0.1};
    clc_choice choice;
    for (int i = 0; i < N; i++)
        labels[i] = (x[i * 2] > 0) ^ (clc_rng_below(&rng, 100) < 35);
    CHECK(clc_buffer_create(test_device(), sizeof(float) * N * 2, "x", &f.data));
    CHECK(clc_buffer_write(test_device(), f.data, 0, sizeof(float) * N * 2, x));
    CHECK(clc_choose_knn(test_device(), &f, 1, &o, &choice));
    assert_true(o.knn_k >= 20);
    assert_true(choice.accuracy > 0.5 && choice.tried == 1 + 7 * 6 && choice.held == N / 10 + 1);
    o = (clc_config_evaluation){.linear_epochs = 5, .linear_batch = 64, .linear_weight_decay = 100};
    CHECK(clc_choose_linear(test_device(), &f, 1, &o, &choice)); /* at rate 0 nothing is learned */
    assert_true(o.linear_learning_rate > 0 && o.linear_weight_decay < 1);
    assert_true(choice.accuracy > 0.5 && choice.tried == 10);
    clc_buffer_release(test_device(), &f.data);
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tenth_of_each_class_is_held_out),
        cmocka_unit_test(classes_of_one_row_are_refused),
        cmocka_unit_test(many_neighbours_are_chosen_where_labels_are_noisy),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
