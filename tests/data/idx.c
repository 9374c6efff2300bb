/* IDX files as sources: every type of elements, plain and gzip, whole and damaged in every way. */
#include "source_support.h"

#include "data/bare.h"

#include <zlib.h>

enum { N = 5, H = 3, W = 2, C = 3 };

/* An IDX file in memory. */
typedef struct idx_bytes {
    uint8_t bytes[1024];
    size_t n;
} idx_bytes;

static idx_bytes make_idx(uint32_t magic, int rank, const uint32_t *sizes, size_t data) {
    idx_bytes idx = {.n = 0};
    for (int i = -1; i < rank; i++)
        for (int shift = 24; shift >= 0; shift -= 8)
            idx.bytes[idx.n++] = (uint8_t)((i < 0 ? magic : sizes[i]) >> shift);
    for (size_t i = 0; i < data; i++)
        idx.bytes[idx.n++] = (uint8_t)(i * 37 % 101);
    return idx;
}

static idx_bytes good_images(void) {
    return make_idx(0x803, 3, (uint32_t[]){N, H, W}, N * H * W);
}

/* Labels 0, 37, 74, 10, 47. */
static idx_bytes good_labels(void) {
    return make_idx(0x801, 1, (uint32_t[]){N}, N);
}

static void put_idx(const char *name, idx_bytes idx) {
    put_file(in_folder(name), idx.bytes, idx.n);
}

static void put_gzip(const char *name, idx_bytes idx) {
    gzFile file = gzopen(in_folder(name), "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, idx.bytes, (unsigned)idx.n), idx.n);
    assert_int_equal(gzclose(file), Z_OK);
}

static clc_config_data config_of(const char *images, const char *labels) {
    clc_config_data config = train_in(images);
    config.format = CLC_CONFIG_FORMAT_IDX;
    if (labels)
        snprintf(config.train_labels, sizeof config.train_labels, "%s", in_folder(labels));
    return config;
}

static clc_status load(const char *images, const char *labels, clc_source **out) {
    clc_config_data config = config_of(images, labels);
    return clc_source_open(&config, CLC_SPLIT_TRAIN, NULL, out);
}

static void expect_pixels(const clc_source *source, size_t item, const uint8_t *pixels, size_t n) {
    clc_image_options options = plain_options();
    clc_image image;
    CHECK(clc_source_read(source, item, &options, &image));
    assert_int_equal((size_t)image.height * (size_t)image.width * (size_t)image.channels, n);
    assert_memory_equal(image.pixels, pixels, n);
    clc_image_free(&image);
}

static void expect_good(const clc_source *source) {
    idx_bytes images = good_images(), labels = good_labels();
    assert_int_equal(source->count, N);
    assert_true(source->bare);
    assert_int_equal(source->height, H);
    assert_int_equal(source->width, W);
    assert_int_equal(source->channels, 1);
    for (size_t i = 0; i < N; i++) {
        expect_pixels(source, i, images.bytes + 16 + i * H * W, H * W);
        if (source->labels)
            assert_int_equal(source->labels[i], labels.bytes[8 + i]);
    }
}

static void reads_plain_and_gzip(void **state) {
    (void)state;
    clc_source *source;
    clc_image_info info;
    put_idx("images", good_images());
    put_idx("labels", good_labels());
    put_gzip("images.gz", good_images());
    put_gzip("labels.gz", good_labels());
    for (int i = 0; i < 4; i++) {
        CHECK(load(i & 1 ? "images.gz" : "images", i & 2 ? "labels.gz" : "labels", &source));
        expect_good(source);
        assert_string_equal(source->name, "images");
        /* Class k has number k, those without pictures too. */
        assert_int_equal(source->classes.count, 75);
        assert_string_equal(clc_names_at(&source->classes, 74), "74");
        expect_items(source, "", NAMES("images#0", "images#1", "images#2", "images#3", "images#4"));
        CHECK(clc_source_probe(source, 1, NULL, &info));
        assert_int_equal(info.height, H);
        clc_source_close(&source);
    }
    CHECK(load("images", NULL, &source));
    assert_null(source->labels);
    assert_int_equal(source->classes.count, 0);
    clc_source_close(&source);
}

/* As the data sets' makers name them, also found by contents. */
static void finds_labels_beside(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"a-images-idx3-ubyte", "a-labels-idx1-ubyte.gz"},
        {"images.idx3-ubyte.gz", "labels.idx1-ubyte"},
        {"images-b-images-idx3-ubyte", "images-b-labels-idx1-ubyte"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        (strstr(pairs[i][0], ".gz") ? put_gzip : put_idx)(pairs[i][0], good_images());
        (strstr(pairs[i][1], ".gz") ? put_gzip : put_idx)(pairs[i][1], good_labels());
        clc_config_data config = train_in(pairs[i][0]);
        clc_source *source = open_train(&config);
        assert_non_null(source->labels);
        expect_good(source);
        clc_source_close(&source);
    }
}

