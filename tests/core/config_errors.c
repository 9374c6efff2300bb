/* The configuration: what is wrong is said with its place and with what is allowed. */
#include "config_support.h"

#include <string.h>

static void unknown_keys_get_a_suggestion(void **state) {
    (void)state;
    config_assert_refused("[training]\n\nbatchs = 3\n", 3, "training.batchs: unknown key",
                          "did you mean 'batch'?");
    config_assert_refused("[training]\nlearning_rate = 3\n", 2,
                          "training.learning_rate: unknown key", "[optimizer]");
    config_assert_refused("[training]\nzzzzzz = 3\n", 2, "unknown key",
                          "'clcontrast options' lists all");
}

static void unknown_sections_get_a_suggestion(void **state) {
    (void)state;
    config_assert_refused("[loss]\n[trainig]\nbatch = 3\n", 2, "[trainig]: unknown section",
                          "did you mean 'training'?");
    config_assert_refused("\n[qqq]", 2, "[qqq]: unknown section", "'clcontrast options' lists all");
}

static void lines_out_of_place_are_refused(void **state) {
    (void)state;
    config_assert_refused("batch = 3\n", 1, "batch: key before any section", "[training]");
    config_assert_refused("[training]\nbatch\nkeep = x\n", 2, "'key = value'", "'[section]'");
    config_assert_refused("[training\n", 1, "'key = value'", "'[section]'");
    config_assert_refused("[training]\nbatch = 4\nkeep = 1\nbatch = 5\n", 4, "given twice",
                          "first in line 2");
}

static void wrong_types_are_refused(void **state) {
    (void)state;
    const char *allowed = "an integer from 2 to 1048576";
    config_assert_refused("[training]\nbatch = many\n", 2, "training.batch = many: not an integer",
                          allowed);
    config_assert_refused("[training]\nbatch = 12.5\n", 2, "not an integer", allowed);
    config_assert_refused("[training]\nbatch = 0x10\n", 2, "not an integer", allowed);
    config_assert_refused("[training]\nbatch = 12 images\n", 2, "not an integer", allowed);
    config_assert_refused("[training]\nbatch =\n", 2, "not an integer", allowed);
    config_assert_refused("[training]\nbatch = 16 # small\n", 2, "not an integer",
                          "begins with ' ;'");
    config_assert_refused("[training]\nseed = -1\n", 2, "not an integer", "from 0 to");
    config_assert_refused("[projector]\nenabled = maybe\n", 2, "projector.enabled = maybe",
                          "true or false");
    config_assert_refused("[encoder]\nname = resnet81\n", 2, "did you mean 'resnet18'?",
                          "one of resnet10, resnet18, resnet34, resnet50, custom");
    config_assert_refused("[output]\nfolder =\n", 2, "output.folder = : empty", "not empty");
}

static void numbers_are_finite(void **state) {
    (void)state;
    static const char *const bad[] = {"nan", "inf", "-inf", "1e999", "0x1p-1", "1.5.5",
                                      "--1", "",    "e",    "0,5",   "1e",     "1 2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64];
        snprintf(text, sizeof text, "[loss]\ntemperature = %s\n", bad[i]);
        config_assert_refused(text, 2, "not a finite number", "a number from 0.001 to 100");
    }
}

static void ranges_are_kept(void **state) {
    (void)state;
    config_assert_refused("[training]\nbatch = 1\n", 2, "training.batch = 1: out of range",
                          "from 2 to");
    config_assert_refused("[training]\nbatch = 4294967298\n", 2, "out of range", "from 2 to");
    config_assert_refused("[training]\nbatch = 99999999999999999999\n", 2, "out of range",
                          "from 2 to");
    config_assert_refused("[training]\nseed = 18446744073709551616\n", 2, "out of range",
                          "to 18446744073709551615");
    config_assert_refused("[data]\nlimit = 2147483648\n", 2, "out of range", "an integer from 0");
    config_assert_refused("[loss]\ntemperature = 0\n", 2, "out of range", "from 0.001 to 100");
    config_assert_refused("[augmentation]\nhue = 0.51\n", 2, "out of range", "from 0 to 0.5");
    config_assert_refused("[augmentation]\nblur_kernel = 4\n", 2, "not odd",
                          "odd integer from 1 to 63");
    config_assert_refused("[augmentation]\nstd = 0.5, 0, 1\n", 2, "element out of range",
                          "from 0.0001");
}

