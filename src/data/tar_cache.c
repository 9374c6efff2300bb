#define _XOPEN_SOURCE 700 /* realpath */
#include "data/tar_cache.h"

#include "core/cache.h"
#include "core/file.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* The file: a line with the format's version and the hash of what follows, the key, and the parts
 * of an index, each with its length. */
static const char version[8] = "clclist1";

enum { MAX_KEY = 4096 + 32 };

typedef struct header {
    char version[8];
    uint64_t hash;
} header;

/* Grows as it is written. */
typedef struct output {
    uint8_t *bytes;
    size_t n, capacity;
} output;

static clc_status put(output *out, const void *bytes, size_t n) {
    if (out->n + n > out->capacity) {
        size_t capacity = 2 * (out->n + n);
        uint8_t *grown = realloc(out->bytes, capacity);
        if (!grown)
            return clc_fail_alloc(capacity);
        out->bytes = grown;
        out->capacity = capacity;
    }
    if (n > 0)
        memcpy(out->bytes + out->n, bytes, n);
    out->n += n;
    return CLC_OK;
}

static clc_status put_block(output *out, const void *bytes, uint64_t n) {
    clc_status status = put(out, &n, sizeof n);
    return status == CLC_OK ? put(out, bytes, (size_t)n) : status;
}

/* A block of the file; false if it doesn't lie in the rest. */
static bool get_block(const uint8_t **at, const uint8_t *end, const uint8_t **block, size_t *n) {
    uint64_t length;
    if ((size_t)(end - *at) < sizeof length)
        return false;
    memcpy(&length, *at, sizeof length);
    *at += sizeof length;
    if (length > (size_t)(end - *at))
        return false;
    *block = *at;
    *n = (size_t)length;
    *at += length;
    return true;
}

/* Names that end with a zero each. */
static bool get_names(const uint8_t **at, const uint8_t *end, clc_names *names) {
    const uint8_t *block;
    size_t n;
    if (!get_block(at, end, &block, &n) || (n > 0 && block[n - 1] != 0))
        return false;
    for (size_t i = 0; i < n;) {
        size_t length = strlen((const char *)block + i);
        if (clc_names_add(names, (const char *)block + i, length) != CLC_OK)
            return false;
        i += length + 1;
    }
    return true;
}

static bool get_members(const uint8_t **at, const uint8_t *end, clc_tar_index *index) {
    const uint8_t *block;
    size_t n;
    if (!get_block(at, end, &block, &n) || n / sizeof *index->members != index->names.count ||
        n % sizeof *index->members != 0)
        return false;
    index->members = malloc(n + 1);
    if (!index->members)
        return false;
    memcpy(index->members, block, n);
    index->capacity = index->names.count;
    for (size_t i = 0; i < index->names.count; i++)
        if (index->members[i].label < -1 || index->members[i].label >= (int64_t)index->labels.count)
            return false;
    return true;
}

bool clc_tar_cache_parse(const void *bytes, size_t n, const char *key, clc_tar_index *index) {
    const uint8_t *at = bytes, *end = at + n, *block;
    header head;
    size_t length;
    uint64_t passed_over;
    *index = (clc_tar_index){0};
    if (n < sizeof head)
        return false;
    memcpy(&head, at, sizeof head);
    at += sizeof head;
    if (memcmp(head.version, version, sizeof version) ||
        head.hash != XXH3_64bits(at, (size_t)(end - at)) || !get_block(&at, end, &block, &length) ||
        length != strlen(key) || memcmp(block, key, length))
        return false;
    bool good = get_names(&at, end, &index->names) && get_names(&at, end, &index->labels) &&
                get_members(&at, end, index) && get_names(&at, end, &index->bad.entries) &&
                index->bad.entries.count % 2 == 0 && get_block(&at, end, &block, &length) &&
                length == sizeof passed_over && at == end;
    if (!good) {
        clc_tar_index_free(index);
        return false;
    }
    memcpy(&passed_over, block, sizeof passed_over);
    index->passed_over = (size_t)passed_over;
    index->bad.count = index->bad.entries.count / 2;
    return true;
}

/* What an index is of, and the place of its file. */
static bool locate(const char *path, uint64_t stamp, char key[MAX_KEY], bool create, char *file,
                   size_t size) {
    char name[24];
    char *whole = realpath(path, NULL);
    int n = whole ? snprintf(key, MAX_KEY, "%016llx %s", (unsigned long long)stamp, whole) : -1;
    bool good = n > 0 && n < MAX_KEY;
    /* By the path alone: the index of an archive that has changed is replaced. */
    if (good)
        snprintf(name, sizeof name, "%016llx",
                 (unsigned long long)XXH3_64bits(whole, strlen(whole)));
    free(whole);
    return good && clc_cache_path("lists", name, create, file, size);
}

bool clc_tar_cache_load(const char *path, uint64_t stamp, clc_tar_index *index) {
    char key[MAX_KEY], file[4096];
    void *bytes = NULL;
    size_t n;
    if (!locate(path, stamp, key, false, file, sizeof file) ||
        clc_file_read_all(file, SIZE_MAX / 2, &bytes, &n) != CLC_OK)
        return false;
    bool good = clc_tar_cache_parse(bytes, n, key, index);
    free(bytes);
    return good;
}

void clc_tar_cache_save(const char *path, uint64_t stamp, const clc_tar_index *index) {
    clc_status status = CLC_OK;
    char key[MAX_KEY], file[4096];
    output out = {0};
    header head = {0};
    uint64_t passed_over = index->passed_over;
    if (!locate(path, stamp, key, true, file, sizeof file))
        return;
    CLC_TRY(put(&out, &head, sizeof head));
    CLC_TRY(put_block(&out, key, strlen(key)));
    CLC_TRY(put_block(&out, index->names.text, index->names.bytes));
    CLC_TRY(put_block(&out, index->labels.text, index->labels.bytes));
    CLC_TRY(put_block(&out, index->members, index->names.count * sizeof *index->members));
    CLC_TRY(put_block(&out, index->bad.entries.text, index->bad.entries.bytes));
    CLC_TRY(put_block(&out, &passed_over, sizeof passed_over));
    memcpy(head.version, version, sizeof version);
    head.hash = XXH3_64bits(out.bytes + sizeof head, out.n - sizeof head);
    memcpy(out.bytes, &head, sizeof head);
    clc_file_write_all(file, out.bytes, out.n);
fail:
    (void)status;
    free(out.bytes);
}
