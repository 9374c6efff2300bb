/* Floats to halves: every half comes back, what lies between goes to the nearest, ties to even. */
#include "core/half.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { HALVES = 0x7c00 }; /* that are positive and finite */

static double value_of(int half) {
    const int exponent = half >> 10, fraction = half & 0x3ff;
    return exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
}

static int half_of(double value, bool *fits) {
    uint16_t half = 0xdead;
    *fits = clc_half_from_float((float)value, &half);
    return half;
}

static void every_half_comes_back_with_its_sign(void **state) {
    (void)state;
    bool fits;
    for (int i = 0; i < HALVES; i++) {
        assert_int_equal(half_of(value_of(i), &fits), i);
        assert_true(fits);
        assert_int_equal(half_of(-value_of(i), &fits), i | 0x8000);
        assert_true(fits);
    }
}

static void what_lies_between_goes_to_the_nearest_and_ties_to_the_even(void **state) {
    (void)state;
    bool fits;
    for (int i = 0; i + 1 < HALVES; i++) {
        const float middle = (float)((value_of(i) + value_of(i + 1)) / 2);
        assert_int_equal(half_of(middle, &fits), i + i % 2);
        assert_int_equal(half_of(nextafterf(middle, 0), &fits), i);
        assert_int_equal(half_of(nextafterf(middle, 1e9f), &fits), i + 1);
    }
    assert_int_equal(half_of(1e-40, &fits), 0);
    assert_true(fits);
}

static void too_much_is_told_and_infinities_and_nan_stay(void **state) {
    (void)state;
    bool fits;
    assert_int_equal(half_of(65504, &fits), HALVES - 1);
    assert_int_equal(half_of(65519.99, &fits), HALVES - 1);
    assert_true(fits);
    assert_int_equal(half_of(65520, &fits), HALVES);
    assert_false(fits);
    assert_int_equal(half_of(-1e30, &fits), HALVES | 0x8000);
    assert_false(fits);
    assert_int_equal(half_of((double)INFINITY, &fits), HALVES);
    assert_true(fits);
    assert_true((half_of((double)NAN, &fits) & 0x7fff) > HALVES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_comes_back_with_its_sign),
        cmocka_unit_test(what_lies_between_goes_to_the_nearest_and_ties_to_the_even),
        cmocka_unit_test(too_much_is_told_and_infinities_and_nan_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
