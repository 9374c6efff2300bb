/* Random numbers of the host: distributions, and that a stream doesn't depend on how much of it is
 * asked for. */
#include "core/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N = 1 << 18 };
static float values[N];

/* Moments of N numbers err by some 1 / sqrt(N) = 0.002, the fourth by sqrt(96 / N) = 0.02: four
 * times that. */
static void normal_numbers_are_normal(void **state) {
    (void)state;
    double sum = 0, squares = 0, fourth = 0, neighbours = 0, next_but_one = 0;
    clc_rng rng = clc_rng_make(3, 1);
    clc_fill_normal(values, N, 2.0, &rng);
    for (int i = 0; i < N; i++) {
        const double v = (double)values[i] / 2.0;
        assert_true(isfinite(v));
        sum += v;
        squares += v * v;
        fourth += v * v * v * v;
        neighbours += v * (double)values[(i + 1) % N] / 2.0;
        next_but_one += v * (double)values[(i + 2) % N] / 2.0;
    }
    assert_true(fabs(sum / N) < 0.008);
    assert_true(fabs(squares / N - 1) < 0.012);
    assert_true(fabs(fourth / N - 3) < 0.08);
    assert_true(fabs(neighbours / N) < 0.008);
    assert_true(fabs(next_but_one / N) < 0.008);
}

static void uniform_numbers_are_uniform(void **state) {
    (void)state;
    int counts[8] = {0};
    clc_rng rng = clc_rng_make(3, 2);
    clc_fill_uniform(values, N, 4.0, &rng);
    for (int i = 0; i < N; i++) {
        assert_true(values[i] >= -4.0f && values[i] < 4.0f);
        counts[(int)(values[i] + 4.0f)]++;
    }
    /* Deviation of a count: sqrt(N * 7) / 8 = 169. */
    for (int i = 0; i < 8; i++)
        assert_true(abs(counts[i] - N / 8) < 4 * 169);
}

/* The first numbers are the same however many follow, and nothing is written behind them. */
static void a_stream_begins_alike(void **state) {
    (void)state;
    for (size_t n = 1; n < 10; n++) {
        float some[12];
        for (int i = 0; i < 12; i++)
            some[i] = 77.0f;
        clc_rng rng = clc_rng_make(9, 4), all = clc_rng_make(9, 4);
        clc_fill_normal(some, n, 1.0, &rng);
        clc_fill_normal(values, 12, 1.0, &all);
        assert_memory_equal(some, values, n * sizeof *some);
        assert_true(!(some[n] < 77.0f || some[n] > 77.0f));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_numbers_are_normal),
        cmocka_unit_test(uniform_numbers_are_uniform),
        cmocka_unit_test(a_stream_begins_alike),
    };
    return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
