/* Items that are files: how one is put on the list, read and probed. Shared by folders, lists and
 * single pictures. */
#include "data/format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Headers lie in here, but for pictures with large thumbnails or profiles. */
enum { PROBE_BYTES = 1 << 16 };

/* Why the file can't be an item, or NULL; *info: what it is. FIFOs are never opened. */
static const char *refusal(int folder, const char *entry, struct stat *info) {
    struct stat link;
    if (fstatat(folder, entry, info, 0) != 0) {
        int error = errno;
        if (error == ENOENT && fstatat(folder, entry, &link, AT_SYMLINK_NOFOLLOW) == 0)
            return "a link to a file that does not exist";
        return strerror(error);
    }
    if (S_ISDIR(info->st_mode))
        return "a folder, not a file";
    if (!S_ISREG(info->st_mode))
        return "not a regular file";
    bool everyone = (info->st_mode & (S_IRUSR | S_IRGRP | S_IROTH)) ==
                    (S_IRUSR | S_IRGRP | S_IROTH); /* spares a system call for most files */
    if (!everyone && faccessat(folder, entry, R_OK, 0) != 0)
        return strerror(errno);
    return NULL;
}

clc_status clc_picture_file_add(clc_listing *listing, int folder, const char *entry,
                                clc_found *found) {
    struct stat info;
    const char *base = clc_base_name(found->name);
    char text[64];
    const char *reason = refusal(folder, entry, &info);
    if (!reason && clc_name_kind_of(base) == CLC_NAME_UNSUPPORTED) {
        clc_name_unsupported(base, text, sizeof text);
        reason = text;
    }
    if (reason)
        return clc_listing_bad(listing, found->name, reason);
    listing->ragged = true;
    found->stamp = clc_stamp(&info, 0);
    return clc_listing_add(listing, found);
}

static clc_status changed(void) {
    return clc_fail(CLC_IO, "has changed since the list was read");
}

static clc_status cannot_read(void) {
    return clc_fail(CLC_IO, "cannot be read: %s", strerror(errno));
}

/* Reads all bytes, or at most `most`. */
static clc_status read_bytes(int file, uint64_t stamp, size_t most, uint8_t **bytes, size_t *n,
                             bool *whole) {
    struct stat info;
    if (fstat(file, &info) != 0)
        return cannot_read();
    if (!S_ISREG(info.st_mode) || clc_stamp(&info, 0) != stamp)
        return changed();
    if ((uint64_t)info.st_size > CLC_PICTURE_MAX_BYTES)
        return clc_fail(CLC_FORMAT, "has %jd bytes; pictures of up to 2 GiB are read",
                        (intmax_t)info.st_size);
    size_t size = (size_t)info.st_size < most ? (size_t)info.st_size : most;
    *whole = size == (size_t)info.st_size;
    *bytes = malloc(size + 1);
    if (!*bytes)
        return clc_fail_alloc(size + 1);
    for (*n = 0; *n < size;) {
        ssize_t got = read(file, *bytes + *n, size - *n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return cannot_read();
        if (got == 0)
            return changed();
        *n += (size_t)got;
    }
    /* Written to in between, perhaps with other bytes of the same number. */
    if (fstat(file, &info) != 0)
        return cannot_read();
    return clc_stamp(&info, 0) == stamp ? CLC_OK : changed();
}

static clc_status load(const clc_source *source, size_t item, size_t most, uint8_t **bytes,
                       size_t *n, bool *whole) {
    /* Not to wait where a FIFO has taken the place of the file. */
    int file =
        open(clc_names_at(&source->names, item), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    *bytes = NULL;
    *n = 0;
    *whole = false;
    if (file < 0)
        return cannot_read();
    clc_status status = read_bytes(file, source->stamps[item], most, bytes, n, whole);
    close(file);
    return status;
}

clc_status clc_picture_file_read(const clc_source *source, size_t item,
                                 const clc_image_options *options, clc_image *image) {
    clc_status status = CLC_OK;
    uint8_t *bytes = NULL;
    size_t n = 0;
    bool whole = false;
    CLC_TRY(load(source, item, SIZE_MAX, &bytes, &n, &whole));
    status = clc_image_decode(bytes, n, options, image);
fail:
    free(bytes);
    return status;
}

clc_status clc_picture_file_probe(const clc_source *source, size_t item,
                                  const clc_image_options *options, clc_image_info *info) {
    clc_status status = CLC_OK;
    uint8_t *bytes = NULL;
    size_t n = 0;
    bool whole = false;
    CLC_TRY(load(source, item, PROBE_BYTES, &bytes, &n, &whole));
    status = clc_image_probe(bytes, n, options, info);
    if (status == CLC_FORMAT && !whole) {
        free(bytes);
        CLC_TRY(load(source, item, SIZE_MAX, &bytes, &n, &whole));
        status = clc_image_probe(bytes, n, options, info);
    }
fail:
    free(bytes);
    return status;
}

/* A single picture given by hand. What has no other format is one: its decoder says what is wrong.
 */
static bool recognise(const char *path) {
    (void)path;
    return true;
}

static clc_status open_part(const clc_config_data *config, const char *path, clc_listing *listing,
                            clc_source_part *part) {
    clc_found found = {.name = path, .label = -1};
    found.relative = (size_t)(clc_base_name(path) - path);
    (void)config;
    (void)part;
    return clc_picture_file_add(listing, AT_FDCWD, path, &found);
}

const clc_format clc_format_file = {
    .name = "file",
    .recognise = recognise,
    .open = open_part,
    .read = clc_picture_file_read,
    .probe = clc_picture_file_probe,
};
