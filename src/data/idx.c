/* Pictures in an IDX file, the format of MNIST, EMNIST, QMNIST and Fashion-MNIST. */
#include "data/bare.h"
#include "data/gzip.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool recognise(const char *path) {
    uint8_t head[4];
    size_t got = 0, needed;
    clc_gzip stream;
    clc_array array;
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) || clc_gzip_open(path, &stream) != CLC_OK)
        return false;
    bool good = clc_gzip_read(&stream, head, sizeof head, &got) == CLC_OK && got == sizeof head;
    clc_gzip_close(&stream);
    /* The sizes are missing, the magic number is checked before. */
    if (good)
        clc_idx_parse(head, got, &array, &needed);
    return good && needed > sizeof head;
}

/* Puts `to` in place of the last `from` in text[at...]; false if it isn't there or doesn't fit. */
static bool replace(char *text, size_t size, size_t at, const char *from, const char *to) {
    char *found = NULL;
    for (char *next = text + at; (next = strstr(next, from)); next++)
        found = next;
    size_t n = strlen(from), m = strlen(to);
    if (!found || strlen(text) + m >= size + n)
        return false;
    memmove(found + m, found + n, strlen(found + n) + 1);
    memcpy(found, to, m);
    return true;
}

/* The file of classes that lies beside as its makers named it: images-idx3-ubyte ->
 * labels-idx1-ubyte, QMNIST's labels-idx2-int; packed or not. */
static bool find_labels(const char *path, char *labels, size_t size) {
    static const char *const endings[] = {"idx1-ubyte", "idx1-ubyte.gz", "idx2-int", "idx2-int.gz"};
    size_t base = (size_t)(clc_base_name(path) - path);
    if ((size_t)snprintf(labels, size, "%s", path) >= size ||
        !replace(labels, size, base, "images", "labels"))
        return false;
    char *idx = strstr(labels + base, "idx");
    for (size_t i = 0; idx && i < sizeof endings / sizeof *endings; i++) {
        size_t room = size - (size_t)(idx - labels);
        if ((size_t)snprintf(idx, room, "%s", endings[i]) < room && access(labels, R_OK) == 0)
            return true;
    }
    return false;
}

static clc_status open_part(const clc_config_data *config, const char *path, clc_listing *listing,
                            clc_source_part *part) {
    char beside[4096];
    const char *labels = listing->labels_path;
    if (!labels && find_labels(path, beside, sizeof beside))
        labels = beside;
    return clc_bare_open(config, path, clc_idx_parse, labels, listing, part);
}

const clc_format clc_format_idx = {
    .name = "idx",
    .takes_labels = true,
    .recognise = recognise,
    .open = open_part,
    .read = clc_bare_read,
    .probe = clc_bare_probe,
    .close = clc_bare_close,
};
