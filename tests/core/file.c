/* Atomic writing: whatever fails, the old file stays and no temporary file is left. */
#include "core/file.h"
#include "support.h"
#include "tap.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The error of the next call of each kind; 0: the call does its work. */
static int fsync_error, fclose_error, rename_error;
static int fsync_calls;

int __real_fsync(int descriptor);
int __wrap_fsync(int descriptor);
int __real_fclose(FILE *file);
int __wrap_fclose(FILE *file);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

static int fail_once(int *error) {
    errno = *error;
    *error = 0;
    return -1;
}

int __wrap_fsync(int descriptor) {
    fsync_calls++;
    return fsync_error ? fail_once(&fsync_error) : __real_fsync(descriptor);
}

int __wrap_fclose(FILE *file) {
    int result = __real_fclose(file);
    return fclose_error ? fail_once(&fclose_error) : result;
}

int __wrap_rename(const char *from, const char *to) {
    return rename_error ? fail_once(&rename_error) : __real_rename(from, to);
}

static void expect_text(const char *path, const char *text) {
    void *data;
    size_t n;
    CHECK(clc_file_read_all(path, 1000, &data, &n));
    assert_int_equal(n, strlen(text));
    assert_string_equal(data, text);
    free(data);
}

static void writes_and_replaces(void **state) {
    (void)state;
    const char *path = in_folder("a.txt");
    clc_file_writer *writer;
    CHECK(clc_file_writer_open(path, &writer));
    CHECK(clc_file_writer_write(writer, "one", 3));
    CHECK(clc_file_writer_print(writer, ", %d", 2));
    assert_int_equal(access(path, F_OK), -1);
    fsync_calls = 0;
    CHECK(clc_file_writer_commit(&writer));
    assert_null(writer);
    assert_int_equal(fsync_calls, 2); /* the file and its folder */
    expect_text(path, "one, 2");
    CHECK(clc_file_write_all(path, "new", 3));
    expect_text(path, "new");
    CHECK(clc_file_write_all(path, NULL, 0));
    expect_text(path, "");
    assert_int_equal(count_files(), 1);
}

static void rewrites_what_stands_before(void **state) {
    (void)state;
    clc_file_writer *writer;
    CHECK(clc_file_writer_open(in_folder("r.txt"), &writer));
    CHECK(clc_file_writer_write(writer, "....body", 8));
    CHECK(clc_file_writer_rewrite(writer, 0, "head", 4));
    CHECK(clc_file_writer_write(writer, ", end", 5));
    CHECK(clc_file_writer_commit(&writer));
    expect_text(in_folder("r.txt"), "headbody, end");
    unlink(in_folder("r.txt"));
}

static void abort_keeps_the_old_file(void **state) {
    (void)state;
    const char *path = in_folder("a.txt");
    clc_file_writer *writer = NULL;
    clc_file_writer_abort(&writer);
    put_file(path, "old", 3);
    CHECK(clc_file_writer_open(path, &writer));
    CHECK(clc_file_writer_write(writer, "new", 3));
    clc_file_writer_abort(&writer);
    assert_null(writer);
    expect_text(path, "old");
    assert_int_equal(count_files(), 1);
}

static void two_writers_do_not_meet(void **state) {
    (void)state;
    const char *path = in_folder("a.txt");
    clc_file_writer *first, *second;
    CHECK(clc_file_writer_open(path, &first));
    CHECK(clc_file_writer_open(path, &second));
    CHECK(clc_file_writer_write(first, "first", 5));
    CHECK(clc_file_writer_write(second, "second", 6));
    CHECK(clc_file_writer_commit(&first));
    expect_text(path, "first");
    CHECK(clc_file_writer_commit(&second));
    expect_text(path, "second");
    assert_int_equal(count_files(), 1);
}

static void failing_calls_keep_the_old_file(void **state) {
    (void)state;
    static const struct {
        int *error;
        int value;
    } cases[] = {
        {&fsync_error, ENOSPC},  {&fsync_error, EIO},     {&fclose_error, ENOSPC},
        {&fclose_error, EDQUOT}, {&rename_error, ENOSPC}, {&rename_error, EACCES},
    };
    const char *path = in_folder("a.txt");
    put_file(path, "old", 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        *cases[i].error = cases[i].value;
        CHECK_FAILS(clc_file_write_all(path, "new", 3), CLC_IO, strerror(cases[i].value));
        assert_non_null(strstr(clc_error(), path));
        assert_int_equal(*cases[i].error, 0);
        expect_text(path, "old");
        assert_int_equal(count_files(), 1);
    }
}

/* Beyond the limit write() fails as on a full disk, in the middle of a buffered file. */
static void full_disk(void **state) {
    (void)state;
    const char *path = in_folder("a.txt");
    static char data[1 << 20];
    struct rlimit old, small;
    put_file(path, "old", 3);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 100000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    clc_status status = clc_file_write_all(path, data, sizeof data);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, handler);
    CHECK_FAILS(status, CLC_IO, strerror(EFBIG));
    expect_text(path, "old");
    assert_int_equal(count_files(), 1);
}

