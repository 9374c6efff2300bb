/* The configuration: what is read is what was meant, and what is written reads back. */
#include "config_support.h"
#include "augment/augment.h"
#include "core/config_schema.h"
#include "device/device.h"
#include "device/gemm.h"
#include "text/tokenizer.h"

#include <string.h>

static void write_back(const clc_config *config, clc_config *again) {
    FILE *file = fopen(config_path, "w");
    assert_non_null(file);
    if (clc_config_write(config, file) != CLC_OK)
        fail_msg("%s", clc_error());
    assert_int_equal(fclose(file), 0);
    if (clc_config_load(config_path, NULL, 0, again) != CLC_OK)
        fail_msg("%s", clc_error());
}

static void defaults_are_valid(void **state) {
    (void)state;
    clc_config config;
    config_assert_overrides_load(NULL, 0, &config);
    assert_int_equal(config.training.batch, 256);
    assert_int_equal(config.encoder.name, CLC_CONFIG_ENCODER_RESNET18);
    assert_string_equal(config.output.folder, "runs/train");
    assert_true(config.projector.enabled);
    assert_true(config.augmentation.crop_scale.values[0] == 0.08);
    assert_int_equal(config.augmentation.mean.count, 0);
    assert_int_equal(config.training.seed, 1);
}

static void every_type_is_read(void **state) {
    (void)state;
    clc_config config;
    config_assert_loads("# a comment\n"
                        "\n"
                        "[data]\n"
                        "train_images = some folder/images;1.gz ; a comment\n"
                        "[training]\r\n"
                        "batch=8\r\n"
                        "  seed : 18446744073709551615\n"
                        "[optimizer]\n"
                        "name = adamw\n"
                        "\tlearning_rate = 1e-3\n"
                        "nesterov = no\n"
                        "[projector]\n"
                        "hidden = 64 ,32\n"
                        "[augmentation]\n"
                        "crop_scale = .2, 0.9\n"
                        "[evaluation]\n"
                        "baselines = off",
                        &config);
    assert_string_equal(config.data.train_images, "some folder/images;1.gz");
    assert_int_equal(config.training.batch, 8);
    assert_true(config.training.seed == UINT64_MAX);
    assert_int_equal(config.optimizer.name, CLC_CONFIG_OPTIMIZER_ADAMW);
    assert_string_equal(clc_config_choice(&config, "optimizer", "name"), "adamw");
    assert_true(config.optimizer.learning_rate == 1e-3);
    assert_int_equal(config.projector.hidden.count, 2);
    assert_int_equal(config.projector.hidden.values[1], 32);
    assert_true(config.augmentation.crop_scale.values[0] == 0.2);
    assert_false(config.evaluation.baselines);
}

static void empty_lists_replace_defaults(void **state) {
    (void)state;
    clc_config config;
    config_assert_loads("[projector]\nhidden =\n", &config);
    assert_int_equal(config.projector.hidden.count, 0);
}

static void sections_may_be_repeated(void **state) {
    (void)state;
    clc_config config;
    config_assert_loads("[training]\nbatch = 4\n[loss]\n[training]\nkeep = 2\n", &config);
    assert_int_equal(config.training.batch, 4);
    assert_int_equal(config.training.keep, 2);
}

static void custom_encoders_are_read(void **state) {
    (void)state;
    clc_config config;
    config_assert_loads("[encoder]\nname = custom\nblock = bottleneck\nblocks = 1, 2,1\n", &config);
    assert_int_equal(config.encoder.block, CLC_CONFIG_BLOCK_BOTTLENECK);
    assert_int_equal(config.encoder.blocks.count, 3);
    assert_int_equal(config.encoder.blocks.values[1], 2);
}

static void overrides_win_in_their_order(void **state) {
    (void)state;
    clc_config config;
    const char *const overrides[] = {"training.batch=16", " training . batch = 32 ",
                                     "output.folder=a=b.c", "projector.hidden="};
    config_assert_loads("[training]\nbatch = 8\nkeep = 7\n", &config);
    assert_int_equal(clc_config_load(config_path, overrides, 4, &config), CLC_OK);
    assert_int_equal(config.training.batch, 32);
    assert_int_equal(config.training.keep, 7);
    assert_string_equal(config.output.folder, "a=b.c");
    assert_int_equal(config.projector.hidden.count, 0);
}

static void overrides_change_a_loaded_configuration(void **state) {
    (void)state;
    clc_config config;
    const char *const good[] = {"training.batch=4"}, *const unknown[] = {"training.batches=4"};
    const char *const contradiction[] = {"augmentation.mean=0.5"};
    config_assert_loads("[training]\nbatch = 8\nkeep = 7\n", &config);
    assert_int_equal(clc_config_override(good, 1, &config), CLC_OK);
    assert_int_equal(config.training.batch, 4);
    assert_int_equal(config.training.keep, 7);
    assert_int_equal(clc_config_override(NULL, 0, &config), CLC_OK);
    assert_int_equal(clc_config_override(unknown, 1, &config), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "--set training.batches=4"));
    assert_int_equal(clc_config_override(contradiction, 1, &config), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "augmentation.mean"));
}

