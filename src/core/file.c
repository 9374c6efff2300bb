#define _XOPEN_SOURCE 700 /* realpath */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct clc_file_writer {
    FILE *stream;
    char *path;
    char *temporary; /* NULL if `path` is written directly */
};

static const char *advice(int error) {
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return "; free some space or write to another disk";
    case EFBIG:
        return "; raise the limit on file sizes (ulimit -f)";
    case EACCES:
    case EPERM:
    case EROFS:
        return "; check its permissions or choose another folder";
    case ENOENT:
    case ENOTDIR:
        return "; check the spelling and that its folder exists";
    case EISDIR:
        return "; give the name of a file";
    default:
        return "";
    }
}

clc_status clc_fail_file(const char *action, const char *path) {
    int error = errno;
    return clc_fail(CLC_IO, "cannot %s %s: %s%s", action, path, strerror(error), advice(error));
}

/* The file that `path` leads to, so that a link stays one; `path` itself if there is none yet. */
static clc_status resolve(const char *path, char **resolved) {
    size_t size = strlen(path) + 1;
    *resolved = realpath(path, NULL);
    if (*resolved)
        return CLC_OK;
    *resolved = malloc(size);
    if (!*resolved)
        return clc_fail_alloc(size);
    memcpy(*resolved, path, size);
    return CLC_OK;
}

/* Creates a file beside the path with a name that nobody else has; its descriptor, or -1 with errno
 * and no temporary name. Not mkstemp: the umask decides on the permissions. */
static int open_temporary(clc_file_writer *writer) {
    enum { ATTEMPTS = 1000 };
    size_t size = strlen(writer->path) + 48;
    int descriptor = -1;
    writer->temporary = malloc(size);
    if (!writer->temporary)
        return -1;
    for (int i = 0; i < ATTEMPTS; i++) {
        snprintf(writer->temporary, size, "%s.%ld-%d.tmp", writer->path, (long)getpid(), i);
        descriptor = open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0 || errno != EEXIST)
            break;
    }
    if (descriptor < 0) {
        free(writer->temporary);
        writer->temporary = NULL;
    }
    return descriptor;
}

clc_status clc_file_writer_open(const char *path, clc_file_writer **out) {
    clc_status status = CLC_OK;
    clc_file_writer *writer = NULL;
    struct stat info;
    int descriptor;
    *out = NULL;
    CLC_NEW(writer, 1);
    CLC_TRY(resolve(path, &writer->path));
    bool exists = stat(writer->path, &info) == 0;
    if (exists && !S_ISREG(info.st_mode))
        descriptor = open(writer->path, O_WRONLY | O_CLOEXEC);
    else
        descriptor = open_temporary(writer);
    if (descriptor < 0)
        CLC_TRY(clc_fail_file("write", path));
    writer->stream = fdopen(descriptor, "wb");
    if (!writer->stream) {
        status = clc_fail_file("write", path);
        close(descriptor);
        goto fail;
    }
    *out = writer;
    return CLC_OK;
fail:
    clc_file_writer_abort(&writer);
    return status;
}

clc_status clc_file_writer_write(clc_file_writer *writer, const void *data, size_t n) {
    if (n > 0 && fwrite(data, 1, n, writer->stream) != n)
        return clc_fail_file("write", writer->path);
    return CLC_OK;
}

clc_status clc_file_writer_rewrite(clc_file_writer *writer, long offset, const void *data,
                                   size_t n) {
    if (fseek(writer->stream, offset, SEEK_SET) != 0)
        return clc_fail_file("write", writer->path);
    clc_status status = clc_file_writer_write(writer, data, n);
    if (status == CLC_OK && fseek(writer->stream, 0, SEEK_END) != 0)
        status = clc_fail_file("write", writer->path);
    return status;
}

clc_status clc_file_writer_print(clc_file_writer *writer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int n = vfprintf(writer->stream, format, arguments);
    va_end(arguments);
    return n < 0 ? clc_fail_file("write", writer->path) : CLC_OK;
}

/* Whether the descriptor's data is on the disk; devices and some file systems know no fsync. */
static bool synchronized(int descriptor) {
    return fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP;
}

/* Brings the new name itself to the disk. */
static clc_status sync_folder(const char *path) {
    clc_status status = CLC_OK;
    char *folder = NULL;
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    CLC_NEW(folder, length + 2);
    memcpy(folder, path, length);
    if (length == 0)
        folder[0] = slash ? '/' : '.';
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* A folder that may be written but not read can't be opened; the rename has happened. */
    bool good = descriptor < 0 || synchronized(descriptor);
    if (!good)
        status = clc_fail_file("bring to the disk the folder", folder);
    if (descriptor >= 0)
        close(descriptor);
fail:
    free(folder);
    return status;
}

