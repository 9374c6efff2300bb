#include "folder.h"

#include "harness.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[256];

int make_folder(void **state) {
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(root, sizeof root, "%s/clc-device-XXXXXX", base && *base ? base : "/tmp");
    return mkdtemp(root) ? 0 : -1;
}

static void remove_tree(const char *path) {
    char inner[1024];
    struct stat info;
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        snprintf(inner, sizeof inner, "%.500s/%.500s", path, entry->d_name);
        if (lstat(inner, &info) == 0 && S_ISDIR(info.st_mode))
            remove_tree(inner);
        else
            unlink(inner);
    }
    if (directory)
        closedir(directory);
    rmdir(path);
}

int remove_folder(void **state) {
    (void)state;
    remove_tree(root);
    return 0;
}

const char *in_folder(const char *name) {
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%.250s/%.250s", root, name);
    return path;
}

void put_file(const char *path, const void *data, size_t size) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

unsigned char *get_file(const char *path, size_t *size) {
    struct stat info;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &info), 0);
    *size = (size_t)info.st_size;
    unsigned char *data = malloc(*size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *size, file), *size);
    fclose(file);
    return data;
}

int list_folder(const char *folder, char *path) {
    int count = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (path && !count)
            snprintf(path, 512, "%.250s/%.250s", folder, entry->d_name);
        count++;
    }
    if (directory)
        closedir(directory);
    return count;
}

FILE *start_child(const char *argument) {
    char program[512], command[700];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    assert_true(length > 0);
    program[length] = '\0';
    snprintf(command, sizeof command, "'%s' '%.150s'", program, argument);
    FILE *child = popen(command, "r");
    assert_non_null(child);
    return child;
}

void run_child(const char *argument, char *output, size_t size) {
    FILE *child = start_child(argument);
    size_t length = fread(output, 1, size - 1, child);
    output[length] = '\0';
    if (pclose(child) != 0)
        fail_msg("'%s' failed: %s", argument, output);
}
