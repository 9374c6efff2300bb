/* CIFAR's binary files: made here, and of Fashion-MNIST. */
#include "source_support.h"

#include <unistd.h>

enum { PIXELS = 3072 };

#define FASHION "/usr/share/datasets/fashion-mnist/"

static uint8_t value(size_t record, size_t i) {
    return (uint8_t)((record * 31 + i * 7) % 251);
}

/* Writes `n` records with classes first, first + step, ... behind `coarse` bytes of 1. */
static void put_records(const char *name, size_t n, int coarse, int first, int step) {
    size_t record = (size_t)coarse + 1 + PIXELS;
    uint8_t *bytes = malloc(n * record);
    assert_non_null(bytes);
    for (size_t r = 0; r < n; r++) {
        memset(bytes + r * record, 1, (size_t)coarse);
        bytes[r * record + (size_t)coarse] = (uint8_t)(first + (int)r * step);
        for (size_t i = 0; i < PIXELS; i++)
            bytes[r * record + (size_t)coarse + 1 + i] = value(r, i);
    }
    put_file(in_folder(name), bytes, n * record);
    free(bytes);
}

static void expect_record(const clc_source *source, size_t item, size_t record) {
    clc_image_options options = plain_options();
    clc_image image;
    CHECK(clc_source_read(source, item, &options, &image));
    assert_int_equal(image.height, 32);
    assert_int_equal(image.width, 32);
    assert_int_equal(image.channels, 3);
    for (size_t i = 0; i < PIXELS; i++)
        assert_int_equal(image.pixels[i], value(record, i % 3 * 1024 + i / 3));
    clc_image_free(&image);
}

static void cifar10(void **state) {
    (void)state;
    clc_source *test;
    put_text("c10/batches.meta.txt", "airplane\nautomobile\r\nbird\ncat\ndeer\ndog\nfrog\nhorse\n"
                                     "ship\ntruck\n\n");
    put_records("c10/data_batch_1.bin", 3, 0, 9, -4);
    put_records("c10/data_batch_2.bin", 2, 0, 0, 1);
    put_records("c10/test_batch.bin", 2, 0, 2, 1);
    clc_config_data config = train_in("c10");
    assert_true(clc_source_configured(&config, CLC_SPLIT_TEST));
    clc_source *train = open_train(&config);
    expect_items(train, "c10",
                 NAMES("data_batch_1.bin#0", "data_batch_1.bin#1", "data_batch_1.bin#2",
                       "data_batch_2.bin#0", "data_batch_2.bin#1"));
    expect_labels(train, NAMES("truck", "dog", "automobile", "airplane", "automobile"));
    assert_int_equal(train->classes.count, 10);
    assert_true(train->bare);
    assert_int_equal(train->height, 32);
    for (size_t i = 0; i < 5; i++)
        expect_record(train, i, i % 3);
    CHECK(clc_source_open(&config, CLC_SPLIT_TEST, &train->classes, &test));
    expect_labels(test, NAMES("bird", "cat"));
    clc_source_close(&test);
    clc_source_close(&train);
}

static void cifar100_and_single_files(void **state) {
    (void)state;
    char names[1024] = "";
    put_records("single.bin", 3, 1, 10, 30);
    clc_config_data config = train_in("single.bin");
    clc_source *source = open_train(&config);
    expect_labels(source, NAMES("10", "40", "70"));
    assert_int_equal(source->classes.count, 100);
    expect_record(source, 2, 2);
    clc_source_close(&source);
    for (int i = 0; i < 100; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "n%02d\n", i);
    put_text("c100/fine_label_names.txt", names);
    put_records("c100/train.bin", 2, 1, 98, 1);
    config = train_in("c100");
    assert_false(clc_source_configured(&config, CLC_SPLIT_TEST));
    source = open_train(&config);
    expect_labels(source, NAMES("n98", "n99"));
    clc_source_close(&source);
}

/* A folder of pictures beside somebody's train.bin is one of pictures. */
static void other_files_of_these_names(void **state) {
    (void)state;
    put_text("other/train.bin", "no CIFAR");
    put_picture("other/1.bmp", 1);
    clc_config_data config = train_in("other");
    clc_source *source = open_train(&config);
    expect_items(source, "other", NAMES("1.bmp"));
    clc_source_close(&source);
}

