/* Data sets of series: steps in their order, lengths, classes, and what is left out by name. */
#include "data/dataset.h"

#include "data/npy.h"
#include "source_support.h"

#include <math.h>

static clc_config config_on(const char *name) {
    clc_config config;
    static const char *const overrides[] = {"data.bad_limit=1", "data.pack=false"};
    CHECK(clc_config_load(NULL, overrides, 2, &config));
    snprintf(config.data.train, sizeof config.data.train, "%s", in_folder(name));
    return config;
}

static clc_dataset *open_split(const clc_config *config, clc_split split,
                               const clc_dataset *train) {
    clc_dataset *data;
    CHECK(clc_dataset_open(config, split, train, &data));
    assert_int_equal(data->field_count, 1);
    assert_int_equal(data->fields[0].kind, CLC_KIND_SERIES);
    return data;
}

static clc_dataset *open_train_set(const char *name, int as) {
    clc_config config = config_on(name);
    config.data.as = as;
    return open_split(&config, CLC_SPLIT_TRAIN, NULL);
}

/* Fails unless series i has these values of all steps. */
static void expect(const clc_dataset *d, size_t i, size_t n, const float *want) {
    const clc_field *f = &d->fields[0];
    const clc_extent *e = &f->extents[f->firsts[i]];
    assert_int_equal(f->firsts[i], i);
    assert_int_equal(e->length * f->channels, n);
    assert_memory_equal(f->values + e->offset * (size_t)f->channels, want, n * sizeof *want);
}

static void expect_left_out(const clc_dataset *d, const char *name, const char *reason) {
    for (size_t i = 0; i < d->bad.count; i++)
        if (strstr(clc_names_at(&d->bad.entries, 2 * i), name) &&
            strstr(clc_names_at(&d->bad.entries, 2 * i + 1), reason))
            return;
    fail_msg("%s is not left out for '%s'", name, reason);
}

static void rows_of_an_array_are_series_of_one_channel(void **state) {
    (void)state;
    const float rows[] = {1, 2, 3, 4, NAN, NAN, 5, NAN, 6, NAN, NAN, NAN, 7, 8, INFINITY};
    CHECK(clc_npy_write_f32(in_folder("a.npy"), rows, 5, 3));
    clc_dataset *d = open_train_set("a.npy", CLC_CONFIG_AS_AUTO);
    assert_int_equal(d->count, 2);
    assert_int_equal(d->fields[0].channels, 1);
    assert_int_equal(d->fields[0].longest, 3);
    expect(d, 0, 3, (float[]){1, 2, 3});
    expect(d, 1, 1, (float[]){4}); /* behind it are no numbers */
    assert_true(d->fields[0].mean[0] == 2.5f);
    assert_non_null(strstr(clc_dataset_sample_name(d, 1), "a.npy#1"));
    expect_left_out(d, "a.npy#2", "step 1 has a value that is no finite number");
    expect_left_out(d, "a.npy#3", "its length is 0 of 3");
    expect_left_out(d, "a.npy#4", "step 2 has");
    clc_dataset_free(&d);
}

