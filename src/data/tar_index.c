#include "data/tar_index.h"

#include "data/format.h"

#include <archive.h>
#include <archive_entry.h>
#include <jansson.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LABEL_BYTES = 1 << 20, BLOCK_BYTES = 1 << 16 };

/* libarchive brings names that a format says to be UTF-8 to the locale's encoding. In this one they
 * stay, but for letters and accents, which it composes. Made once: that reads files. */
static locale_t utf8;
static pthread_once_t utf8_once = PTHREAD_ONCE_INIT;

static void make_utf8(void) {
    utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

clc_status clc_tar_open(const char *path, const void *bytes, size_t n, struct archive **out) {
    struct archive *archive = archive_read_new();
    *out = NULL;
    if (!archive)
        return clc_fail_alloc(sizeof(void *));
    /* Not all filters: some run programs. */
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_format_tar(archive);
    archive_read_support_format_zip(archive);
    int code = path ? archive_read_open_filename(archive, path, BLOCK_BYTES)
                    : archive_read_open_memory(archive, bytes, n);
    if (code != ARCHIVE_OK) {
        const char *why = archive_error_string(archive);
        clc_status status = clc_fail(CLC_FORMAT, "%s: no tar or zip archive: %s",
                                     path ? path : "archive", why ? why : "not recognised");
        archive_read_free(archive);
        return status;
    }
    *out = archive;
    return CLC_OK;
}

static clc_status damaged(struct archive *archive) {
    const char *why = archive_error_string(archive);
    return clc_fail(CLC_FORMAT, "the archive is damaged or cut off: %s", why ? why : "unknown");
}

clc_status clc_tar_next(struct archive *archive, struct archive_entry **entry, bool *more) {
    pthread_once(&utf8_once, make_utf8);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    int code = archive_read_next_header(archive, entry);
    if (utf8)
        uselocale(before);
    *more = code == ARCHIVE_OK || code == ARCHIVE_WARN;
    return *more || code == ARCHIVE_EOF ? CLC_OK : damaged(archive);
}

/* Members of a ZIP say how they are compressed, each for itself, and with most ways how much memory
 * that takes: LZMA up to 4 GB, PPMd 256 MB. libarchive's name of the format ends with it: "ZIP 2.0
 * (deflation)". */
static clc_status bounded(struct archive *archive) {
    static const char *const ways[] = {"(uncompressed)", "(deflation)", "(bzip)"};
    const char *format = archive_format_name(archive), *way = format ? strchr(format, '(') : NULL;
    if (archive_format(archive) != ARCHIVE_FORMAT_ZIP || !way)
        return CLC_OK;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (!strcmp(way, ways[i]))
            return CLC_OK;
    return clc_fail(CLC_FORMAT, "compressed in a way that is not read: %s; zip it again, deflated",
                    format);
}

clc_status clc_tar_data(struct archive *archive, uint64_t max, uint8_t **bytes, size_t *n) {
    clc_status status = CLC_OK;
    size_t capacity = 0;
    *bytes = NULL;
    CLC_TRY(bounded(archive));
    for (*n = 0;;) {
        if (*n == capacity) {
            capacity = capacity ? 2 * capacity : BLOCK_BYTES;
            uint8_t *grown = realloc(*bytes, capacity + 1);
            if (!grown)
                CLC_TRY(clc_fail_alloc(capacity + 1));
            *bytes = grown;
        }
        la_ssize_t got = archive_read_data(archive, *bytes + *n, capacity - *n);
        if (got < 0)
            CLC_TRY(damaged(archive));
        if (got == 0)
            break;
        *n += (size_t)got;
        if (*n > max)
            CLC_TRY(clc_fail(CLC_FORMAT, "has more than %ju bytes", (uintmax_t)max));
    }
    (*bytes)[*n] = 0;
    return CLC_OK;
fail:
    free(*bytes);
    *bytes = NULL;
    return status;
}

void clc_tar_index_free(clc_tar_index *index) {
    clc_names_free(&index->names);
    clc_names_free(&index->labels);
    clc_names_free(&index->bad.entries);
    free(index->members);
    *index = (clc_tar_index){0};
}

/* While an archive is read: which keys have which classes. */
typedef struct reading {
    struct archive *archive;
    clc_tar_index *index;
    const char *path;
    uint64_t file_size;
    clc_name_set labels, keys, pictures; /* keys: of samples that have a class */
    int32_t *key_labels;                 /* by key */
    size_t key_capacity;
    uint64_t number; /* of the present member */
} reading;

/* The length of the key: up to the first dot of the last name. */
static size_t key_length(const char *name) {
    const char *base = clc_base_name(name);
    return (size_t)(base - name) + strcspn(base, ".");
}

/* Whether a part of the path is hidden, as in "a/.b/c". */
static bool hidden(const char *name) {
    for (const char *part = name; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (part[0] == '.' && part[1] != '/' && strncmp(part, "../", 3))
            return true;
    }
    return clc_name_kind_of(clc_base_name(name)) == CLC_NAME_HIDDEN;
}

static clc_status bad_member(reading *r, const char *name, const char *reason) {
    clc_status status = CLC_OK;
    size_t size = strlen(r->path) + strlen(name) + 2;
    char *text = NULL;
    CLC_NEW(text, size);
    snprintf(text, size, "%s/%s", r->path, name);
    status = clc_bad_files_add(&r->index->bad, text, reason);
fail:
    free(text);
    return status;
}

static clc_status add_picture(reading *r, const char *name, uint64_t place, uint64_t size) {
    clc_status status = CLC_OK;
    clc_tar_index *index = r->index;
    size_t number;
    if (index->names.count == index->capacity) {
        size_t capacity = index->capacity ? 2 * index->capacity : 64;
        clc_tar_member *members = realloc(index->members, capacity * sizeof *members);
        if (!members)
            return clc_fail_alloc(capacity * sizeof *members);
        index->members = members;
        index->capacity = capacity;
    }
    index->members[index->names.count] = (clc_tar_member){place, size, -1};
    CLC_TRY(clc_names_add(&index->names, name, strlen(name)));
    status = clc_name_set_add(&r->pictures, name, strlen(name), &number, NULL);
fail:
    return status;
}

/* A hard link has the place of what it leads to, which stands before it. */
static clc_status add_link(reading *r, const char *name, const char *target) {
    const clc_names *names = &r->index->names;
    while (!strncmp(target, "./", 2))
        target += 2;
    if (clc_name_set_find(&r->pictures, target, strlen(target)) == SIZE_MAX)
        return bad_member(r, name, "a link to a member that is not in the archive");
    for (size_t i = names->count; i-- > 0;)
        if (!strcmp(clc_names_at(names, i), target))
            return add_picture(r, name, r->index->members[i].place, r->index->members[i].size);
    return CLC_OK;
}

static clc_status read_picture(reading *r, struct archive_entry *entry, const char *name) {
    const char *target = archive_entry_hardlink(entry);
    uint64_t size = archive_entry_size_is_set(entry) ? (uint64_t)archive_entry_size(entry) : 0;
    uint64_t place = r->number;
    char reason[64];
    if (clc_name_kind_of(clc_base_name(name)) == CLC_NAME_UNSUPPORTED) {
        clc_name_unsupported(clc_base_name(name), reason, sizeof reason);
        return bad_member(r, name, reason);
    }
    if (target)
        return add_link(r, name, target);
    if (archive_entry_symlink(entry))
        return bad_member(r, name, "a symbolic link; pack the files that links lead to (tar -h)");
    if (r->index->direct) {
        place = (uint64_t)archive_filter_bytes(r->archive, 0);
        if (archive_entry_sparse_count(entry) > 0)
            return bad_member(r, name, "stored with holes; pack it without --sparse");
        if (place > r->file_size || size > r->file_size - place)
            return bad_member(r, name, "cut off: the archive ends within it");
    }
    return add_picture(r, name, place, size);
}

static clc_status set_key_label(reading *r, const char *name, const char *text, size_t n,
                                bool json) {
    clc_status status = CLC_OK;
    size_t key, label;
    bool added;
    CLC_TRY(clc_name_set_add(&r->keys, name, key_length(name), &key, &added));
    if (key >= r->key_capacity) {
        size_t capacity = r->key_capacity ? 2 * r->key_capacity : 64;
        int32_t *labels = realloc(r->key_labels, capacity * sizeof *labels);
        if (!labels)
            return clc_fail_alloc(capacity * sizeof *labels);
        r->key_labels = labels;
        r->key_capacity = capacity;
    }
    CLC_TRY(clc_name_set_add(&r->labels, text, n, &label, NULL));
    if (added || !json)
        r->key_labels[key] = (int32_t)label;
fail:
    return status;
}

/* The text without blanks around it; nothing and -1 are no class. */
static clc_status read_cls(reading *r, const char *name, const char *text) {
    text += strspn(text, " \t\r\n");
    size_t n = strcspn(text, "\r\n");
    while (n > 0 && strchr(" \t", text[n - 1]))
        n--;
    if (n == 0 || (n == 2 && !memcmp(text, "-1", 2)))
        return CLC_OK;
    return set_key_label(r, name, text, n, false);
}

static clc_status read_json(reading *r, const char *name, const uint8_t *bytes, size_t n) {
    static const char *const keys[] = {"label", "cls", "class"};
    clc_status status = CLC_OK;
    char number[32];
    json_t *root = json_loadb((const char *)bytes, n, 0, NULL);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *value = json_object_get(root, keys[i]);
        const char *text = json_string_value(value);
        if (json_is_integer(value) && json_integer_value(value) >= 0) {
            snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
            text = number;
        }
        if (!text || !*text)
            continue;
        status = set_key_label(r, name, text, strlen(text), true);
        break;
    }
    json_decref(root);
    return status;
}

