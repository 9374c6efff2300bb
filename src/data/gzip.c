#include "data/gzip.h"

#include "core/file.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

enum { FIRST_CHUNK = 1 << 24 };

clc_status clc_gzip_open(const char *path, clc_gzip *file) {
    *file = (clc_gzip){.path = path};
    errno = 0;
    file->stream = gzopen(path, "rb");
    if (!file->stream && errno == 0)
        return clc_fail_alloc(FIRST_CHUNK);
    if (!file->stream)
        return clc_fail_file("read", path);
    gzbuffer(file->stream, 1 << 17);
    return CLC_OK;
}

clc_status clc_gzip_read(clc_gzip *file, uint8_t *data, size_t n, size_t *got) {
    int code = Z_OK;
    for (*got = 0; *got < n;) {
        size_t left = n - *got;
        unsigned chunk = left < FIRST_CHUNK ? (unsigned)left : FIRST_CHUNK;
        errno = 0;
        int r = gzread(file->stream, data + *got, chunk);
        if (r > 0)
            *got += (size_t)r;
        if (r <= 0)
            break;
    }
    const char *message = gzerror(file->stream, &code);
    size_t prefix = strlen(file->path) + 2; /* zlib says "<path>: <what>" */
    file->cut = code == Z_BUF_ERROR;
    if (code == Z_ERRNO)
        return clc_fail_file("read", file->path);
    if (code != Z_OK && code != Z_STREAM_END && !file->cut)
        return clc_fail(CLC_FORMAT, "%s: damaged gzip data: %s; get the file anew", file->path,
                        strlen(message) > prefix ? message + prefix : message);
    return CLC_OK;
}

clc_status clc_gzip_read_new(clc_gzip *file, size_t n, uint8_t **data, size_t *got) {
    clc_status status = CLC_OK;
    size_t capacity = 0, chunk = 0;
    *data = NULL;
    for (*got = 0; *got < n && *got == capacity;) {
        capacity = capacity == 0 ? FIRST_CHUNK : 2 * capacity;
        capacity = capacity < n ? capacity : n;
        uint8_t *grown = realloc(*data, capacity);
        if (!grown)
            CLC_TRY(clc_fail_alloc(capacity));
        *data = grown;
        CLC_TRY(clc_gzip_read(file, grown + *got, capacity - *got, &chunk));
        *got += chunk;
    }
    return CLC_OK;
fail:
    free(*data);
    *data = NULL;
    return status;
}

bool clc_gzip_is_plain(clc_gzip *file) {
    return gzdirect(file->stream);
}

void clc_gzip_close(clc_gzip *file) {
    if (file->stream)
        gzclose(file->stream);
    file->stream = NULL;
}
