/* IDX files, plain and gzip, whole and damaged in every way. */
#include "data/dataset.h"
#include "support.h"

#include <zlib.h>

enum { N = 5, H = 3, W = 2, C = 3 };

/* An IDX file in memory. */
typedef struct idx_bytes {
    uint8_t bytes[512];
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

static clc_status load(const char *images, const char *labels, size_t limit, clc_dataset **out) {
    return clc_dataset_load("idx", in_folder(images), labels ? in_folder(labels) : NULL, limit,
                            out);
}

static void expect_good(const clc_dataset *dataset, size_t count) {
    idx_bytes images = good_images(), labels = good_labels();
    assert_int_equal(dataset->count, count);
    assert_int_equal(dataset->height, H);
    assert_int_equal(dataset->width, W);
    assert_int_equal(dataset->channels, 1);
    assert_int_equal(dataset->classes, 75);
    assert_memory_equal(dataset->pixels, images.bytes + 16, count * H * W);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(dataset->labels[i], labels.bytes[8 + i]);
}

static void loads_plain_and_gzip(void **state) {
    (void)state;
    clc_dataset *dataset;
    put_idx("images", good_images());
    put_idx("labels", good_labels());
    put_gzip("images.gz", good_images());
    put_gzip("labels.gz", good_labels());
    for (int i = 0; i < 4; i++) {
        CHECK(load(i & 1 ? "images.gz" : "images", i & 2 ? "labels.gz" : "labels", 0, &dataset));
        expect_good(dataset, N);
        assert_string_equal(dataset->name, "images");
        clc_dataset_free(&dataset);
        assert_null(dataset);
    }
    clc_dataset_free(&dataset);
}

static void limit_and_no_labels(void **state) {
    (void)state;
    clc_dataset *dataset;
    put_idx("images", good_images());
    put_idx("labels", good_labels());
    CHECK(load("images", "labels", 2, &dataset));
    expect_good(dataset, 2);
    clc_dataset_free(&dataset);
    CHECK(load("images", "labels", 99, &dataset));
    expect_good(dataset, N);
    clc_dataset_free(&dataset);
    CHECK(load("images", NULL, 0, &dataset));
    assert_null(dataset->labels);
    assert_int_equal(dataset->classes, 0);
    clc_dataset_free(&dataset);
    CHECK(clc_dataset_load("idx", in_folder("images"), "", 0, &dataset));
    assert_null(dataset->labels);
    clc_dataset_free(&dataset);
}

static void loads_colour(void **state) {
    (void)state;
    clc_dataset *dataset;
    idx_bytes idx = make_idx(0x804, 4, (uint32_t[]){N, H, W, C}, N * H * W * C);
    put_idx("colour", idx);
    CHECK(load("colour", NULL, 0, &dataset));
    assert_int_equal(dataset->channels, C);
    assert_memory_equal(dataset->pixels, idx.bytes + 20, N * H * W * C);
    clc_dataset_free(&dataset);
    put_idx("colour", make_idx(0x804, 4, (uint32_t[]){N, H, W, 1}, N * H * W));
    CHECK(load("colour", NULL, 0, &dataset));
    assert_int_equal(dataset->channels, 1);
    clc_dataset_free(&dataset);
}

/* Loads images made of these, without labels, and expects the message. */
static void expect_refused(idx_bytes idx, const char *message) {
    clc_dataset *dataset;
    put_idx("bad", idx);
    CHECK_FAILS(load("bad", NULL, 0, &dataset), CLC_FORMAT, message);
    assert_null(dataset);
    assert_non_null(strstr(clc_error(), in_folder("bad")));
}

static void refuses_bad_headers(void **state) {
    (void)state;
    const uint32_t big = 0xffffffff;
    expect_refused(make_idx(0x801, 3, (uint32_t[]){N, H, W}, 30), "magic number 0x00000801");
    expect_refused(make_idx(0x802, 3, (uint32_t[]){N, H, W}, 30), "magic number 0x00000802");
    expect_refused(make_idx(0x805, 3, (uint32_t[]){N, H, W}, 30), "magic number 0x00000805");
    expect_refused(make_idx(0xd03, 3, (uint32_t[]){N, H, W}, 30), "magic number 0x00000d03");
    expect_refused(make_idx(0x01000803, 3, (uint32_t[]){N, H, W}, 30), "magic number 0x01000803");
    expect_refused(make_idx(0x803, 3, (uint32_t[]){0, H, W}, 0), "size 1 of 3 is 0");
    expect_refused(make_idx(0x803, 3, (uint32_t[]){N, H, 0}, 0), "size 3 of 3 is 0");
    expect_refused(make_idx(0x803, 3, (uint32_t[]){big, H, W}, 30), "promises 4294967295 items");
    expect_refused(make_idx(0x803, 3, (uint32_t[]){N, 3 << 24, W}, 30), "50331648 x 2 pixels");
    expect_refused(make_idx(0x803, 3, (uint32_t[]){N, H, big}, 30), "3 x 4294967295 pixels");
    expect_refused(make_idx(0x804, 4, (uint32_t[]){N, H, W, 2}, 60), "2 channels");
    expect_refused(make_idx(0x804, 4, (uint32_t[]){N, H, W, big}, 60), "4294967295 channels");
    /* The largest sizes that are allowed: not there, and no memory is asked for. */
    expect_refused(make_idx(0x804, 4, (uint32_t[]){INT32_MAX, 32768, 32768, 3}, 60), "truncated");
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
    clc_dataset *dataset;
    put_idx("images", good_images());
    put_idx("labels", make_idx(0x801, 1, (uint32_t[]){N + 1}, N + 1));
    CHECK_FAILS(load("images", "labels", 0, &dataset), CLC_FORMAT, "has 6 labels");
    put_idx("labels", make_idx(0x801, 1, (uint32_t[]){N}, N - 1));
    CHECK_FAILS(load("images", "labels", 0, &dataset), CLC_FORMAT, "4 are present");
    put_idx("labels", make_idx(0x801, 1, (uint32_t[]){N}, N + 1));
    CHECK_FAILS(load("images", "labels", 0, &dataset), CLC_FORMAT, "more data follow");
    CHECK_FAILS(load("images", "images", 0, &dataset), CLC_FORMAT, "IDX labels begin");
    CHECK_FAILS(load("images", "none", 0, &dataset), CLC_IO, "none: No such file");
    CHECK_FAILS(load("none", "labels", 0, &dataset), CLC_IO, "none: No such file");
    CHECK_FAILS(load(".", NULL, 0, &dataset), CLC_IO, "cannot read");
    CHECK_FAILS(clc_dataset_load("jpeg2", "x", NULL, 0, &dataset), CLC_INVALID, "known: idx");
    assert_null(dataset);
}

/* A cut or a flipped byte anywhere in a gzip file is noticed, or changes nothing that is read (time
 * stamp, operating system, the bits that fill the last byte before the checksum). */
static void refuses_damaged_gzip(void **state) {
    (void)state;
    clc_dataset *dataset;
    size_t n;
    put_gzip("images.gz", good_images());
    put_idx("labels", good_labels());
    uint8_t *file = get_file(in_folder("images.gz"), &n);
    for (size_t cut = 1; cut < n; cut++) {
        put_file(in_folder("bad"), file, n - cut);
        CHECK_FAILS(load("bad", NULL, 0, &dataset), CLC_FORMAT, "bad");
    }
    int refused = 0;
    for (size_t i = 0; i < n; i++) {
        file[i] ^= 0x80;
        put_file(in_folder("bad"), file, n);
        file[i] ^= 0x80;
        if (load("bad", "labels", 0, &dataset) != CLC_OK) {
            refused++;
            continue;
        }
        assert_true((i >= 4 && i <= 9) || i == n - 9);
        expect_good(dataset, N);
        clc_dataset_free(&dataset);
    }
    assert_true(refused >= (int)n - 7);
    free(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_plain_and_gzip),  cmocka_unit_test(limit_and_no_labels),
        cmocka_unit_test(loads_colour),          cmocka_unit_test(refuses_bad_headers),
        cmocka_unit_test(refuses_wrong_lengths), cmocka_unit_test(refuses_bad_labels),
        cmocka_unit_test(refuses_damaged_gzip),
    };
    return cmocka_run_group_tests_name("idx", tests, make_test_folder, remove_test_folder);
}