/* Whether a name ends with ".<word>". */
static bool ends_as(const char *name, const char *word) {
    const char *dot = strrchr(name, '.');
    return dot && !strcasecmp(dot + 1, word);
}

static clc_status read_other(reading *r, struct archive_entry *entry, const char *name) {
    clc_status status = CLC_OK;
    uint8_t *bytes = NULL;
    size_t n, length = strlen(r->index->others);
    bool cls = ends_as(name, "cls"), json = ends_as(name, "json");
    r->index->passed_over++;
    if (length + 64 < sizeof r->index->others)
        snprintf(r->index->others + length, sizeof r->index->others - length, "%s%.60s",
                 length ? ", " : "", clc_base_name(name));
    if ((!cls && !json) || !archive_entry_size_is_set(entry) ||
        archive_entry_size(entry) > LABEL_BYTES)
        return CLC_OK;
    CLC_TRY(clc_tar_data(r->archive, LABEL_BYTES, &bytes, &n));
    status = cls ? read_cls(r, name, (const char *)bytes) : read_json(r, name, bytes, n);
fail:
    free(bytes);
    return status;
}

static clc_status read_member(reading *r, struct archive_entry *entry) {
    const char *name = archive_entry_pathname(entry);
    unsigned type = archive_entry_filetype(entry);
    if (!name || !*name)
        return bad_member(r, "", "a member without a name");
    while (!strncmp(name, "./", 2))
        name += 2;
    if (type == AE_IFDIR)
        return CLC_OK;
    bool link = type == AE_IFLNK || archive_entry_hardlink(entry);
    if (hidden(name) || (type != AE_IFREG && !link)) {
        r->index->passed_over++;
        return CLC_OK;
    }
    if (clc_name_kind_of(clc_base_name(name)) == CLC_NAME_OTHER)
        return read_other(r, entry, name);
    return read_picture(r, entry, name);
}

