/* All pairs of rows that are alike, against every pair's cosine in double. */
#include "search/pairs.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 5 };

typedef struct found {
    unsigned char *times; /* (a,b): how often a pair came */
    size_t columns, last_row;
    float threshold;
} found;

static clc_status note(void *context, size_t i, size_t j, float cosine) {
    found *f = context;
    assert_true(i >= f->last_row && cosine >= f->threshold);
    f->times[i * f->columns + j]++;
    return CLC_OK;
}

static double cosine_of(const float *a, const float *b) {
    double ab = 0, aa = 0, bb = 0;
    for (int d = 0; d < DIM; d++) {
        ab += (double)a[d] * (double)b[d];
        aa += (double)a[d] * (double)a[d];
        bb += (double)b[d] * (double)b[d];
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

/* Of a pair whose cosine is nearer to the threshold than float's rounding (DIM additions of values
 * below 1, and unit vectors that are rounded, too) either answer is right. */
static void compare(const float *a, size_t a_rows, const float *b, size_t b_rows, bool same,
                    double threshold, const found *f) {
    size_t pairs = 0;
    for (size_t i = 0; i < a_rows; i++)
        for (size_t j = 0; j < b_rows; j++) {
            const double cosine = cosine_of(a + i * DIM, b + j * DIM);
            const int times = f->times[i * b_rows + j];
            const bool wanted = cosine >= threshold && (!same || i < j);
            pairs += wanted;
            if (times != wanted &&
                (times > 1 || (same && i >= j) || fabs(cosine - threshold) > 2e-6))
                fail_msg("rows %zu and %zu, cosine %g: %d times", i, j, cosine, times);
        }
    assert_true(pairs > 0);
}

static void check_pairs(size_t a_rows, size_t b_rows, bool same, float threshold) {
    float *a = test_random(a_rows * DIM, 1), *b = same ? a : test_random(b_rows * DIM, 2);
    found f = {.columns = b_rows, .threshold = threshold};
    memcpy(b, a + (a_rows - 1) * DIM, DIM * sizeof *a); /* at least one pair is alike */
    clc_features on_a = test_features(a, a_rows, DIM),
                 on_b = same ? on_a : test_features(b, b_rows, DIM);
    f.times = calloc(a_rows * b_rows, 1);
    assert_non_null(f.times);
    CHECK(clc_pairs_find(test_device(), &on_a, &on_b, threshold, note, &f));
    compare(a, a_rows, b, b_rows, same, (double)threshold, &f);
    clc_buffer_release(test_device(), &on_a.data);
    if (!same) {
        clc_buffer_release(test_device(), &on_b.data);
        free(b);
    }
    free(a);
    free(f.times);
}

static void every_pair_comes_once(void **state) {
    (void)state;
    check_pairs(2, 2, true, 0.9f);
    check_pairs(67, 67, true, 0.8f);
    check_pairs(1, 63, false, 0.9f);
    check_pairs(65, 1, false, 0.9f);
}

static void more_than_a_tile_each_way(void **state) {
    (void)state;
    if (test_affordable(6e8)) {
        check_pairs(4099, 4099, true, 0.97f);
        check_pairs(2053, 4201, false, 0.97f);
    }
}

static clc_status refuse(void *context, size_t i, size_t j, float cosine) {
    (void)i;
    (void)j;
    (void)cosine;
    ++*(int *)context;
    return clc_fail(CLC_IO, "no more");
}

static void a_failure_stops_it(void **state) {
    float *a = test_random(20 * DIM, 1);
    clc_features features = test_features(a, 20, DIM);
    int calls = 0;
    (void)state;
    assert_int_equal(CLC_IO,
                     clc_pairs_find(test_device(), &features, &features, -1, refuse, &calls));
    assert_int_equal(1, calls);
    clc_buffer_release(test_device(), &features.data);
    free(a);
}

static void what_is_not_finite_is_like_nothing(void **state) {
    float values[3 * DIM];
    found f = {.columns = 3, .threshold = -1};
    unsigned char times[9] = {0};
    (void)state;
    for (int i = 0; i < 3 * DIM; i++)
        values[i] = i / DIM == 1 ? NAN : 1;
    clc_features features = test_features(values, 3, DIM);
    f.times = times;
    CHECK(clc_pairs_find(test_device(), &features, &features, -1, note, &f));
    for (int i = 0; i < 9; i++)
        assert_int_equal(i == 2, times[i]);
    clc_buffer_release(test_device(), &features.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_comes_once),
        cmocka_unit_test(more_than_a_tile_each_way),
        cmocka_unit_test(a_failure_stops_it),
        cmocka_unit_test(what_is_not_finite_is_like_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
