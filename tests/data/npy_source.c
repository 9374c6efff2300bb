/* Pictures and classes in .npy files, as NumPy of any version writes them. */
#include "source_support.h"

#include "data/bare.h"
#include "data/npy.h"

/* Writes an array with this header, filled up as NumPy does, and these bytes. */
static void put_npy(const char *name, int version, const char *header, const void *data, size_t n) {
    uint8_t bytes[2048] = "\x93NUMPY";
    size_t prefix = version == 1 ? 10 : 12, length = strlen(header);
    size_t total = (prefix + length + 1 + 63) / 64 * 64;
    assert_true(total + n <= sizeof bytes);
    bytes[6] = (uint8_t)version;
    bytes[8] = (uint8_t)(total - prefix);
    bytes[9] = (uint8_t)((total - prefix) >> 8);
    memset(bytes + prefix, ' ', total - prefix);
    memcpy(bytes + prefix, header, length);
    bytes[total - 1] = '\n';
    memcpy(bytes + total, data, n);
    put_file(in_folder(name), bytes, total + n);
}

#define HEADER(descr, shape) "{'descr': '" descr "', 'fortran_order': False, 'shape': " shape ", }"

static void expect_first(const clc_source *source, size_t item, double low, double high,
                         int value) {
    clc_image_options options = plain_options();
    clc_image image;
    options.low = low;
    options.high = high;
    CHECK(clc_source_read(source, item, &options, &image));
    assert_int_equal(image.pixels[0], value);
    clc_image_free(&image);
}

static void reads_bytes(void **state) {
    (void)state;
    uint8_t data[24];
    clc_image_options options = plain_options();
    clc_image image;
    for (uint8_t i = 0; i < 24; i++)
        data[i] = (uint8_t)(10 * i);
    for (int version = 1; version <= 3; version++) {
        put_npy("x.npy", version, HEADER("|u1", "(2, 2, 2, 3)"), data, sizeof data);
        clc_config_data config = train_in("x.npy");
        clc_source *source = open_train(&config);
        expect_items(source, "", NAMES("x.npy#0", "x.npy#1"));
        assert_true(source->bare);
        assert_int_equal(source->channels, 3);
        assert_null(source->labels);
        CHECK(clc_source_read(source, 1, &options, &image));
        assert_memory_equal(image.pixels, data + 12, 12);
        clc_image_free(&image);
        clc_source_close(&source);
    }
    put_npy("x.npy", 1, HEADER("|u1", "(6,2,2)"), data, sizeof data);
    clc_config_data config = train_in("x.npy");
    clc_source *source = open_train(&config);
    assert_int_equal(source->channels, 1);
    assert_int_equal(source->count, 6);
    clc_source_close(&source);
}

