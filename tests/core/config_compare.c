/* What a resumed run may change. */
#include "config_support.h"

#include "core/config_schema.h"

#include <string.h>

static void compare(const char *override, clc_config_changes *changes) {
    clc_config was, now;
    assert_int_equal(clc_config_load(NULL, NULL, 0, &was), CLC_OK);
    config_assert_overrides_load(&override, 1, &now);
    assert_int_equal(clc_config_compare(&was, &now, changes), CLC_OK);
}

static void assert_list(const char *override, const char *list, const char *expected) {
    if (!list)
        fail_msg("%s: not where it belongs", override);
    assert_string_equal(list, expected);
}

static void the_same_configuration_has_no_changes(void **state) {
    (void)state;
    clc_config_changes changes;
    compare("training.batch=256", &changes);
    assert_null(changes.free);
    assert_null(changes.fixed);
    assert_null(changes.network);
}

static void each_change_is_of_its_kind(void **state) {
    (void)state;
    static const struct {
        const char *override, *free, *fixed, *network;
    } cases[] = {
        {"training.batch=128", NULL, "training.batch = 128 (was 256)", NULL},
        {"training.seed=2", NULL, "training.seed = 2 (was 1)", NULL},
        {"loss.temperature=0.2", NULL, "loss.temperature = 0.2 (was 0.5)", NULL},
        {"data.limit=5000", NULL, "data.limit = 5000 (was 0)", NULL},
        {"data.train_images=x", "data.train_images = x (was (empty))", NULL, NULL},
        {"training.log_every=5", "training.log_every = 5 (was 10)", NULL, NULL},
        {"evaluation.knn_k=20", "evaluation.knn_k = 20 (was 200)", NULL, NULL},
        {"output.folder=y", "output.folder = y (was runs/train)", NULL, NULL},
        {"device.profile=gpu",
         "device.profile = gpu (was auto; results may differ in their last bits)", NULL, NULL},
        {"training.epochs=300",
         "training.epochs = 300 (was 200; schedules stretch over all of them)", NULL, NULL},
        {"training.epochs=100", NULL, "training.epochs = 100 (was 200)", NULL},
        {"encoder.width=32", NULL, NULL, "encoder.width = 32 (was 0)"},
        {"encoder.norm=fixed", NULL, "encoder.norm = fixed (was batch)", NULL},
        {"projector.hidden=", NULL, NULL, "projector.hidden = (empty) (was 512)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        clc_config_changes changes;
        const char *const expected[] = {cases[i].free, cases[i].fixed, cases[i].network};
        compare(cases[i].override, &changes);
        const char *const lists[] = {changes.free, changes.fixed, changes.network};
        for (int k = 0; k < 3; k++) {
            if (expected[k])
                assert_list(cases[i].override, lists[k], expected[k]);
            else if (lists[k])
                fail_msg("%s: '%s' is taken for another kind", cases[i].override, lists[k]);
        }
        clc_config_changes_free(&changes);
    }
}

static void several_changes_are_all_named(void **state) {
    (void)state;
    static const char *const overrides[] = {"training.batch=128", "loss.temperature=0.2",
                                            "training.keep=9"};
    clc_config was, now;
    clc_config_changes changes;
    assert_int_equal(clc_config_load(NULL, NULL, 0, &was), CLC_OK);
    config_assert_overrides_load(overrides, 3, &now);
    assert_int_equal(clc_config_compare(&was, &now, &changes), CLC_OK);
    assert_string_equal(changes.fixed,
                        "loss.temperature = 0.2 (was 0.5), training.batch = 128 (was 256)");
    assert_string_equal(changes.free, "training.keep = 9 (was 3)");
    clc_config_changes_free(&changes);
}

static void the_longest_values_are_named_whole(void **state) {
    (void)state;
    static clc_config was, now;
    clc_config_changes changes;
    assert_int_equal(clc_config_load(NULL, NULL, 0, &was), CLC_OK);
    memset(was.data.test, 'a', CLC_CONFIG_TEXT_BYTES - 1);
    now = was;
    memset(now.data.test, 'b', CLC_CONFIG_TEXT_BYTES - 1);
    memset(now.data.train, 'c', CLC_CONFIG_TEXT_BYTES - 1);
    assert_int_equal(clc_config_compare(&was, &now, &changes), CLC_OK);
    assert_true(strlen(changes.free) > 3 * (CLC_CONFIG_TEXT_BYTES - 1));
    assert_int_equal(changes.free[strlen(changes.free) - 1], ')');
    clc_config_changes_free(&changes);
}

static void a_written_configuration_reads_back_from_its_text(void **state) {
    (void)state;
    static const char *const overrides[] = {"training.batch=128", "data.train_images=x",
                                            "loss.temperature=0.07"};
    clc_config was, now;
    clc_config_changes changes;
    char *text = NULL;
    config_assert_overrides_load(overrides, 3, &was);
    assert_int_equal(clc_config_text(&was, &text, NULL), CLC_OK);
    assert_int_equal(clc_config_load_text(text, "x.safetensors", &now), CLC_OK);
    assert_int_equal(clc_config_compare(&was, &now, &changes), CLC_OK);
    assert_null(changes.free);
    assert_null(changes.fixed);
    free(text);
    assert_int_equal(clc_config_load_text("[loss]\nnone = 1\n", "x.safetensors", &now),
                     CLC_INVALID);
    config_assert_error_has("x.safetensors:2: ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_configuration_has_no_changes),
        cmocka_unit_test(each_change_is_of_its_kind),
        cmocka_unit_test(several_changes_are_all_named),
        cmocka_unit_test(the_longest_values_are_named_whole),
        cmocka_unit_test(a_written_configuration_reads_back_from_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
