/* TensorBoard's event files: checksums, and records read back. */
#include "report/events.h"

#include "../device/folder.h"
#include "harness.h"
#include "tap.h"

#include <string.h>

static void checksums_are_those_of_castagnoli(void **state) {
    (void)state;
    uint8_t bytes[32];
    assert_int_equal(clc_crc32c("123456789", 9), 0xE3069283u);
    assert_int_equal(clc_crc32c("", 0), 0);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(clc_crc32c(bytes, 32), 0x8A9136AAu); /* RFC 3720, B.4 */
    memset(bytes, 0xFF, sizeof bytes);
    assert_int_equal(clc_crc32c(bytes, 32), 0x62A8AB43u);
}

static uint64_t number(const uint8_t *at, int bytes) {
    uint64_t value = 0;
    for (int i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

static uint32_t masked(const uint8_t *data, size_t n) {
    const uint32_t crc = clc_crc32c(data, n);
    return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

static void records_have_lengths_and_checksums(void **state) {
    (void)state;
    char folder[512], path[512];
    FILE *file = NULL;
    size_t size, at = 0, records = 0;
    static const uint8_t picture[] = {1, 2, 3, 4};
    snprintf(folder, sizeof folder, "%s", in_folder("x"));
    *strrchr(folder, '/') = '\0';
    CHECK(clc_events_open(folder, -1, &file));
    clc_events_scalar(file, 300, "loss", 2.5);
    const clc_events_picture p = {picture, sizeof picture, 7, 300};
    CHECK(clc_events_image(file, 300, "views", &p));
    fclose(file);
    assert_int_equal(list_folder(folder, path), 1);
    uint8_t *data = get_file(path, &size);
    for (; at < size; records++) {
        const size_t n = (size_t)number(data + at, 8);
        assert_true(at + 16 + n <= size);
        assert_int_equal(number(data + at + 8, 4), masked(data + at, 8));
        assert_int_equal(number(data + at + 12 + n, 4), masked(data + at + 12, n));
        if (records == 1) { /* wall_time, step 300, summary {value {tag, simple_value}} */
            static const uint8_t rest[] = {0x10, 0xAC, 2,   0x2A, 13,   0x0A, 11, 0x0A, 4,
                                           'l',  'o',  's', 's',  0x15, 0,    0,  0x20, 0x40};
            assert_int_equal(n, 9 + sizeof rest);
            assert_memory_equal(data + at + 12 + 9, rest, sizeof rest);
        }
        at += n + 16;
    }
    assert_int_equal(at, size);
    assert_int_equal(records, 3);
    free(data);
    CHECK(clc_events_open(folder, 8, &file)); /* resumed: beside the former */
    fclose(file);
    assert_int_equal(list_folder(folder, NULL), 2);
    CHECK(clc_events_open(folder, -1, &file)); /* anew */
    fclose(file);
    assert_int_equal(list_folder(folder, NULL), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_those_of_castagnoli),
        cmocka_unit_test(records_have_lengths_and_checksums),
    };
    tap_begin();
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