static void refuses_other_files(void **state) {
    (void)state;
    clc_source *source;
    put_records("bad.bin", 2, 0, 0, 10);
    clc_config_data config = train_in("bad.bin");
    config.format = CLC_CONFIG_FORMAT_CIFAR;
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_FORMAT,
                "bad.bin: 6146 bytes are no whole records of CIFAR-10");
    put_records("bad.bin", 3, 0, 0, 0);
    size_t n;
    uint8_t *bytes = get_file(in_folder("bad.bin"), &n);
    bytes[3073] = 12; /* the one in the middle */
    put_file(in_folder("bad.bin"), bytes, n);
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_FORMAT,
                "record 1 has class 12; there are 10");
    put_file(in_folder("bad.bin"), bytes, n - 1);
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_FORMAT,
                "bad.bin: 9218 bytes are no whole records");
    free(bytes);
    put_folder("none");
    config = train_in("none");
    config.format = CLC_CONFIG_FORMAT_CIFAR;
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_FORMAT,
                "none: no data_batch_1.bin");
    assert_null(source);
}

static void notices_changes(void **state) {
    (void)state;
    clc_image_options options = plain_options();
    clc_image image;
    put_records("c.bin", 2, 0, 0, 1);
    clc_config_data config = train_in("c.bin");
    clc_source *source = open_train(&config);
    put_text("c.bin", "cut");
    CHECK_FAILS(clc_source_read(source, 1, &options, &image), CLC_IO, "has changed");
    assert_null(image.pixels);
    clc_source_close(&source);
}

/* The first pictures of Fashion-MNIST, in the middle of CIFAR's, come back as they were. */
static void fashion_mnist_as_cifar(void **state) {
    (void)state;
    enum { COUNT = 100, SIDE = 28, BORDER = 2 };
    clc_image_options options = plain_options();
    clc_image image, again;
    if (access(FASHION "t10k-images-idx3-ubyte.gz", R_OK) != 0)
        skip();
    clc_config_data config = train_on(FASHION "t10k-images-idx3-ubyte.gz");
    clc_source *idx = open_train(&config);
    assert_int_equal(idx->count, 10000);
    assert_int_equal(idx->classes.count, 10);
    uint8_t *bytes = calloc(COUNT, 1 + PIXELS);
    assert_non_null(bytes);
    for (size_t r = 0; r < COUNT; r++) {
        uint8_t *record = bytes + r * (1 + PIXELS);
        CHECK(clc_source_read(idx, r, &options, &image));
        record[0] = (uint8_t)idx->labels[r];
        for (size_t i = 0; i < 3 * SIDE * SIDE; i++)
            record[1 + i / (SIDE * SIDE) * 1024 + (i / SIDE % SIDE + BORDER) * 32 + i % SIDE +
                   BORDER] = image.pixels[i % (SIDE * SIDE)];
        clc_image_free(&image);
    }
    put_file(in_folder("fashion.bin"), bytes, COUNT * (1 + PIXELS));
    free(bytes);
    config = train_in("fashion.bin");
    clc_source *cifar = open_train(&config);
    assert_int_equal(cifar->count, COUNT);
    for (size_t r = 0; r < COUNT; r++) {
        CHECK(clc_source_read(idx, r, &options, &image));
        CHECK(clc_source_read(cifar, r, &options, &again));
        assert_int_equal(cifar->labels[r], idx->labels[r]);
        for (size_t i = 0; i < 3 * SIDE * SIDE; i++) {
            size_t y = i / 3 / SIDE, x = i / 3 % SIDE;
            assert_int_equal(again.pixels[((y + BORDER) * 32 + x + BORDER) * 3 + i % 3],
                             image.pixels[y * SIDE + x]);
        }
        clc_image_free(&image);
        clc_image_free(&again);
    }
    clc_source_close(&idx);
    clc_source_close(&cifar);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cifar10),
        cmocka_unit_test(cifar100_and_single_files),
        cmocka_unit_test(other_files_of_these_names),
        cmocka_unit_test(refuses_other_files),
        cmocka_unit_test(notices_changes),
        cmocka_unit_test(fashion_mnist_as_cifar),
    };
    return cmocka_run_group_tests_name("cifar", tests, make_test_folder, remove_test_folder);
}