static void reads_qmnist_labels(void **state) {
    (void)state;
    clc_source *source;
    idx_bytes labels = make_idx(0xc02, 2, (uint32_t[]){N, 8}, N * 8 * 4);
    for (size_t i = 0; i < N * 8; i++)
        memcpy(labels.bytes + 12 + 4 * i, (uint8_t[]){0, 0, 0, (uint8_t)(i % 8 ? 200 : i / 8 + 3)},
               4);
    put_idx("q-images-idx3-ubyte", good_images());
    put_idx("q-labels-idx2-int", labels);
    CHECK(load("q-images-idx3-ubyte", NULL, &source));
    for (int i = 0; i < N; i++)
        assert_int_equal(source->labels[i], i + 3);
    assert_int_equal(source->classes.count, N + 3);
    clc_source_close(&source);
    put_idx("rank2", make_idx(0x802, 2, (uint32_t[]){N, 3}, N * 3));
    CHECK_FAILS(load("q-images-idx3-ubyte", "rank2", &source), CLC_FORMAT,
                "an array of rank 2; classes are of rank 1, or QMNIST's of 8 columns");
}

static void reads_colour_and_transposes(void **state) {
    (void)state;
    clc_source *source;
    clc_image_options options = plain_options();
    clc_image image;
    idx_bytes idx = make_idx(0x804, 4, (uint32_t[]){N, H, W, C}, N * H * W * C);
    put_idx("colour", idx);
    CHECK(load("colour", NULL, &source));
    assert_int_equal(source->channels, C);
    expect_pixels(source, 2, idx.bytes + 20 + 2 * H * W * C, H * W * C);
    clc_source_close(&source);
    clc_config_data config = config_of("colour", NULL);
    config.transpose = true;
    source = open_train(&config);
    assert_int_equal(source->height, W);
    assert_int_equal(source->width, H);
    CHECK(clc_source_read(source, 1, &options, &image));
    assert_int_equal(image.height, W);
    for (size_t y = 0; y < H; y++)
        for (size_t x = 0; x < W; x++)
            assert_memory_equal(image.pixels + (x * H + y) * C,
                                idx.bytes + 20 + ((H + y) * W + x) * C, C);
    clc_image_free(&image);
    clc_source_close(&source);
}

/* Two pictures of one pixel in elements of another type, big-endian. */
static void expect_scaled(uint32_t type, const char *bytes, size_t n, double low, double high,
                          int first, int second) {
    idx_bytes idx = make_idx(type << 8 | 3, 3, (uint32_t[]){2, 1, 1}, 0);
    memcpy(idx.bytes + idx.n, bytes, n);
    idx.n += n;
    put_idx("typed", idx);
    clc_config_data config = config_of("typed", NULL);
    clc_image_options options = plain_options();
    clc_image image;
    if (low != high)
        config.range = (clc_floats){.count = 2, .values = {low, high}};
    options.low = low;
    options.high = high;
    clc_source *source = open_train(&config);
    for (size_t i = 0; i < 2; i++) {
        CHECK(clc_source_read(source, i, &options, &image));
        assert_int_equal(image.pixels[0], i ? second : first);
        clc_image_free(&image);
    }
    clc_source_close(&source);
}

