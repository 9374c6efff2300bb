/* Correlations by hand, and where there are none. */
#include "eval/correlation.h"

#include "../data/support.h"
#include "tap.h"

#include <math.h>

static void expect_near(double got, double want) {
    if (!(fabs(got - want) <= 1e-14)) /* a few roundings of numbers of about 1 */
        fail_msg("%.17g, expected %.17g", got, want);
}

static void cosines_are_those_of_the_angle(void **state) {
    (void)state;
    const float a[] = {3, 4}, b[] = {4, -3}, c[] = {-3e30f, -4e30f}, none[] = {0, 0},
                bad[] = {NAN, 1};
    expect_near(clc_cosine(a, a, 2), 1);
    expect_near(clc_cosine(a, b, 2), 0);
    expect_near(clc_cosine(a, c, 2), -1);
    expect_near(clc_cosine(a, none, 2), 0);
    assert_true(isnan(clc_cosine(a, bad, 2)));
}

static void pearson_is_of_the_line(void **state) {
    (void)state;
    const double x[] = {1, 2, 3, 4}, y[] = {-2, -4, -6, -8}, z[] = {1, 0, 0, 1}, w[] = {1, 3, 2, 4};
    expect_near(clc_pearson(x, y, 4), -1);
    expect_near(clc_pearson(x, z, 4), 0);
    expect_near(clc_pearson(x, w, 4), 0.8);
}

/* Ranks of y: 2.5, 1, 2.5, 4; deviations of both by hand. */
static void spearman_takes_mean_ranks_of_ties(void **state) {
    (void)state;
    const double x[] = {1, 20, 300, 4000}, y[] = {5, -1, 5, 7};
    double got;
    CHECK(clc_spearman(x, y, 4, &got));
    expect_near(got, 3 / sqrt(5 * 4.5));
    const double up[] = {-9, 0, 1e-3, 1e9};
    CHECK(clc_spearman(x, up, 4, &got));
    expect_near(got, 1);
}

static void there_is_none_without_variation(void **state) {
    (void)state;
    const double x[] = {1, 2, 3}, same[] = {0.1, 0.1, 0.1}, bad[] = {1, NAN, 3};
    double got = 7;
    assert_true(isnan(clc_pearson(x, same, 3)));
    assert_true(isnan(clc_pearson(x, bad, 3)));
    assert_true(isnan(clc_pearson(x, x, 1)));
    assert_true(isnan(clc_pearson(x, x, 0)));
    CHECK(clc_spearman(x, same, 3, &got));
    assert_true(isnan(got));
    CHECK(clc_spearman(bad, x, 3, &got));
    assert_true(isnan(got));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cosines_are_those_of_the_angle),
        cmocka_unit_test(pearson_is_of_the_line),
        cmocka_unit_test(spearman_takes_mean_ranks_of_ties),
        cmocka_unit_test(there_is_none_without_variation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
