#include "support.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[512];

int make_test_folder(void **state) {
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%s/clc-test.XXXXXX", base && *base ? base : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static void remove_tree(const char *path) {
    DIR *directory = opendir(path);
    struct dirent *entry;
    struct stat info;
    char inner[1024];
    while (directory && (entry = readdir(directory))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (lstat(inner, &info) == 0 && S_ISDIR(info.st_mode))
            remove_tree(inner);
        else
            unlink(inner);
    }
    if (directory)
        closedir(directory);
    rmdir(path);
}

int remove_test_folder(void **state) {
    (void)state;
    remove_tree(folder);
    return access(folder, F_OK) == 0 ? -1 : 0;
}

const char *in_folder(const char *name) {
    static char paths[8][1024];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

int count_files(void) {
    DIR *directory = opendir(folder);
    struct dirent *entry;
    int n = 0;
    assert_non_null(directory);
    while ((entry = readdir(directory)))
        n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
    closedir(directory);
    return n;
}

void put_file(const char *path, const void *data, size_t n) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

uint8_t *get_file(const char *path, size_t *n) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    uint8_t *data = malloc((size_t)size + 1);
    assert_non_null(data);
    *n = fread(data, 1, (size_t)size, file);
    assert_int_equal(*n, size);
    fclose(file);
    return data;
}
