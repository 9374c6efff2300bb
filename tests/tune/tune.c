/* The tuner: right candidates are compared, wrong ones never chosen; choices survive as text and as
 * a file. */
#include "harness.h"

#include "device/gemm.h"
#include "op/conv2d.h"
#include "tune/tune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Alignas(16) unsigned char shape[CLC_TUNE_SHAPE_BYTES];

static void every_candidate_is_right(void **state) {
    (void)state;
    static const char *const keys[] = {"conv2d_forward 2x6x9x16 3x3x32 s1 p1",
                                       "conv2d_backward_data 2x6x9x16 3x3x32 s1 p1",
                                       "conv2d_backward_weights 2x6x9x16 3x3x32 s1 p1",
                                       "conv2d_backward_data 2x7x5x6 3x3x5 s2 p1",
                                       "conv2d_backward_weights 2x7x5x6 1x1x5 s2 p0",
                                       "conv2d_forward 2x7x5x3 5x5x8 s3 p2"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        clc_tune_problem problem;
        clc_tune_result results[CLC_TUNE_CANDIDATES];
        int best;
        assert_true(clc_tune_conv2d(test_device(), keys[i], shape, &problem));
        assert_true(problem.candidate_count > 1);
        CHECK(clc_tune_measure(&problem, results, &best));
        assert_in_range(best, 0, problem.candidate_count - 1);
        for (size_t c = 0; c < problem.candidate_count; c++)
            if (results[c].wrong)
                fail_msg("%s: %s is wrong", keys[i], problem.candidates[c]);
    }
}

static clc_status (*true_build)(const clc_tune_problem *, size_t, clc_sequence *, const cl_mem[3],
                                cl_mem);

/* Candidate 0 computes with an operand taken for the other. */
static clc_status build_wrongly(const clc_tune_problem *problem, size_t candidate,
                                clc_sequence *sequence, const cl_mem operands[3],
                                cl_mem workspace) {
    const cl_mem exchanged[3] = {operands[1], operands[0], operands[2]};
    return true_build(problem, candidate, sequence, candidate == 0 ? exchanged : operands,
                      workspace);
}

/* Candidate 0 leaves a part of the result as it was. */
static clc_status build_partly(const clc_tune_problem *problem, size_t candidate,
                               clc_sequence *sequence, const cl_mem operands[3], cl_mem workspace) {
    clc_gemm smaller = *(const clc_gemm *)problem->shape;
    clc_tune_problem part = *problem;
    smaller.m -= 1;
    part.shape = &smaller;
    return true_build(candidate == 0 ? &part : problem, candidate, sequence, operands, workspace);
}

static void a_wrong_result_is_never_chosen(void **state) {
    (void)state;
    clc_status (*const builds[])(const clc_tune_problem *, size_t, clc_sequence *, const cl_mem[3],
                                 cl_mem) = {build_wrongly, build_partly};
    for (int i = 0; i < 2; i++) {
        clc_tune_problem problem;
        clc_tune_result results[CLC_TUNE_CANDIDATES];
        int best;
        assert_true(clc_tune_gemm(test_device(), "gemm 24x24x24 nn", shape, &problem));
        true_build = problem.build;
        problem.build = builds[i];
        CHECK(clc_tune_measure(&problem, results, &best));
        assert_true(results[0].wrong);
        assert_false(results[1].wrong);
        assert_int_equal(best, 1);
    }
}

static void keys_name_their_problem(void **state) {
    (void)state;
    const clc_conv2d_shape s = {
        .n = 2, .h = 3, .w = 4, .c = 5, .k = 6, .kh = 7, .kw = 8, .stride = 9, .pad = 10};
    for (int pass = 0; pass < 3; pass++) {
        char key[96];
        clc_conv2d_shape back = {0};
        clc_conv2d_pass found;
        clc_conv2d_key(&s, (clc_conv2d_pass)pass, key, sizeof key);
        assert_true(clc_conv2d_parse_key(key, &back, &found));
        assert_memory_equal(&s, &back, sizeof s);
        assert_int_equal(found, pass);
    }
    assert_false(
        clc_conv2d_parse_key("gemm 2x2x2 nn", &(clc_conv2d_shape){0}, &(clc_conv2d_pass){0}));
}

