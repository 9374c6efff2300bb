/* What the tests of kernels use of cmocka, for the installed program, which must do without it:
 * the first failure ends a test, and all that is found goes to standard output, see runner.h. */
#ifndef TESTS_CHECK_CMOCKA_H
#define TESTS_CHECK_CMOCKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};

#define cmocka_unit_test(test)                                                                     \
    { #test, test }
#define cmocka_run_group_tests(tests, begin, end)                                                  \
    check_run_tests(tests, sizeof(tests) / sizeof *(tests), begin, end)
#define cmocka_run_group_tests_name(name, tests, begin, end)                                       \
    cmocka_run_group_tests(tests, begin, end)

/* Number of failures. */
int check_run_tests(const struct CMUnitTest *tests, size_t count, int (*begin)(void **),
                    int (*end)(void **));

/* Ends the running test as failed; `file` and `line` say where. */
_Noreturn void check_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Ends it as one that this device can't run. */
_Noreturn void check_skip(void);

/* A line beside the results. */
void check_message(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define fail_msg(...)      check_fail(__FILE__, __LINE__, __VA_ARGS__)
#define skip()             check_skip()
#define print_message(...) check_message(__VA_ARGS__)

#define CHECK_THAT(condition, text)                                                                \
    do {                                                                                           \
        if (!(condition))                                                                          \
            check_fail(__FILE__, __LINE__, "%s", text);                                            \
    } while (0)
#define assert_true(c)             CHECK_THAT((c), #c)
#define assert_false(c)            CHECK_THAT(!(c), "not: " #c)
#define assert_null(p)             CHECK_THAT((p) == NULL, #p " is NULL")
#define assert_non_null(p)         CHECK_THAT((p) != NULL, #p " is not NULL")
#define assert_int_equal(a, b)     CHECK_THAT((intmax_t)(a) == (intmax_t)(b), #a " == " #b)
#define assert_int_not_equal(a, b) CHECK_THAT((intmax_t)(a) != (intmax_t)(b), #a " != " #b)
#define assert_in_range(x, low, high)                                                              \
    CHECK_THAT((uintmax_t)(x) >= (uintmax_t)(low) && (uintmax_t)(x) <= (uintmax_t)(high),          \
               #x " in " #low " to " #high)
#define assert_string_equal(a, b)    CHECK_THAT(!strcmp(a, b), #a " is " #b)
#define assert_memory_equal(a, b, n) CHECK_THAT(!memcmp(a, b, n), #a " has the bytes of " #b)
#define assert_float_equal(a, b, e)                                                                \
    CHECK_THAT((a) - (b) <= (e) && (b) - (a) <= (e), #a " is within " #e " of " #b)

#endif