static void reads_other_elements(void **state) {
    (void)state;
    expect_scaled(0x09, "\x80\x7f", 2, -128, 127, 0, 255);
    expect_scaled(0x0b, "\x00\x64\xff\x38", 4, -200, 200, 191, 0);
    expect_scaled(0x0b, "\x0f\xff\x10\x00", 4, 0, 4095, 255, 255);
    expect_scaled(0x0c, "\x00\x01\x00\x00\x00\x00\x00\x00", 8, 0, 131072, 128, 0);
    expect_scaled(0x0d, "\x3f\x80\x00\x00\x3f\x00\x00\x00", 8, 0, 0, 255, 128);
    expect_scaled(0x0d, "\x7f\xc0\x00\x00\x3e\x80\x00\x00", 8, 0, 0, 0, 64); /* not a number */
    expect_scaled(0x0e, "\x40\x00\x00\x00\x00\x00\x00\x00\xbf\xf0\x00\x00\x00\x00\x00\x00", 16, -1,
                  2, 255, 0);
}

static void asks_for_a_range(void **state) {
    (void)state;
    clc_source *source;
    idx_bytes idx = make_idx(0xb03, 3, (uint32_t[]){2, 1, 1}, 0);
    memcpy(idx.bytes + idx.n, "\x00\x64\xff\x38", 4);
    idx.n += 4;
    put_idx("typed", idx);
    CHECK_FAILS(load("typed", NULL, &source), CLC_FORMAT,
                "elements of int16, from -200 to 100 in the first pictures; set data.range");
    idx = make_idx(0xd03, 3, (uint32_t[]){1, 1, 1}, 0);
    memcpy(idx.bytes + idx.n, "\x43\x7f\x00\x00", 4);
    idx.n += 4;
    put_idx("typed", idx);
    CHECK_FAILS(load("typed", NULL, &source), CLC_FORMAT, "float32, from 255 to 255");
    assert_null(source);
}

/* Images made of these are refused with the message, which names the file. */
static void expect_refused(idx_bytes idx, const char *message) {
    clc_source *source;
    put_idx("bad", idx);
    CHECK_FAILS(load("bad", NULL, &source), CLC_FORMAT, message);
    assert_null(source);
    assert_non_null(strstr(clc_error(), in_folder("bad")));
}

static void refuses_bad_headers(void **state) {
    (void)state;
    const uint32_t big = 0xffffffff;
    expect_refused(make_idx(0x801, 1, (uint32_t[]){N}, N), "images and labels are not exchanged");
    expect_refused(make_idx(0x802, 2, (uint32_t[]){N, H}, 15), "an array of rank 2");
    expect_refused(make_idx(0x809, 3, (uint32_t[]){N, H, W}, 30), "magic number 0x00000809");
    expect_refused(make_idx(0x800, 3, (uint32_t[]){N, H, W}, 30), "magic number 0x00000800");
    expect_refused(make_idx(0xa03, 3, (uint32_t[]){N, H, W}, 30), "magic number 0x00000a03");
    expect_refused(make_idx(0x01000803, 3, (uint32_t[]){N, H, W}, 30), "magic number 0x01000803");
    expect_refused(make_idx(0x803, 3, (uint32_t[]){0, H, W}, 0), "size 1 of 3 is 0");
    expect_refused(make_idx(0x803, 3, (uint32_t[]){N, H, 0}, 0), "size 3 of 3 is 0");
    expect_refused(make_idx(0x803, 3, (uint32_t[]){big, H, W}, 30), "promises 4294967295 items");
    expect_refused(make_idx(0x803, 3, (uint32_t[]){big, big, W}, 30), "more bytes than a file");
    expect_refused(make_idx(0x803, 3, (uint32_t[]){1, 1 << 16, 1}, 1 << 9), "truncated");
    expect_refused(make_idx(0x804, 4, (uint32_t[]){1, 1, 1, 17}, 17), "17 channels");
    expect_refused(make_idx(0x804, 4, (uint32_t[]){1, 3, 1, 20}, 60), "seems to be (N,C,H,W)");
    /* Much is promised, none is there, and no memory is asked for. */
    expect_refused(make_idx(0x804, 4, (uint32_t[]){INT32_MAX, 32768, 32768, 3}, 60), "truncated");
    put_gzip("bad.gz", make_idx(0x804, 4, (uint32_t[]){INT32_MAX, 32768, 32768, 1}, 60));
    clc_source *source;
    CHECK_FAILS(load("bad.gz", NULL, &source), CLC_FORMAT, "truncated");
}