static void reads_wider_elements(void **state) {
    (void)state;
    const uint16_t words[] = {65535, 32768, 0x0fff};
    const float floats[] = {1, 0.5f, 0};
    const double doubles[] = {-1, 3, 1};
    const struct {
        const char *header;
        const void *data;
        size_t n;
        double low, high;
        int values[3];
    } cases[] = {
        {HEADER("<u2", "(3, 1, 1)"), words, sizeof words, 0, 0, {255, 128, 16}},
        {HEADER("<u2", "(3, 1, 1)"), words, sizeof words, 0, 4095, {255, 255, 255}},
        {HEADER(">u2", "(3, 1, 1)"), "\xff\xff\x80\x00\x0f\xff", 6, 0, 0, {255, 128, 16}},
        {HEADER("<f4", "(3, 1, 1)"), floats, sizeof floats, 0, 0, {255, 128, 0}},
        {HEADER("<f8", "(3, 1, 1)"), doubles, sizeof doubles, -1, 3, {0, 255, 128}},
        {HEADER("|b1", "(3, 1, 1)"), "\x01\x00\x01", 3, 0, 0, {1, 0, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_npy("w.npy", 1, cases[i].header, cases[i].data, cases[i].n);
        clc_config_data config = train_in("w.npy");
        if (cases[i].low != cases[i].high)
            config.range = (clc_floats){2, {cases[i].low, cases[i].high}};
        clc_source *source = open_train(&config);
        for (size_t j = 0; j < 3; j++)
            expect_first(source, j, cases[i].low, cases[i].high, cases[i].values[j]);
        clc_source_close(&source);
    }
}

static void labels_by_key(void **state) {
    (void)state;
    const uint8_t data[3] = {1, 2, 3};
    put_npy("x.npy", 1, HEADER("|u1", "(3, 1, 1)"), data, sizeof data);
    CHECK(clc_npy_write_i64(in_folder("y.npy"), (const int64_t[]){2, -1, 0}, 3));
    clc_config_data config = train_in("x.npy");
    snprintf(config.train_labels, sizeof config.train_labels, "%s", in_folder("y.npy"));
    clc_source *source = open_train(&config);
    expect_classes(source, NAMES("0", "1", "2"));
    expect_labels(source, NAMES("2", "", "0"));
    clc_source_close(&source);
    /* Numbers that count nothing are names. */
    CHECK(clc_npy_write_i64(in_folder("y.npy"), (const int64_t[]){1000000007, 9, 9}, 3));
    source = open_train(&config);
    expect_classes(source, NAMES("9", "1000000007"));
    clc_source_close(&source);
}

/* Pictures of other sizes can be joined: they are no longer of one size. */
static void joins_other_sizes(void **state) {
    (void)state;
    char value[512];
    put_npy("x.npy", 1, HEADER("|u1", "(1, 1, 2)"), "\x01\x02", 2);
    put_npy("y.npy", 1, HEADER("|u1", "(1, 2, 2)"), "\x03\x04\x05\x06", 4);
    snprintf(value, sizeof value, "%s, %s", in_folder("x.npy"), in_folder("y.npy"));
    clc_config_data config = train_on(value);
    clc_source *source = open_train(&config);
    clc_image_info info;
    assert_false(source->bare);
    assert_int_equal(source->height, 0);
    expect_first(source, 1, 0, 0, 3);
    CHECK(clc_source_probe(source, 1, NULL, &info));
    assert_int_equal(info.height, 2);
    assert_string_equal(info.format, "npy");
    clc_source_close(&source);
}

static void expect_refused(const char *header, const char *message) {
    clc_source *source;
    put_npy("bad.npy", 1, header, "\x01\x02\x03\x04\x05\x06", 6);
    clc_config_data config = train_in("bad.npy");
    CHECK_FAILS(clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, &source), CLC_FORMAT, message);
    assert_non_null(strstr(clc_error(), "bad.npy: "));
    assert_null(source);
}

static void refuses_what_it_cannot_read(void **state) {
    (void)state;
    expect_refused("{'descr': '|u1', 'fortran_order': True, 'shape': (1, 2, 3), }",
                   "Fortran's order");
    expect_refused(HEADER("<c8", "(1, 2, 3)"), "elements of type '<c8'");
    expect_refused("{'descr': [('r', '|u1')], 'fortran_order': False, 'shape': (1, 2, 3)}",
                   "elements of type [('r', '|u1')]");
    expect_refused("{'fortran_order': False, 'shape': (1, 2, 3), }", "names no type");
    expect_refused("{'descr': '|u1', 'fortran_order': False}", "names no shape");
    expect_refused(HEADER("|u1", "()"), "a single number");
    expect_refused(HEADER("|u1", "(6,)"), "an array of rank 1");
    expect_refused(HEADER("|u1", "(1, -2, 3)"), "the shape (1, -2, 3)");
    expect_refused(HEADER("|u1", "(1, 2, 3"), "the shape (1, 2, 3");
    expect_refused(HEADER("|u1", "(1, 2, 99999999999999999999999)"), "more bytes than");
    expect_refused(HEADER("|u1", "(1, 4294967296, 4294967296)"), "more bytes than");
    expect_refused(HEADER("|u1", "(1, 0, 3)"), "size 2 of 3 is 0");
    expect_refused(HEADER("|u1", "(1, 2, 4)"), "truncated");
    expect_refused(HEADER("|u1", "(1, 2, 2)"), "more data follow");
    expect_refused(HEADER("<f4", "(1, 1, 1)"), "more data follow");
    expect_refused("nothing", "names no type");
}

static void refuses_every_cut(void **state) {
    (void)state;
    clc_array array;
    size_t n, needed;
    put_npy("x.npy", 2, HEADER("|u1", "(1, 2, 3)"), "\x01\x02\x03\x04\x05\x06", 6);
    uint8_t *file = get_file(in_folder("x.npy"), &n);
    for (size_t i = 0; i < n - 6; i++)
        CHECK_FAILS(clc_npy_parse(file, i, &array, &needed), CLC_FORMAT, "ends within its header");
    CHECK(clc_npy_parse(file, n - 6, &array, &needed));
    assert_int_equal(array.start, n - 6);
    free(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_bytes),       cmocka_unit_test(reads_wider_elements),
        cmocka_unit_test(labels_by_key),     cmocka_unit_test(joins_other_sizes),
        cmocka_unit_test(refuses_every_cut), cmocka_unit_test(refuses_what_it_cannot_read),
    };
    return cmocka_run_group_tests_name("npy", tests, make_test_folder, remove_test_folder);
}
