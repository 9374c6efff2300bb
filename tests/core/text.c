/* Suggestions for words a person typed. */
#include "core/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void closest_finds_what_was_meant(void **state) {
    (void)state;
    static const char *const words[] = {"train", "eval", NULL, "preview", "temperature"};
    enum { N = 5 };
    char endless[200];
    assert_int_equal(clc_closest("trian", words, N), 0);
    assert_int_equal(clc_closest("EVAL", words, N), 1);
    assert_int_equal(clc_closest("prview", words, N), 3);
    assert_int_equal(clc_closest("temp", words, N), 4);
    assert_int_equal(clc_closest("x", words, N), N);
    assert_int_equal(clc_closest("", words, N), N);
    assert_int_equal(clc_closest("unrelated", words, N), N);
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_int_equal(clc_closest(endless, words, N), N);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closest_finds_what_was_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