static void a_choice_is_used_where_it_applies(void **state) {
    (void)state;
    const clc_conv2d_shape s = {
        .n = 1, .h = 4, .w = 4, .c = 3, .k = 5, .kh = 3, .kw = 3, .stride = 1, .pad = 1};
    clc_tuning *tuning = test_device()->tuning;
    const clc_conv2d_choice rule =
        clc_conv2d_select(test_device(), &s, CLC_CONV2D_FORWARD, CLC_CONV2D_AUTO);
    char key[96];
    clc_conv2d_key(&s, CLC_CONV2D_FORWARD, key, sizeof key);
    static const char *const useless[] = {"winograd/16", "no_such/4", "direct/3", "direct",
                                          "direct/0"};
    for (size_t i = 0; i < sizeof useless / sizeof *useless; i++) {
        CHECK(clc_tuning_choose(tuning, key, useless[i]));
        assert_ptr_equal(
            clc_conv2d_select(test_device(), &s, CLC_CONV2D_FORWARD, CLC_CONV2D_AUTO).impl,
            rule.impl);
    }
    CHECK(clc_tuning_choose(tuning, key, "im2col/2"));
    const clc_conv2d_choice chosen =
        clc_conv2d_select(test_device(), &s, CLC_CONV2D_FORWARD, CLC_CONV2D_AUTO);
    assert_int_equal(chosen.impl->kind, CLC_CONV2D_IM2COL);
    assert_int_equal(chosen.width, 2);
    assert_int_equal(
        clc_conv2d_select(test_device(), &s, CLC_CONV2D_FORWARD, CLC_CONV2D_DIRECT).impl->kind,
        CLC_CONV2D_DIRECT);
}

static void choices_survive_in_a_file(void **state) {
    (void)state;
    clc_tuning one = {0}, other = {0};
    char folder[] = "/tmp/clc-tuning-XXXXXX", path[700], command[800];
    assert_non_null(mkdtemp(folder));
    setenv("XDG_DATA_HOME", folder, 1);
    CHECK(clc_tuning_load(&one, &test_device()->info)); /* nothing there */
    assert_int_equal(one.count, 0);
    CHECK(clc_tuning_choose(&one, "conv2d_forward 1x2x3x4 3x3x8 s1 p1", "direct/8"));
    CHECK(clc_tuning_choose(&one, "gemm 1x2x3 nt", "own"));
    CHECK(clc_tuning_note(&one, "gemm 9x9x9 nn", "own")); /* used, but not measured */
    CHECK(clc_tuning_save(&one, &test_device()->info, path, sizeof path));
    CHECK(clc_tuning_load(&other, &test_device()->info));
    assert_int_equal(other.count, 2);
    assert_string_equal(clc_tuning_choice(&other, "conv2d_forward 1x2x3x4 3x3x8 s1 p1"),
                        "direct/8");
    assert_string_equal(clc_tuning_choice(&other, "gemm 1x2x3 nt"), "own");
    CHECK(clc_tuning_parse(&other,
                           "# a remark\n\nnonsense\n = x\ngemm 1x2x3 nt = clblast\nlast = line"));
    assert_string_equal(clc_tuning_choice(&other, "gemm 1x2x3 nt"), "clblast");
    assert_string_equal(clc_tuning_choice(&other, "last"), "line");
    clc_tuning_free(&one);
    clc_tuning_free(&other);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_candidate_is_right),
        cmocka_unit_test(a_wrong_result_is_never_chosen),
        cmocka_unit_test(keys_name_their_problem),
        cmocka_unit_test(a_choice_is_used_where_it_applies),
        cmocka_unit_test(choices_survive_in_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