static void lists_are_checked(void **state) {
    (void)state;
    config_assert_refused("[augmentation]\ncrop_scale = 1\n", 2, "too few", "two numbers");
    config_assert_refused("[augmentation]\ncrop_scale = 0.1, 0.2, 0.3\n", 2, "too many",
                          "two numbers");
    config_assert_refused("[augmentation]\ncrop_scale = 0.9, 0.2\n", 2, "the greater comes first",
                          "the lesser first");
    config_assert_refused("[projector]\nhidden = 3,,4\n", 2, "not an integer", "0 to 8 integers");
    config_assert_refused("[projector]\nhidden = 3,4,\n", 2, "not an integer", "0 to 8 integers");
    config_assert_refused("[projector]\nhidden = 1,2,3,4,5,6,7,8,9\n", 2, "too many",
                          "0 to 8 integers");
}

static void contradictions_name_both_keys(void **state) {
    (void)state;
    static const struct {
        const char *text, *first, *second;
        int line;
    } cases[] = {
        {"[training]\nepochs = 5\n[optimizer]\nwarmup_epochs = 10\n",
         "optimizer.warmup_epochs = 10", "training.epochs = 5", 4},
        {"[data]\nlimit = 100\n", "data.limit = 100", "training.batch = 256", 2},
        {"[data]\ntest_labels = a\n", "data.test_labels = a", "data.test = (empty)", 2},
        {"[augmentation]\nmean = 0.5\n", "augmentation.mean", "augmentation.std", 2},
        {"[tokens]\nsynonym = 0.5\n", "tokens.synonym = 0.5", "tokens.synonyms = (empty)", 2},
        {"[encoder]\nname = custom\n", "encoder.name = custom", "encoder.blocks = (empty)", 2},
        {"[encoder]\nname = custom\nblocks = 1,1\n", "encoder.name", "encoder.block = auto", 2},
        {"[encoder]\nblocks = 1,1\n", "encoder.blocks = 1, 1", "encoder.name = resnet18", 2},
        {"[encoder]\nwidth = 8\nblock = basic\n", "encoder.block", "encoder.name = resnet18", 3},
        {"[optimizer]\nname = lars\nnesterov = true\n", "nesterov", "optimizer.name = lars", 3},
        {"[optimizer]\nnesterov = yes\nmomentum = 0\n", "nesterov", "momentum = 0", 2},
        {"[optimizer]\nschedule = step\n", "optimizer.schedule = step", "step_epochs", 2},
        {"[optimizer]\nwarmup_epochs = 10\nschedule = step\nstep_epochs = 9\n", "step_epochs = 9",
         "optimizer.warmup_epochs = 10", 4},
        {"[optimizer]\nstep_epochs = 3\n", "step_epochs = 3", "optimizer.schedule = cosine", 2},
        {"[optimizer]\nschedule = step\nstep_epochs = 9, 3\n", "9, 3", "greater than", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        config_assert_refused(cases[i].text, cases[i].line, cases[i].first, cases[i].second);
}

static void bad_overrides_are_refused(void **state) {
    (void)state;
    config_assert_override_refused("training.batch=0",
                                   "training.batch = 0: out of range; allowed: an");
    config_assert_override_refused("training.batchs=3", "did you mean 'batch'?");
    config_assert_override_refused("trainin.batch=3", "did you mean 'training'?");
    config_assert_override_refused("batch=3", "training.batch=");
    config_assert_override_refused("training.batch", "section.key=value");
    config_assert_override_refused("=", "section.key=value");
    config_assert_override_refused(".=", "unknown section");
    config_assert_override_refused("output.folder=a ;b", "begins a comment");
    config_assert_override_refused("output.folder=a\nb", "control character");
    config_assert_override_refused("optimizer.warmup_epochs=300", "training.epochs = 200");
}

static void unreadable_files_are_named(void **state) {
    (void)state;
    clc_config config;
    assert_int_equal(clc_config_load("/nowhere/train.ini", NULL, 0, &config), CLC_IO);
    config_assert_error_has("/nowhere/train.ini");
    config_assert_error_has("No such file");
    assert_int_equal(clc_config_load("/tmp", NULL, 0, &config), CLC_IO);
    config_assert_error_has("/tmp: Is a directory");
}

static void binary_and_endless_lines_are_refused(void **state) {
    (void)state;
    clc_config config;
    char text[4096];
    assert_int_equal(config_load_bytes("[training]\nba\0tch = 3\n", 22, &config), CLC_INVALID);
    config_assert_error_has(":2: a zero byte");
    memset(text, 'x', sizeof text);
    memcpy(text, "[output]\nfolder = ", 18);
    assert_int_equal(config_load_bytes(text, 9 + 1024, &config), CLC_INVALID);
    config_assert_error_has(":2: a line of more than 1023 bytes");
    assert_int_equal(config_load_bytes(text, 18 + 512, &config), CLC_INVALID);
    config_assert_error_has("too long; allowed: text of at most 511 bytes");
    assert_int_equal(config_load_bytes(text, 18 + 511, &config), CLC_OK);
    assert_int_equal(strlen(config.output.folder), 511);
}

/* Any bytes at all: an error or a configuration, never a crash. */
static void damaged_files_do_not_crash(void **state) {
    (void)state;
    static const char good[] = "[training]\nbatch = 8\n[projector]\nhidden = 4, 5\n[loss]\n"
                               "temperature = 0.25\n[encoder]\nname = resnet34 ; deep\n";
    static const char odd[] = "\0\n[]=;,.- \t\xff";
    clc_config config;
    uint32_t random = 1;
    for (int i = 0; i < 500; i++) {
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        for (int j = 0; j < 3; j++) {
            random = random * 1664525u + 1013904223u;
            text[(random >> 16) % (sizeof good - 1)] = odd[(random >> 8) % (sizeof odd - 1)];
        }
        clc_status status = config_load_bytes(text, (random >> 4) % sizeof good, &config);
        assert_true(status == CLC_OK || status == CLC_INVALID);
    }
}

static void data_is_asked_for_when_needed(void **state) {
    (void)state;
    clc_config config;
    config_assert_overrides_load(NULL, 0, &config);
    assert_int_equal(clc_config_require_data(&config), CLC_INVALID);
    config_assert_error_has("data.train");
    strcpy(config.data.train, "a");
    assert_int_equal(clc_config_require_data(&config), CLC_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_keys_get_a_suggestion),
        cmocka_unit_test(unknown_sections_get_a_suggestion),
        cmocka_unit_test(lines_out_of_place_are_refused),
        cmocka_unit_test(wrong_types_are_refused),
        cmocka_unit_test(numbers_are_finite),
        cmocka_unit_test(ranges_are_kept),
        cmocka_unit_test(lists_are_checked),
        cmocka_unit_test(contradictions_name_both_keys),
        cmocka_unit_test(bad_overrides_are_refused),
        cmocka_unit_test(unreadable_files_are_named),
        cmocka_unit_test(binary_and_endless_lines_are_refused),
        cmocka_unit_test(damaged_files_do_not_crash),
        cmocka_unit_test(data_is_asked_for_when_needed),
    };
    return cmocka_run_group_tests(tests, config_make_file, config_remove_file);
}