/* (N,T,C) in any type, as NumPy's header has it. */
static void put_cube(const char *name, const char *type, const char *shape, const void *data,
                     size_t bytes) {
    char file[512];
    memset(file, ' ', sizeof file);
    memcpy(file, "\x93NUMPY\x01\x00\x76\x00", 10);
    const int n = snprintf(file + 10, 118,
                           "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type, shape);
    file[10 + n] = ' ';
    file[127] = '\n';
    memcpy(file + 128, data, bytes);
    put_file(in_folder(name), file, 128 + bytes);
}

static void arrays_have_channels_lengths_and_classes(void **state) {
    (void)state;
    const int16_t values[] = {1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6};
    const int64_t lengths[] = {1, 2, 3}, labels[] = {7, 2, 7};
    put_cube("c.npy", "<i2", "3, 2, 2", values, sizeof values);
    CHECK(clc_npy_write_i64(in_folder("lengths.npy"), lengths, 3));
    CHECK(clc_npy_write_i64(in_folder("labels.npy"), labels, 3));
    clc_config config = config_on("c.npy");
    config.data.as = CLC_CONFIG_AS_SERIES;
    snprintf(config.data.train_lengths, sizeof config.data.train_lengths, "%s",
             in_folder("lengths.npy"));
    snprintf(config.data.train_labels, sizeof config.data.train_labels, "%s",
             in_folder("labels.npy"));
    clc_dataset *d = open_split(&config, CLC_SPLIT_TRAIN, NULL);
    assert_int_equal(d->count, 2);
    expect(d, 0, 2, (float[]){1, -1});
    expect(d, 1, 4, (float[]){3, -3, 4, -4});
    assert_int_equal(d->labels[1], 2);
    assert_true(d->fields[0].mean[1] == -8.0f / 3); /* of what is valid and not left out */
    expect_left_out(d, "c.npy#2", "its length is 3 of 2");
    clc_dataset_free(&d);
    put_text("lengths.npy", "?");
    CHECK_FAILS(clc_dataset_open(&config, CLC_SPLIT_TRAIN, NULL, &d), CLC_FORMAT, "lengths.npy");
}

static void steps_of_a_table_are_sorted_by_time(void **state) {
    (void)state;
    put_text("t.csv", "time,id,x,y,label\n2,a,3,4,u\n10,a,5,6,u\n-1,a,1,2,u\n0,b,7,8,v\n"
                      "0,c,9,oh,v\n0,d,1\n");
    clc_dataset *d = open_train_set("t.csv", CLC_CONFIG_AS_AUTO);
    assert_int_equal(d->count, 2);
    assert_int_equal(d->fields[0].channels, 2);
    expect(d, 0, 6, (float[]){1, 2, 3, 4, 5, 6});
    expect(d, 1, 2, (float[]){7, 8});
    assert_string_equal(clc_dataset_sample_name(d, 0), "a");
    assert_string_equal(clc_names_at(&d->class_names, (size_t)d->labels[1]), "v");
    expect_left_out(d, "c", "line 6: 'oh' in y is no finite number");
    expect_left_out(d, "t.csv:7", "another number of fields");
    clc_dataset_free(&d);
    put_text("t.csv", "id;day;v\na;2024-03-01;2\na;2023-12-31;1\na;2024-03-01;3\n");
    clc_config config = config_on("t.csv");
    snprintf(config.data.time_column, sizeof config.data.time_column, "day");
    d = open_split(&config, CLC_SPLIT_TRAIN, NULL);
    expect(d, 0, 3, (float[]){1, 2, 3});
    clc_dataset_free(&d);
    config.data.as = CLC_CONFIG_AS_SERIES;
    snprintf(config.data.value_columns, sizeof config.data.value_columns, "v, w");
    CHECK_FAILS(clc_dataset_open(&config, CLC_SPLIT_TRAIN, NULL, &d), CLC_FORMAT,
                "no column w; there are: id, day, v");
}

static void several_files_are_one_set(void **state) {
    (void)state;
    const float first[] = {1, 2, 3, 4}, second[] = {5, 6, NAN, 7, 8, 9};
    const int64_t labels[2][2] = {{7, 2}, {9, 7}};
    clc_config config = config_on("a.npy");
    CHECK(clc_npy_write_f32(in_folder("a.npy"), first, 2, 2));
    CHECK(clc_npy_write_f32(in_folder("b.npy"), second, 2, 3));
    CHECK(clc_npy_write_i64(in_folder("la.npy"), labels[0], 2));
    CHECK(clc_npy_write_i64(in_folder("lb.npy"), labels[1], 2));
    snprintf(config.data.train, sizeof config.data.train, "%s,%s", in_folder("a.npy"),
             in_folder("b.npy"));
    snprintf(config.data.train_labels, sizeof config.data.train_labels, "%s,%s",
             in_folder("la.npy"), in_folder("lb.npy"));
    clc_dataset *d = open_split(&config, CLC_SPLIT_TRAIN, NULL);
    assert_int_equal(d->count, 4);
    expect(d, 1, 2, (float[]){3, 4});
    expect(d, 2, 2, (float[]){5, 6});
    expect(d, 3, 3, (float[]){7, 8, 9});
    assert_int_equal(d->classes, 3);
    assert_string_equal(clc_names_at(&d->class_names, (size_t)d->labels[2]), "9");
    assert_int_equal(d->labels[0], d->labels[3]);
    clc_dataset_free(&d);
    snprintf(config.data.train_labels, sizeof config.data.train_labels, "%s", in_folder("la.npy"));
    CHECK_FAILS(clc_dataset_open(&config, CLC_SPLIT_TRAIN, NULL, &d), CLC_INVALID,
                "2 files of series, but 1 of their classes");
    put_text("c.csv", "id,time,x,y\n1,0,2.5,3\n");
    config.data.train_labels[0] = '\0';
    snprintf(config.data.train, sizeof config.data.train, "%s,%s", in_folder("a.npy"),
             in_folder("c.csv"));
    CHECK_FAILS(clc_dataset_open(&config, CLC_SPLIT_TRAIN, NULL, &d), CLC_FORMAT,
                "c.csv: series of 2 channels");
}

static void tables_tell_tests_apart(void **state) {
    (void)state;
    put_text("s.csv",
             "id,t,v,split,label\n1,0,1,train,x\n2,0,2,test,w\n1,1,3,train,x\n3,0,2,train,y\n");
    const clc_config config = config_on("s.csv");
    clc_dataset *train = open_split(&config, CLC_SPLIT_TRAIN, NULL);
    assert_true(clc_dataset_has_test(&config, train));
    clc_dataset *test = open_split(&config, CLC_SPLIT_TEST, train);
    assert_int_equal(train->count, 2);
    assert_int_equal(test->count, 1);
    expect(train, 0, 2, (float[]){1, 3});
    expect(test, 0, 1, (float[]){2});
    assert_int_equal(test->labels[0], 2); /* classes of training keep their numbers */
    clc_dataset_free(&test);
    clc_dataset_free(&train);
}

static void rows_of_pictures_are_steps(void **state) {
    (void)state;
    uint8_t file[64];
    for (int i = 0; i < 2; i++) {
        char name[32];
        snprintf(name, sizeof name, "p/%d.pgm", i);
        put_folder("p");
        int n = snprintf((char *)file, sizeof file, "P5 3 2 255\n");
        for (int k = 0; k < 6; k++)
            file[n++] = (uint8_t)(51 * (k % 6) * i);
        put_file(in_folder(name), file, (size_t)n);
    }
    clc_dataset *d = open_train_set("p", CLC_CONFIG_AS_SERIES);
    assert_int_equal(d->count, 2);
    assert_int_equal(d->fields[0].channels, 3);
    expect(d, 1, 6, (float[]){0, 51 / 255.0f, 102 / 255.0f, 153 / 255.0f, 204 / 255.0f, 1});
    assert_non_null(strstr(clc_dataset_sample_name(d, 1), "p/1.pgm"));
    clc_dataset_free(&d);
}

static void the_norm_comes_back_from_its_text(void **state) {
    (void)state;
    float mean[] = {0.1f, -3e-7f}, deviation[] = {1e9f / 3, 1}, out[4 * 2];
    float values[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    clc_extent extents[] = {{0, 5, 0}, {3, 1, 0}};
    const clc_field f = {.kind = CLC_KIND_SERIES,
                         .channels = 2,
                         .mean = mean,
                         .values = values,
                         .extents = extents,
                         .deviation = deviation};
    clc_field norm;
    char *text;
    CHECK(clc_field_norm_text(&f, &text));
    CHECK(clc_field_norm_parse(text, &norm));
    assert_int_equal(norm.channels, 2);
    assert_memory_equal(norm.mean, mean, sizeof mean);
    assert_memory_equal(norm.deviation, deviation, sizeof deviation);
    assert_int_equal(clc_series_fit(&f, 0, &norm, 3, out), 3); /* the middle */
    assert_true(out[0] == (3 - mean[0]) / deviation[0] && out[5] == (8 - mean[1]) / deviation[1]);
    assert_int_equal(clc_series_fit(&f, 1, &norm, 4, out), 1);
    assert_true(out[1] == (8 - mean[1]) / deviation[1] && out[2] == 0 && out[7] == 0);
    clc_field_free(&norm);
    free(text);
    CHECK_FAILS(clc_field_norm_parse("1 2\n3 0\n", &norm), CLC_FORMAT, "channel 1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_an_array_are_series_of_one_channel),
        cmocka_unit_test(arrays_have_channels_lengths_and_classes),
        cmocka_unit_test(steps_of_a_table_are_sorted_by_time),
        cmocka_unit_test(several_files_are_one_set),
        cmocka_unit_test(tables_tell_tests_apart),
        cmocka_unit_test(rows_of_pictures_are_steps),
        cmocka_unit_test(the_norm_comes_back_from_its_text),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
