/* The harness itself: what it must reject and what it must accept. Each bad buffer is also given to
 * test_expect in a process of its own, which must end as failed. */
#include "harness.h"
#include "tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { COUNT = 37 };
static const double tolerance = 1e-3;
static char program[4096];

typedef struct bad_case {
    const char *name;
    int element; /* -1 and COUNT lie in the canaries */
    double factor, offset;
} bad_case;

/* `offset` counts in tolerances times the largest expected value. */
static const bad_case bad_cases[] = {
    {"nan", 11, NAN, 0},
    {"nan_first", 0, NAN, 0},
    {"infinity", COUNT - 1, INFINITY, 0},
    {"sign", 20, -1, 0},
    {"above", 7, 1, 1.01},
    {"below", 7, 1, -1.01},
    {"overrun_before", -1, 0, 0},
    {"overrun_behind", COUNT, 0, 0},
};
static const bad_case good_cases[] = {
    {"exact", 7, 1, 0},
    {"within_above", 7, 1, 0.99},
    {"within_below", 7, 1, -0.99},
};

static double largest(const double *values) {
    double most = 0;
    for (int i = 0; i < COUNT; i++)
        most = fmax(most, fabs(values[i]));
    return most;
}

/* A buffer with one element changed as the case says; `want` (COUNT) receives what is right. */
static test_buffer make_case(const bad_case *c, double *want) {
    float *values = test_random(COUNT, 5);
    for (int i = 0; i < COUNT; i++)
        want[i] = (double)values[i];
    test_buffer buffer = test_buffer_make("self", values, COUNT);
    const bool inside = c->element >= 0 && c->element < COUNT;
    double old = inside ? want[c->element] : 1;
    float changed = (float)(old * c->factor + c->offset * tolerance * largest(want));
    size_t whole = 0;
    assert_int_equal(clGetMemObjectInfo(buffer.whole, CL_MEM_SIZE, sizeof whole, &whole, NULL),
                     CL_SUCCESS);
    size_t start = (whole / sizeof(float) - COUNT) / 2; /* the canaries are equally long */
    size_t at = (size_t)((long)start + c->element);
    CHECK(clc_buffer_write(test_device(), buffer.whole, at * sizeof(float), sizeof changed,
                           &changed));
    free(values);
    return buffer;
}

/* Whether test_close and the canaries accept the case. */
static bool accepted(const bad_case *c) {
    double want[COUNT];
    test_buffer buffer = make_case(c, want);
    bool intact = test_buffer_intact(&buffer);
    bool good = intact;
    if (intact) {
        float *got = test_buffer_read(&buffer);
        good = test_close(c->name, got, want, COUNT, tolerance);
        free(got);
    }
    test_buffer_release(&buffer);
    return good;
}

static void rejects_what_is_wrong(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_cases / sizeof *bad_cases; i++)
        if (accepted(&bad_cases[i]))
            fail_msg("%s was accepted", bad_cases[i].name);
}

static void accepts_what_is_within_tolerance(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof good_cases / sizeof *good_cases; i++)
        if (!accepted(&good_cases[i]))
            fail_msg("%s was rejected", good_cases[i].name);
}

/* Runs this program with the case as argument; true if its one test and the teardown passed. TAP
 * says so: cmocka's exit status does not count a failed teardown. */
static bool passes_alone(const bad_case *c) {
    char command[5000], line[512];
    bool ok = false, failed = false;
    snprintf(command, sizeof command, "CMOCKA_MESSAGE_OUTPUT=TAP '%s' %s 2>&1", program, c->name);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    while (fgets(line, sizeof line, output)) {
        ok = ok || !strncmp(line, "ok 1", 4);
        failed = failed || !strncmp(line, "not ok", 6);
    }
    int status = pclose(output);
    assert_true(WIFEXITED(status));
    assert_true(ok || failed);
    return !failed;
}

static void test_expect_fails_the_test(void **state) {
    (void)state;
    assert_true(passes_alone(&good_cases[0]));
    for (size_t i = 0; i < sizeof bad_cases / sizeof *bad_cases; i++)
        if (passes_alone(&bad_cases[i]))
            fail_msg("a test passed with %s", bad_cases[i].name);
}

/* An output that no kernel wrote is full of NaN and fails. */
static void rejects_an_unwritten_output(void **state) {
    (void)state;
    double want[COUNT] = {0};
    test_buffer buffer = test_buffer_make("unwritten", NULL, COUNT);
    float *got = test_buffer_read(&buffer);
    assert_false(test_close("unwritten", got, want, COUNT, 1e9));
    assert_true(isnan(test_error(got, want, COUNT)));
    free(got);
    test_buffer_release(&buffer);
}

static void a_live_buffer_fails_the_group(void **state) {
    (void)state;
    bad_case leak = {"leak", 0, 1, 0};
    assert_false(passes_alone(&leak));
}

static void passes(void **state) {
    (void)state;
}

static void skips(void **state) {
    (void)state;
    skip();
}

static void fails(void **state) {
    (void)state;
    fail();
}

/* One test of each outcome, in a process of its own. */
static int run_outcomes(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(passes), cmocka_unit_test(skips),
                                       cmocka_unit_test(fails)};
    tap_begin();
    return cmocka_run_group_tests_name("outcomes", tests, NULL, NULL);
}

/* Neither as failed nor as passed. */
static void a_skipped_test_counts_as_skipped(void **state) {
    (void)state;
    char command[sizeof program + 32], line[256], seen[1024] = "";
    snprintf(command, sizeof command, "'%s' outcomes 2>&1", program);
    FILE *child = popen(command, "r");
    assert_non_null(child);
    while (fgets(line, sizeof line, child))
        if (!strncmp(line, "ok", 2) || !strncmp(line, "not ok", 6))
            strncat(seen, line, sizeof seen - strlen(seen) - 1);
    assert_int_equal(WEXITSTATUS(pclose(child)), 1);
    assert_string_equal(seen, "ok 1 - passes\nok 2 - skips # SKIP\nnot ok 3 - fails\n");
}

static void one_case(void **state) {
    const bad_case *c = *state;
    double want[COUNT];
    test_buffer buffer = make_case(c, want);
    test_expect(&buffer, want, tolerance);
    if (strcmp(c->name, "leak"))
        test_buffer_release(&buffer);
}

static int run_case(const char *name) {
    static bad_case chosen = {"leak", 0, 1, 0};
    for (size_t i = 0; i < sizeof bad_cases / sizeof *bad_cases; i++)
        if (!strcmp(bad_cases[i].name, name))
            chosen = bad_cases[i];
    for (size_t i = 0; i < sizeof good_cases / sizeof *good_cases; i++)
        if (!strcmp(good_cases[i].name, name))
            chosen = good_cases[i];
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(one_case, &chosen)};
    return cmocka_run_group_tests(tests, NULL, test_close_device) != 0;
}

int main(int argc, char **argv) {
    snprintf(program, sizeof program, "%s", argv[0]);
    if (argc == 2 && !strcmp(argv[1], "outcomes"))
        return run_outcomes();
    if (argc == 2)
        return run_case(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rejects_what_is_wrong),
        cmocka_unit_test(accepts_what_is_within_tolerance),
        cmocka_unit_test(rejects_an_unwritten_output),
        cmocka_unit_test(test_expect_fails_the_test),
        cmocka_unit_test(a_live_buffer_fails_the_group),
        cmocka_unit_test(a_skipped_test_counts_as_skipped),
    };
    return cmocka_run_group_tests_name("harness", tests, NULL, test_close_device);
}