/* A device keeps its place, and tells of a full disk when the buffer is written. */
static void devices_are_written_directly(void **state) {
    (void)state;
    struct stat info;
    if (access("/dev/full", W_OK) != 0 || access("/dev/null", W_OK) != 0)
        skip();
    CHECK_FAILS(clc_file_write_all("/dev/full", "new", 3), CLC_IO, strerror(ENOSPC));
    CHECK(clc_file_write_all("/dev/null", "new", 3));
    assert_int_equal(stat("/dev/null", &info), 0);
    assert_true(S_ISCHR(info.st_mode));
}

static void links_stay_links(void **state) {
    (void)state;
    const char *target = in_folder("a.txt"), *path = in_folder("link");
    struct stat info;
    put_file(target, "old", 3);
    assert_int_equal(symlink("a.txt", path), 0);
    CHECK(clc_file_write_all(path, "new", 3));
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    expect_text(target, "new");
    unlink(path);
}

static void unusable_paths(void **state) {
    (void)state;
    put_file(in_folder("a.txt"), "old", 3);
    CHECK_FAILS(clc_file_write_all(in_folder("none/a"), "x", 1), CLC_IO, strerror(ENOENT));
    CHECK_FAILS(clc_file_write_all(in_folder("a.txt/b"), "x", 1), CLC_IO, strerror(ENOTDIR));
    CHECK_FAILS(clc_file_write_all(in_folder("."), "x", 1), CLC_IO, strerror(EISDIR));
    CHECK_FAILS(clc_file_write_all("", "x", 1), CLC_IO, strerror(ENOENT));
    if (geteuid() != 0) { /* root may write everywhere */
        const char *locked = in_folder("locked");
        assert_int_equal(mkdir(locked, 0500), 0);
        CHECK_FAILS(clc_file_write_all(in_folder("locked/a"), "x", 1), CLC_IO, strerror(EACCES));
        rmdir(locked);
    }
    assert_int_equal(count_files(), 1);
}

static void reads(void **state) {
    (void)state;
    void *data;
    size_t n, sizes[] = {0, 1, 65535, 65536, 65537, 300000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *want = malloc(sizes[i] + 1);
        for (size_t k = 0; k < sizes[i]; k++)
            want[k] = (uint8_t)(k * 7 + k / 251);
        put_file(in_folder("a.txt"), want, sizes[i]);
        CHECK(clc_file_read_all(in_folder("a.txt"), sizes[i], &data, &n));
        assert_int_equal(n, sizes[i]);
        assert_memory_equal(data, want, n);
        assert_int_equal(((uint8_t *)data)[n], 0);
        free(data);
        if (sizes[i] > 0)
            CHECK_FAILS(clc_file_read_all(in_folder("a.txt"), sizes[i] - 1, &data, &n), CLC_FORMAT,
                        "at most");
        free(want);
    }
    CHECK_FAILS(clc_file_read_all(in_folder("none"), 10, &data, &n), CLC_IO, strerror(ENOENT));
    assert_null(data);
    CHECK_FAILS(clc_file_read_all(in_folder("."), 10, &data, &n), CLC_IO, strerror(EISDIR));
    /* Files that don't tell their size. */
    CHECK_FAILS(clc_file_read_all("/dev/zero", 200000, &data, &n), CLC_FORMAT, "at most 200000");
    CHECK(clc_file_read_all("/dev/null", 10, &data, &n));
    assert_int_equal(n, 0);
    free(data);
}

static void makes_folders(void **state) {
    (void)state;
    CHECK(clc_make_folders(in_folder("x/y//z/")));
    CHECK(clc_make_folders(in_folder("x/y/z")));
    CHECK(clc_make_folders("/"));
    CHECK(clc_file_write_all(in_folder("x/y/z/a"), "x", 1));
    CHECK_FAILS(clc_make_folders(in_folder("x/y/z/a/b")), CLC_IO, strerror(ENOTDIR));
    CHECK_FAILS(clc_make_folders(in_folder("x/y/z/a")), CLC_IO, strerror(ENOTDIR));
    CHECK_FAILS(clc_make_folders(""), CLC_IO, strerror(ENOENT));
}

int main(void) {
    tap_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_replaces),
        cmocka_unit_test(rewrites_what_stands_before),
        cmocka_unit_test(abort_keeps_the_old_file),
        cmocka_unit_test(two_writers_do_not_meet),
        cmocka_unit_test(failing_calls_keep_the_old_file),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(devices_are_written_directly),
        cmocka_unit_test(links_stay_links),
        cmocka_unit_test(unusable_paths),
        cmocka_unit_test(reads),
        cmocka_unit_test(makes_folders),
    };
    return cmocka_run_group_tests_name("file", tests, make_test_folder, remove_test_folder);
}
