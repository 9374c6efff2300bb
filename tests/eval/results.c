/* Figures of an evaluation by their names. */
#include "clcontrast/evaluate.h"

#include "../data/support.h"
#include "tap.h"

static const char rows[] =
    "[{\"features\": \"raw pixels\", \"knn\": {\"accuracy\": 12.5}},"
    " {\"features\": \"encoder\", \"dim\": 8, \"knn\": {\"accuracy\": 50, \"f1\": 0.25},"
    "  \"retrieval\": {\"to_text\": {\"recall_1\": 3}}}]";

static clc_results *open_results(const char *text) {
    clc_results *results = NULL;
    put_file(in_folder("evaluation.json"), text, strlen(text));
    CHECK(clc_results_open(in_folder(""), &results));
    return results;
}

static double value_of(const clc_results *results, const char *features, const char *name) {
    double value = -1;
    CHECK(clc_results_value(results, features, name, &value));
    return value;
}

static void figures_go_by_their_names(void **state) {
    (void)state;
    clc_results *results = open_results(rows);
    assert_string_equal(clc_results_json(results), rows);
    assert_true(value_of(results, "raw pixels", "knn.accuracy") == 12.5);
    assert_true(value_of(results, "encoder", "knn.accuracy") == 50);
    assert_true(value_of(results, "encoder", "knn.f1") == 0.25);
    assert_true(value_of(results, "encoder", "dim") == 8);
    assert_true(value_of(results, "encoder", "retrieval.to_text.recall_1") == 3);
    clc_results_free(&results);
    assert_null(results);
    clc_results_free(&results);
}

static void what_is_not_there_is_said_with_what_is(void **state) {
    (void)state;
    clc_results *results = open_results(rows);
    double v;
    CHECK_FAILS(clc_results_value(results, "histogram", "knn.f1", &v), CLC_INVALID,
                "raw pixels, encoder");
    CHECK_FAILS(clc_results_value(results, "encoder", "knn.beauty", &v), CLC_INVALID,
                "accuracy, f1");
    CHECK_FAILS(clc_results_value(results, "encoder", "knn", &v), CLC_INVALID, "accuracy, f1");
    CHECK_FAILS(clc_results_value(results, "encoder", "", &v), CLC_INVALID, "knn, retrieval");
    CHECK_FAILS(clc_results_value(results, "encoder", "knn.f1.more", &v), CLC_INVALID,
                "knn.f1.more");
    CHECK_FAILS(clc_results_value(results, "encoder", "features", &v), CLC_INVALID, "features");
    clc_results_free(&results);
}

static void other_files_are_refused(void **state) {
    (void)state;
    clc_results *results = NULL;
    static const char *const texts[] = {"", "[{", "{}", "3"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        put_file(in_folder("evaluation.json"), texts[i], strlen(texts[i]));
        CHECK_FAILS(clc_results_open(in_folder(""), &results), CLC_FORMAT, "evaluation.json");
        assert_null(results);
    }
    CHECK_FAILS(clc_results_open(in_folder("absent"), &results), CLC_IO, "absent");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_go_by_their_names),
        cmocka_unit_test(what_is_not_there_is_said_with_what_is),
        cmocka_unit_test(other_files_are_refused),
    };
    return cmocka_run_group_tests_name("results", tests, make_test_folder, remove_test_folder);
}
