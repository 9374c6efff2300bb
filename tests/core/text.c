/* Texts that fit or are refused, and suggestions for words a person typed. */
#include "core/path.h"
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

static void text_that_does_not_fit_is_refused(void **state) {
    (void)state;
    char text[8];
    assert_int_equal(clc_text_format(text, sizeof text, "%s.%d", "block", 1), CLC_OK);
    assert_string_equal(text, "block.1");
    assert_int_equal(clc_text_format(text, sizeof text, "%s.%d", "block", 12), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "block.1"));
    assert_non_null(strstr(clc_error(), "8 bytes, more than 7"));
}

static void a_path_is_whole_or_refused(void **state) {
    (void)state;
    char path[CLC_PATH_BYTES], folder[CLC_PATH_BYTES] = "";
    memset(folder, 'f', CLC_PATH_BYTES - 3); /* with "/x" just one byte is left for the zero */
    assert_int_equal(clc_path_format(path, "%s/%s", folder, "x"), CLC_OK);
    assert_string_equal(path + CLC_PATH_BYTES - 3, "/x");
    assert_int_equal(clc_path_format(path, "%s/%s", folder, "xy"), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "4096 bytes"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closest_finds_what_was_meant),
        cmocka_unit_test(text_that_does_not_fit_is_refused),
        cmocka_unit_test(a_path_is_whole_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