static void written_configurations_load_back_exactly(void **state) {
    (void)state;
    static const char *const overrides[] = {
        "training.seed=18446744073709551615",
        "loss.temperature=0.069999999999999993",
        "optimizer.epsilon=1.0000000000000002e-08",
        "optimizer.schedule=step",
        "optimizer.step_epochs=1,20,300",
        "encoder.name=custom",
        "encoder.block=basic",
        "encoder.blocks=1,2,3,4,5,6,7,8",
        "augmentation.mean=0.1,0.2,0.30000000000000004",
        "augmentation.std=0.3333333333333333,1e-3,1",
        "augmentation.crop=center",
        "data.train_images=a b;c=[d]#e",
        "projector.last_batchnorm=true",
    };
    clc_config config, again;
    config_assert_overrides_load(overrides, sizeof overrides / sizeof *overrides, &config);
    write_back(&config, &again);
    assert_memory_equal(&config, &again, sizeof config);
    config_assert_overrides_load(NULL, 0, &config);
    write_back(&config, &again);
    assert_memory_equal(&config, &again, sizeof config);
}

static void longest_text_loads_back(void **state) {
    (void)state;
    clc_config config, again;
    config_assert_overrides_load(NULL, 0, &config);
    memset(config.output.folder, 'f', sizeof config.output.folder - 1);
    write_back(&config, &again);
    assert_string_equal(again.output.folder, config.output.folder);
}

static void unwritable_configurations_are_refused(void **state) {
    (void)state;
    clc_config config;
    config_assert_overrides_load(NULL, 0, &config);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(clc_config_write(&config, full), CLC_IO);
    config_assert_error_has("No space left");
    fclose(full);
    strcpy(config.output.folder, "two\nlines");
    FILE *file = fopen(config_path, "w");
    assert_non_null(file);
    assert_int_equal(clc_config_write(&config, file), CLC_INVALID);
    config_assert_error_has("output.folder");
    fclose(file);
}

/* What is printed is itself a configuration file: the defaults. */
static void options_list_every_key(void **state) {
    (void)state;
    static char text[65536];
    clc_config config, defaults;
    FILE *file = fopen(config_path, "w+");
    assert_non_null(file);
    clc_config_print_options(file);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    for (const clc_config_key *k = clc_config_keys; k->name; k++) {
        char line[128], allowed[256];
        snprintf(line, sizeof line, "\n%s =", k->name);
        clc_config_describe(k, allowed, sizeof allowed);
        assert_true(strlen(k->meaning) > 0 && strlen(k->meaning) < 80);
        assert_non_null(strstr(text, line));
        assert_non_null(strstr(text, k->meaning));
        assert_non_null(strstr(text, allowed));
    }
    config_assert_overrides_load(NULL, 0, &defaults);
    config_assert_loads(text, &config);
    assert_memory_equal(&config, &defaults, sizeof config);
}

static void tables_fit_their_bounds(void **state) {
    (void)state;
    size_t keys = 0, sections = 0;
    for (const clc_config_key *k = clc_config_keys; k->name; k++) {
        keys++;
        assert_int_equal(clc_config_find_section(k->section), CLC_OK);
        assert_true(k->most <= CLC_CONFIG_LIST_MAX);
        assert_true(k->change != CLC_CHANGE_GROW || k->type == CLC_CONFIG_INT);
        assert_true(strlen(k->name) < 48); /* inih cuts a section's name at 50 */
    }
    for (const clc_config_section *s = clc_config_sections; s->name; s++)
        sections++;
    assert_true(keys < CLC_CONFIG_KEYS_MAX);
    assert_true(sections < CLC_CONFIG_SECTIONS_MAX);
}

static void words_agree_with_the_layers_they_choose_from(void **state) {
    (void)state;
    assert_int_equal(CLC_CONFIG_TOKENIZER_BYTES, CLC_TOKENIZER_BYTES);
    assert_int_equal(CLC_CONFIG_TOKENIZER_WORDS, CLC_TOKENIZER_WORDS);
    assert_int_equal(CLC_CONFIG_TOKENIZER_BPE, CLC_TOKENIZER_BPE);
    assert_int_equal(CLC_CONFIG_PROFILE_AUTO, CLC_PROFILE_AUTO);
    assert_int_equal(CLC_CONFIG_PROFILE_CPU, CLC_PROFILE_CPU);
    assert_int_equal(CLC_CONFIG_PROFILE_GPU, CLC_PROFILE_GPU);
    assert_int_equal(CLC_CONFIG_GEMM_AUTO, CLC_GEMM_AUTO);
    assert_int_equal(CLC_CONFIG_GEMM_OWN, CLC_GEMM_OWN);
    assert_int_equal(CLC_CONFIG_GEMM_CLBLAST, CLC_GEMM_CLBLAST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_valid),
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(empty_lists_replace_defaults),
        cmocka_unit_test(sections_may_be_repeated),
        cmocka_unit_test(custom_encoders_are_read),
        cmocka_unit_test(overrides_win_in_their_order),
        cmocka_unit_test(overrides_change_a_loaded_configuration),
        cmocka_unit_test(written_configurations_load_back_exactly),
        cmocka_unit_test(longest_text_loads_back),
        cmocka_unit_test(unwritable_configurations_are_refused),
        cmocka_unit_test(options_list_every_key),
        cmocka_unit_test(tables_fit_their_bounds),
        cmocka_unit_test(words_agree_with_the_layers_they_choose_from),
    };
    return cmocka_run_group_tests(tests, config_make_file, config_remove_file);
}