/* Members of a sample may come in any order: classes are given out at the end. */
static clc_status match_labels(reading *r) {
    clc_tar_index *index = r->index;
    for (size_t i = 0; i < index->names.count; i++) {
        const char *name = clc_names_at(&index->names, i);
        size_t key = clc_name_set_find(&r->keys, name, key_length(name));
        if (key != SIZE_MAX)
            index->members[i].label = r->key_labels[key];
    }
    index->labels = r->labels.names;
    r->labels.names = (clc_names){0};
    return CLC_OK;
}

clc_status clc_tar_index_read(struct archive *archive, const char *path, uint64_t file_size,
                              clc_tar_index *index) {
    clc_status status = CLC_OK;
    struct archive_entry *entry;
    reading r = {.archive = archive, .index = index, .path = path, .file_size = file_size};
    bool more = true;
    while (more) {
        status = clc_tar_next(archive, &entry, &more);
        if (status == CLC_OK && more) {
            index->direct =
                archive_filter_count(archive) == 1 &&
                (archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
            status = read_member(&r, entry);
            r.number++;
        }
        /* What came before the damage is of use. */
        if (status == CLC_FORMAT) {
            CLC_TRY(clc_bad_files_add(&index->bad, path, clc_error()));
            break;
        }
        CLC_TRY(status);
    }
    status = match_labels(&r);
fail:
    clc_name_set_free(&r.labels);
    clc_name_set_free(&r.keys);
    clc_name_set_free(&r.pictures);
    free(r.key_labels);
    return status;
}
