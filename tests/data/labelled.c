/* Few labels: a share or a number of each class, the same for the same seed, less within more. */
#include "data/labelled.h"

#include "core/log.h"
#include "source_support.h"

#include <stdlib.h>

enum { SAMPLES = 1000, CLASSES = 5, SKEWED = 4 };

/* Sizes 500, 250, 150, 97 and, with three samples without a label, none. */
static int32_t label_of(int i) {
    const int at = i * 7 % SAMPLES;
    return at < 500 ? 0 : at < 750 ? 1 : at < 900 ? 2 : at < 997 ? 3 : -1;
}

static clc_dataset *make(void) {
    clc_dataset *data;
    uint8_t *pixels = calloc(SAMPLES, 1);
    int32_t *labels = malloc(SAMPLES * sizeof *labels);
    for (int i = 0; i < SAMPLES; i++)
        labels[i] = label_of(i);
    CHECK(clc_dataset_make("skewed", SAMPLES, 1, 1, 1, pixels, labels, CLASSES, &data));
    return data;
}

static clc_dataset *limited(const char *labels, uint64_t seed) {
    clc_config config;
    clc_dataset *data = make();
    CHECK(clc_config_load(NULL, NULL, 0, &config));
    snprintf(config.finetune.labels, sizeof config.finetune.labels, "%s", labels);
    CHECK(clc_config_validate(&config));
    config.training.seed = seed;
    CHECK(clc_labels_limit(&config, data));
    for (size_t i = 0; i < SAMPLES; i++) /* what stays is what was there */
        assert_true(data->labels[i] == -1 || data->labels[i] == label_of((int)i));
    return data;
}

static void expect_counts(const char *labels, const size_t want[CLASSES]) {
    clc_dataset *data = limited(labels, 1);
    size_t counts[CLASSES] = {0};
    for (size_t i = 0; i < SAMPLES; i++)
        if (data->labels[i] >= 0)
            counts[data->labels[i]]++;
    for (int c = 0; c < CLASSES; c++)
        if (counts[c] != want[c])
            fail_msg("%s: class %d keeps %zu, not %zu", labels, c, counts[c], want[c]);
    clc_dataset_free(&data);
}

static void each_class_keeps_its_share(void **state) {
    (void)state;
    expect_counts("100%", (const size_t[]){500, 250, 150, 97, 0});
    expect_counts("10%", (const size_t[]){50, 25, 15, 10, 0});
    /* 9.97 together, so 10: the greatest fractions get what is missing, of equal ones the first. */
    expect_counts("1%", (const size_t[]){5, 3, 1, 1, 0});
    expect_counts("0.1%", (const size_t[]){1, 1, 1, 1, 0});
    expect_counts("99.9%", (const size_t[]){499, 250, 150, 97, 0});
}

static void or_as_many_as_it_has(void **state) {
    (void)state;
    expect_counts("1", (const size_t[]){1, 1, 1, 1, 0});
    expect_counts("120", (const size_t[]){120, 120, 120, 97, 0});
    expect_counts("1000", (const size_t[]){500, 250, 150, 97, 0});
}

static size_t common(const clc_dataset *a, const clc_dataset *b, size_t *of_a) {
    size_t both = 0;
    *of_a = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        *of_a += a->labels[i] >= 0;
        both += a->labels[i] >= 0 && b->labels[i] >= 0;
    }
    return both;
}

static void the_seed_says_which_and_less_is_within_more(void **state) {
    (void)state;
    size_t all;
    clc_dataset *few = limited("2%", 1), *again = limited("2%", 1), *more = limited("10%", 1),
                *other = limited("2%", 2);
    assert_true(common(few, again, &all) == all && all == 20);
    assert_true(common(few, more, &all) == all);
    assert_true(common(few, other, &all) < all / 2);
    clc_dataset_free(&few);
    clc_dataset_free(&again);
    clc_dataset_free(&more);
    clc_dataset_free(&other);
}

static void what_is_no_number_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"0",   "0%",  "-1", "101%", "1.5",  "ten",
                                      "1%%", "1 %", "%",  "nan%", "1e30", "5x"};
    clc_config config;
    CHECK(clc_config_load(NULL, NULL, 0, &config));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(config.finetune.labels, sizeof config.finetune.labels, "%s", bad[i]);
        if (clc_config_validate(&config) != CLC_INVALID)
            fail_msg("'%s' is not refused", bad[i]);
    }
}

static void the_labelled_are_listed(void **state) {
    (void)state;
    clc_dataset *data = limited("1", 1);
    int32_t *samples;
    size_t count, bytes;
    char line[64];
    CHECK(clc_labelled_samples(data, &samples, &count));
    assert_int_equal(count, 4);
    put_folder("lists");
    CHECK(clc_labelled_write(data, in_folder("lists/labelled.tsv")));
    uint8_t *text = get_file(in_folder("lists/labelled.tsv"), &bytes);
    const char *at = (const char *)text;
    assert_true(!strncmp(at, "sample\tlabel\tname\n", 18));
    at += 18;
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || samples[i] > samples[i - 1]);
        const int n = snprintf(line, sizeof line, "%d\t%d\t\n", (int)samples[i],
                               (int)data->labels[samples[i]]);
        assert_true(!strncmp(at, line, (size_t)n));
        at += n;
    }
    assert_true(at == (const char *)text + bytes);
    free(text);
    free(samples);
    clc_dataset_free(&data);
}

int main(void) {
    clc_log_quiet(true);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_keeps_its_share),
        cmocka_unit_test(or_as_many_as_it_has),
        cmocka_unit_test(the_seed_says_which_and_less_is_within_more),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(the_labelled_are_listed),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
