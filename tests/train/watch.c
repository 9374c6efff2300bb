/* What is watched of the embeddings, on spreads whose numbers are known, and the recognition of
 * collapse. */
#include "harness.h"
#include "train/watch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 128, DIM = 32 };

static float *normal_rows(uint64_t seed) {
    clc_rng rng = clc_rng_make(seed, 1);
    float *z = malloc(ROWS * DIM * sizeof *z);
    for (int i = 0; i < ROWS * DIM; i++) {
        double sum = -6; /* twelve uniform numbers */
        for (int k = 0; k < 12; k++)
            sum += (double)clc_uniform(clc_rng_next(&rng));
        z[i] = (float)sum;
    }
    return z;
}

static clc_spread measure(const float *first, const float *second, int rows, int dim) {
    clc_spread spread;
    CHECK(clc_spread_measure(first, second, rows, dim, &spread));
    return spread;
}

/* Evenly on the sphere: deviation 1; every dimension counts; E exp(-2 |a - b|^2) is about exp(-4)
 * times 1 + 8/D. */
static void even_embeddings(void **state) {
    (void)state;
    float *z = normal_rows(1);
    const clc_spread s = measure(z, z, ROWS, DIM);
    assert_true(fabs(s.deviation - 1) < 0.03);
    assert_true(s.rank > 28 && s.rank <= 32.001);
    assert_true(fabs(s.alignment) < 1e-9);
    assert_true(fabs(s.uniformity - (-4 + log(1 + 8.0 / DIM))) < 0.1);
    free(z);
}

static void lengths_do_not_matter(void **state) {
    (void)state;
    float *z = normal_rows(2), *longer = normal_rows(2);
    for (int i = 0; i < ROWS * DIM; i++)
        longer[i] *= (float)(1 + i / DIM);
    const clc_spread a = measure(z, NULL, ROWS, DIM), b = measure(longer, NULL, ROWS, DIM);
    assert_true(fabs(a.deviation - b.deviation) < 1e-5 && fabs(a.rank - b.rank) < 1e-3);
    assert_true(isnan(a.alignment));
    free(z);
    free(longer);
}

/* All alike, zero, opposite views, two clusters. */
static void degenerate_embeddings(void **state) {
    (void)state;
    float same[16 * 4], zero[16 * 4] = {0}, opposite[16 * 4], clusters[16 * 4] = {0};
    for (int i = 0; i < 16 * 4; i++) {
        same[i] = (float)(i % 4 + 1);
        opposite[i] = -same[i];
    }
    for (int i = 0; i < 16; i++)
        clusters[i * 4 + i % 2] = 1;
    const clc_spread s = measure(same, opposite, 16, 4), o = measure(zero, zero, 16, 4);
    assert_true(s.deviation < 1e-6 && fabs(s.rank - 1) < 1e-6);
    assert_true(fabs(s.alignment - 4) < 1e-6 && fabs(s.uniformity) < 1e-6);
    assert_true(o.deviation == 0 && o.rank == 1);
    const clc_spread c = measure(clusters, clusters, 16, 4);
    assert_true(fabs(c.rank - 1) < 1e-6);
    assert_true(fabs(c.deviation - 2 * 0.25) <
                1e-6); /* two dimensions of deviation 1/2, times sqrt(4) / 4 */
}

static void collapse_is_said_when_it_lasts(void **state) {
    (void)state;
    clc_config config;
    clc_watch watch = {0};
    const clc_spread good = {.deviation = 0.9, .rank = 20}, bad = {.deviation = 0.01, .rank = 20};
    const clc_spread flat = {.deviation = 0.9, .rank = 1.1};
    const char *const stop[] = {"training.on_collapse=stop"};
    CHECK(clc_config_load(NULL, stop, 1, &config));
    CHECK(clc_watch_take(&watch, &config, &bad, 64, 32, 1));
    CHECK(clc_watch_take(&watch, &config, &good, 64, 32, 2));
    CHECK(clc_watch_take(&watch, &config, &flat, 64, 32, 3));
    assert_int_equal(clc_watch_take(&watch, &config, &bad, 64, 32, 4), CLC_COLLAPSED);
    assert_non_null(strstr(clc_error(), "learning_rate"));
    CHECK(clc_config_load(NULL, NULL, 0, &config));
    CHECK(clc_watch_take(&watch, &config, &bad, 64, 32, 5));
    assert_true(watch.said);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(even_embeddings),
        cmocka_unit_test(lengths_do_not_matter),
        cmocka_unit_test(degenerate_embeddings),
        cmocka_unit_test(collapse_is_said_when_it_lasts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
