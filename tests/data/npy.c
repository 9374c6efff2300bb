/* .npy files, byte by byte. */
#include "data/npy.h"
#include "support.h"

#include <unistd.h>

/* Checks magic, version, header text and padding; returns the data and how many bytes they are. */
static uint8_t *expect_header(const char *path, const char *text, size_t *bytes) {
    size_t n;
    uint8_t *file = get_file(path, &n);
    assert_true(n >= 64);
    assert_memory_equal(file, "\x93NUMPY\x01\x00", 8);
    size_t length = (size_t)file[8] + 256u * file[9];
    assert_int_equal((10 + length) % 64, 0);
    assert_true(n >= 10 + length);
    assert_memory_equal(file + 10, text, strlen(text));
    for (size_t i = 10 + strlen(text); i < 9 + length; i++)
        assert_int_equal(file[i], ' ');
    assert_int_equal(file[9 + length], '\n');
    *bytes = n - 10 - length;
    memmove(file, file + 10 + length, *bytes);
    return file;
}

static void writes_f32(void **state) {
    (void)state;
    static const float values[6] = {0, -1.5f, 3e38f, 1e-40f, 7, 8};
    size_t bytes;
    CHECK(clc_npy_write_f32(in_folder("a.npy"), values, 2, 3));
    uint8_t *data = expect_header(
        in_folder("a.npy"), "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", &bytes);
    assert_int_equal(bytes, sizeof values);
    assert_memory_equal(data, values, sizeof values);
    free(data);
    CHECK(clc_npy_write_f32(in_folder("a.npy"), values, 0, 3));
    data = expect_header(in_folder("a.npy"),
                         "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }", &bytes);
    assert_int_equal(bytes, 0);
    free(data);
}

static void writes_i64(void **state) {
    (void)state;
    static const int64_t values[5] = {0, -1, INT64_MAX, INT64_MIN, 1234567890123};
    size_t bytes;
    CHECK(clc_npy_write_i64(in_folder("b.npy"), values, 5));
    uint8_t *data = expect_header(
        in_folder("b.npy"), "{'descr': '<i8', 'fortran_order': False, 'shape': (5,), }", &bytes);
    assert_int_equal(bytes, sizeof values);
    assert_memory_equal(data, values, sizeof values);
    free(data);
}

/* A matrix whose number of rows is known at its end only; nothing of one that isn't ended. */
static void writes_rows_as_they_come(void **state) {
    (void)state;
    static const float values[6] = {0, -1.5f, 3e38f, 1e-40f, 7, 8};
    clc_npy_writer writer;
    size_t bytes;
    CHECK(clc_npy_begin_f32(in_folder("c.npy"), 2, &writer));
    CHECK(clc_npy_rows_f32(&writer, values, 1));
    CHECK(clc_npy_rows_f32(&writer, values + 2, 2));
    CHECK(clc_npy_end(&writer));
    uint8_t *data = expect_header(
        in_folder("c.npy"), "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", &bytes);
    assert_int_equal(bytes, sizeof values);
    assert_memory_equal(data, values, sizeof values);
    free(data);
    CHECK(clc_npy_begin_f32(in_folder("d.npy"), 2, &writer));
    CHECK(clc_npy_rows_f32(&writer, values, 1));
    clc_npy_abort(&writer);
    clc_npy_abort(&writer);
    assert_int_equal(access(in_folder("d.npy"), F_OK), -1);
}

static void reports_failure(void **state) {
    (void)state;
    float one = 1;
    CHECK_FAILS(clc_npy_write_f32(in_folder("none/a.npy"), &one, 1, 1), CLC_IO, "none/a.npy");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_f32),
        cmocka_unit_test(writes_i64),
        cmocka_unit_test(writes_rows_as_they_come),
        cmocka_unit_test(reports_failure),
    };
    return cmocka_run_group_tests_name("npy", tests, make_test_folder, remove_test_folder);
}