static void refuses_wrong_lengths(void **state) {
    (void)state;
    for (size_t n = 0; n < good_images().n; n++) {
        idx_bytes idx = good_images();
        char message[64];
        idx.n = n;
        snprintf(message, sizeof message, "promises 5 items of 6 bytes, %zu are present",
                 n < 16 ? 0 : (n - 16) / (H * W));
        expect_refused(idx, n < 16 ? "ends within its header" : message);
    }
    expect_refused(make_idx(0x803, 3, (uint32_t[]){N, H, W}, N * H * W + 1), "more data follow");
}

static void refuses_bad_labels(void **state) {
    (void)state;
    clc_source *source;
    put_idx("images", good_images());
    put_idx("labels", make_idx(0x801, 1, (uint32_t[]){N + 1}, N + 1));
    CHECK_FAILS(load("images", "labels", &source), CLC_FORMAT, "has 6 labels");
    put_idx("labels", make_idx(0x801, 1, (uint32_t[]){N}, N - 1));
    CHECK_FAILS(load("images", "labels", &source), CLC_FORMAT, "4 are present");
    put_idx("labels", make_idx(0x801, 1, (uint32_t[]){N}, N + 1));
    CHECK_FAILS(load("images", "labels", &source), CLC_FORMAT, "more data follow");
    CHECK_FAILS(load("images", "images", &source), CLC_FORMAT, "rank 3; classes are of rank 1");
    CHECK_FAILS(load("images", "none", &source), CLC_IO, "none: No such file");
    CHECK_FAILS(load("none", "labels", &source), CLC_IO, "none: No such file");
    CHECK_FAILS(load(".", NULL, &source), CLC_IO, "cannot read");
    assert_null(source);
    idx_bytes labels = make_idx(0xd01, 1, (uint32_t[]){N}, 4 * N);
    put_idx("labels", labels);
    CHECK_FAILS(load("images", "labels", &source), CLC_FORMAT, "no whole numbers");
}

/* A cut or a flipped byte anywhere in a gzip file is noticed, or changes nothing that is read (time
 * stamp, operating system, the bits that fill the last byte before the checksum). */
static void refuses_damaged_gzip(void **state) {
    (void)state;
    clc_source *source;
    size_t n;
    put_gzip("images.gz", good_images());
    uint8_t *file = get_file(in_folder("images.gz"), &n);
    for (size_t cut = 1; cut < n; cut++) {
        put_file(in_folder("bad"), file, n - cut);
        CHECK_FAILS(load("bad", NULL, &source), CLC_FORMAT, "bad");
    }
    int refused = 0;
    for (size_t i = 0; i < n; i++) {
        file[i] ^= 0x80;
        put_file(in_folder("bad"), file, n);
        file[i] ^= 0x80;
        if (load("bad", NULL, &source) != CLC_OK) {
            refused++;
            continue;
        }
        assert_true((i >= 4 && i <= 9) || i == n - 9);
        expect_good(source);
        clc_source_close(&source);
    }
    assert_true(refused >= (int)n - 7);
    free(file);
}

static void notices_changes(void **state) {
    (void)state;
    clc_source *source;
    clc_image_options options = plain_options();
    clc_image image;
    put_idx("changing", good_images());
    CHECK(load("changing", NULL, &source));
    put_file(in_folder("changing"), "cut", 3);
    CHECK_FAILS(clc_source_read(source, 1, &options, &image), CLC_IO,
                "has changed since the list was read");
    assert_null(image.pixels);
    clc_source_close(&source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_plain_and_gzip), cmocka_unit_test(finds_labels_beside),
        cmocka_unit_test(reads_qmnist_labels),  cmocka_unit_test(reads_colour_and_transposes),
        cmocka_unit_test(reads_other_elements), cmocka_unit_test(asks_for_a_range),
        cmocka_unit_test(refuses_bad_headers),  cmocka_unit_test(refuses_wrong_lengths),
        cmocka_unit_test(refuses_bad_labels),   cmocka_unit_test(refuses_damaged_gzip),
        cmocka_unit_test(notices_changes),
    };
    return cmocka_run_group_tests_name("idx", tests, make_test_folder, remove_test_folder);
}