clc_status clc_file_writer_commit(clc_file_writer **pointer) {
    clc_status status = CLC_OK;
    clc_file_writer *writer = *pointer;
    if (fflush(writer->stream) != 0 || !synchronized(fileno(writer->stream)))
        CLC_TRY(clc_fail_file("write", writer->path));
    FILE *stream = writer->stream;
    writer->stream = NULL;
    if (fclose(stream) != 0)
        CLC_TRY(clc_fail_file("write", writer->path));
    if (writer->temporary) {
        if (rename(writer->temporary, writer->path) != 0)
            CLC_TRY(clc_fail_file("replace", writer->path));
        free(writer->temporary);
        writer->temporary = NULL;
        CLC_TRY(sync_folder(writer->path));
    }
fail:
    clc_file_writer_abort(pointer);
    return status;
}

void clc_file_writer_abort(clc_file_writer **pointer) {
    clc_file_writer *writer = *pointer;
    if (!writer)
        return;
    if (writer->stream)
        fclose(writer->stream);
    if (writer->temporary)
        unlink(writer->temporary);
    free(writer->temporary);
    free(writer->path);
    free(writer);
    *pointer = NULL;
}

clc_status clc_file_write_all(const char *path, const void *data, size_t n) {
    clc_status status = CLC_OK;
    clc_file_writer *writer = NULL;
    CLC_TRY(clc_file_writer_open(path, &writer));
    CLC_TRY(clc_file_writer_write(writer, data, n));
    return clc_file_writer_commit(&writer);
fail:
    clc_file_writer_abort(&writer);
    return status;
}

static clc_status refuse_size(const char *path, uintmax_t size, size_t max) {
    return clc_fail(CLC_FORMAT,
                    "%s has %ju bytes or more, but at most %zu are expected; is it the right file?",
                    path, size, max);
}

/* Reads up to the end, growing the buffer: a pipe doesn't tell its size. */
static clc_status read_stream(const char *path, int descriptor, size_t max, size_t capacity,
                              char **data, size_t *n) {
    char *buffer = malloc(capacity + 1);
    if (!buffer)
        return clc_fail_alloc(capacity + 1);
    *data = buffer;
    for (*n = 0;;) {
        /* The byte beyond the capacity is for the closing zero, or shows that there is more. */
        ssize_t got = read(descriptor, buffer + *n, capacity + 1 - *n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return clc_fail_file("read", path);
        if (got == 0)
            break;
        *n += (size_t)got;
        if (*n > max)
            return refuse_size(path, *n, max);
        if (*n <= capacity)
            continue;
        capacity = capacity < SIZE_MAX / 4 ? 2 * capacity + 1 : SIZE_MAX - 1;
        buffer = realloc(*data, capacity + 1);
        if (!buffer)
            return clc_fail_alloc(capacity + 1);
        *data = buffer;
    }
    buffer[*n] = '\0';
    return CLC_OK;
}

clc_status clc_file_read_all(const char *path, size_t max, void **data, size_t *n) {
    clc_status status = CLC_OK;
    struct stat info;
    char *buffer = NULL;
    size_t size = 0, capacity = 65536;
    *data = NULL;
    *n = 0;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 || fstat(descriptor, &info) != 0)
        CLC_TRY(clc_fail_file("read", path));
    if (S_ISREG(info.st_mode)) {
        if ((uintmax_t)info.st_size > max)
            CLC_TRY(refuse_size(path, (uintmax_t)info.st_size, max));
        capacity = (size_t)info.st_size;
    }
    CLC_TRY(read_stream(path, descriptor, max, capacity, &buffer, &size));
    *data = buffer;
    *n = size;
    close(descriptor);
    return CLC_OK;
fail:
    free(buffer);
    if (descriptor >= 0)
        close(descriptor);
    return status;
}

clc_status clc_file_map(const char *path, void **map, size_t *n) {
    clc_status status = CLC_OK;
    struct stat info;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    *map = NULL;
    *n = 0;
    if (descriptor < 0 || fstat(descriptor, &info) != 0)
        CLC_TRY(clc_fail_file("read", path));
    if (!S_ISREG(info.st_mode))
        CLC_TRY(clc_fail(CLC_IO, "cannot read %s: it is no file", path));
    if (info.st_size) {
        void *place = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (place == MAP_FAILED)
            CLC_TRY(clc_fail_file("map", path));
        *map = place;
        *n = (size_t)info.st_size;
    }
fail:
    if (descriptor >= 0)
        close(descriptor);
    return status;
}

void clc_file_unmap(void **map, size_t n) {
    if (*map)
        munmap(*map, n);
    *map = NULL;
}

/* Makes one folder; one that is there already is as good. */
static clc_status make_folder(const char *path) {
    struct stat info;
    if (mkdir(path, 0777) == 0)
        return CLC_OK;
    int error = errno;
    if (stat(path, &info) == 0) {
        if (S_ISDIR(info.st_mode))
            return CLC_OK;
        error = ENOTDIR;
    }
    errno = error;
    return clc_fail_file("make the folder", path);
}

clc_status clc_make_folders(const char *path) {
    clc_status status = CLC_OK;
    size_t length = strlen(path);
    char *prefix = NULL;
    CLC_NEW(prefix, length + 1);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && path[i] == '/' && path[i - 1] != '/')
            CLC_TRY(make_folder(prefix));
        prefix[i] = path[i];
    }
    CLC_TRY(make_folder(prefix));
fail:
    free(prefix);
    return status;
}
