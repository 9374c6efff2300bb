#include "data/array_file.h"

#include "core/file.h"
#include "data/format.h"
#include "data/gzip.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* Reads as many bytes as the header turns out to have. */
static clc_status read_header(clc_gzip *stream, clc_array_parse parse, clc_array *array) {
    clc_status status = CLC_OK;
    uint8_t *bytes = NULL;
    size_t n = 0, got = 0, needed = 4;
    do {
        size_t wanted = needed;
        uint8_t *grown = realloc(bytes, wanted);
        if (!grown)
            CLC_TRY(clc_fail_alloc(wanted));
        bytes = grown;
        CLC_TRY(clc_gzip_read(stream, bytes + n, wanted - n, &got));
        n += got;
        status = parse(bytes, n, array, &needed);
        if (n < wanted)
            break;
    } while (n < needed);
    if (status != CLC_OK)
        clc_fail_context(status, "%s", stream->path);
fail:
    free(bytes);
    return status;
}

static clc_status truncated(const clc_array_file *f, uint64_t present) {
    return clc_fail(CLC_FORMAT,
                    "%s: truncated: its header promises %" PRIu64 " items of %" PRIu64
                    " bytes, %" PRIu64 " are present; get the file anew",
                    f->path, f->array.shape[0], f->item, present / f->item);
}

static clc_status excess(const clc_array_file *f) {
    return clc_fail(CLC_FORMAT, "%s: more data follow the %" PRIu64 " items that it promises",
                    f->path, f->array.shape[0]);
}

static clc_status open_plain(clc_array_file *f, uint64_t total) {
    struct stat info;
    f->file = open(f->path, O_RDONLY | O_CLOEXEC);
    if (f->file < 0 || fstat(f->file, &info) != 0)
        return clc_fail_file("read", f->path);
    uint64_t present = (uint64_t)info.st_size - f->array.start;
    f->stamp = clc_stamp(&info, 0);
    if ((uint64_t)info.st_size < f->array.start || present < total)
        return truncated(f, (uint64_t)info.st_size < f->array.start ? 0 : present);
    return present > total ? excess(f) : CLC_OK;
}

static clc_status unpack(clc_array_file *f, clc_gzip *stream, uint64_t total) {
    clc_status status = CLC_OK;
    struct stat info;
    size_t got;
    uint8_t extra;
    if (total > SIZE_MAX / 2)
        return clc_fail(CLC_FORMAT, "%s: %" PRIu64 " bytes are more than memory can hold", f->path,
                        total);
    if (stat(f->path, &info) != 0)
        return clc_fail_file("read", f->path);
    f->stamp = clc_stamp(&info, 0);
    CLC_TRY(clc_gzip_read_new(stream, (size_t)total, &f->memory, &got));
    if (got < total)
        return truncated(f, got);
    CLC_TRY(clc_gzip_read(stream, &extra, 1, &got));
    if (stream->cut)
        return clc_fail(CLC_FORMAT, "%s: truncated: the end of its gzip data is missing", f->path);
    if (got > 0)
        return excess(f);
fail:
    return status;
}

clc_status clc_array_open(const char *path, clc_array_parse parse, clc_array_file *f) {
    clc_status status = CLC_OK;
    clc_gzip stream;
    *f = (clc_array_file){.path = path, .file = -1};
    CLC_TRY(clc_gzip_open(path, &stream));
    CLC_TRY(read_header(&stream, parse, &f->array));
    /* The header's check has seen that this fits. */
    f->item = clc_element_bytes(f->array.element);
    for (int i = 1; i < f->array.rank; i++)
        f->item *= f->array.shape[i];
    uint64_t total = f->item * (f->array.rank > 0 ? f->array.shape[0] : 1);
    if (f->array.rank == 0)
        CLC_TRY(clc_fail(CLC_FORMAT, "%s: a single number, not an array", path));
    if (clc_gzip_is_plain(&stream))
        status = open_plain(f, total);
    else
        status = unpack(f, &stream, total);
fail:
    clc_gzip_close(&stream);
    if (status != CLC_OK)
        clc_array_close(f);
    return status;
}

clc_status clc_array_read(const clc_array_file *f, uint64_t first, size_t count, uint8_t *to) {
    struct stat info;
    size_t n = count * (size_t)f->item, done = 0;
    if (f->memory) {
        memcpy(to, f->memory + first * f->item, n);
        return CLC_OK;
    }
    if (fstat(f->file, &info) != 0 || clc_stamp(&info, 0) != f->stamp)
        return clc_fail(CLC_IO, "has changed since the list was read");
    while (done < n) {
        ssize_t got =
            pread(f->file, to + done, n - done, (off_t)(f->array.start + first * f->item + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return clc_fail(CLC_IO, "cannot be read: %s", got < 0 ? strerror(errno) : "cut off");
        done += (size_t)got;
    }
    return CLC_OK;
}

void clc_array_close(clc_array_file *f) {
    if (f->file >= 0)
        close(f->file);
    free(f->memory);
    f->file = -1;
    f->memory = NULL;
}
