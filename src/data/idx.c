/* IDX, the format of MNIST and Fashion-MNIST: a magic number 0 0 type rank, the sizes (u32, big
 * endian), then the elements; here always bytes. Plain or gzip: zlib reads both alike. */
#include "core/file.h"
#include "data/dataset.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

enum { MAX_SIDE = 32768, MAX_RANK = 4, MAGIC_BYTES = 0x0800, FIRST_CHUNK = 1 << 24 };

/* An open file: the path for messages, and the sizes of its header. */
typedef struct idx_file {
    const char *path;
    gzFile stream;
    uint32_t rank;
    uint32_t sizes[MAX_RANK];
    bool cut; /* the gzip stream has no end */
} idx_file;

/* Reads up to `n` bytes; *got is less than `n` at the end of the data. */
static clc_status read_some(idx_file *file, uint8_t *data, size_t n, size_t *got) {
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

static clc_status read_header(idx_file *file, uint32_t rank_min, uint32_t rank_max) {
    clc_status status = CLC_OK;
    uint8_t bytes[4 * (MAX_RANK + 1)];
    size_t got;
    CLC_TRY(read_some(file, bytes, 4, &got));
    uint32_t magic = got < 4 ? 0
                             : (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                                   (uint32_t)bytes[2] << 8 | bytes[3];
    file->rank = magic & 0xff;
    if (got == 4 &&
        (magic >> 8 != MAGIC_BYTES >> 8 || file->rank < rank_min || file->rank > rank_max))
        return clc_fail(CLC_FORMAT,
                        "%s: magic number 0x%08x, but IDX %s begin with 0x%08x; check that "
                        "images and labels are not exchanged",
                        file->path, magic, rank_max == 1 ? "labels" : "images",
                        MAGIC_BYTES + rank_min);
    if (got == 4)
        CLC_TRY(read_some(file, bytes + 4, 4 * (size_t)file->rank, &got));
    if (got < 4 * (size_t)file->rank || file->rank == 0)
        return clc_fail(CLC_FORMAT, "%s: the file ends within its header; get it anew", file->path);
    for (uint32_t i = 0; i < file->rank; i++) {
        const uint8_t *b = bytes + 4 + 4 * i;
        file->sizes[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        if (file->sizes[i] == 0)
            return clc_fail(CLC_FORMAT, "%s: size %u of %u is 0", file->path, i + 1, file->rank);
    }
    if (file->sizes[0] > INT32_MAX)
        status = clc_fail(CLC_FORMAT, "%s: promises %u items, more than %d", file->path,
                          file->sizes[0], INT32_MAX);
fail:
    return status;
}

static clc_status open_file(const char *path, uint32_t rank_min, uint32_t rank_max,
                            idx_file *file) {
    *file = (idx_file){.path = path};
    errno = 0;
    file->stream = gzopen(path, "rb");
    if (!file->stream && errno == 0)
        return clc_fail_alloc(FIRST_CHUNK);
    if (!file->stream)
        return clc_fail_file("read", path);
    gzbuffer(file->stream, 1 << 17);
    return read_header(file, rank_min, rank_max);
}

static void close_file(idx_file *file) {
    if (file->stream)
        gzclose(file->stream);
    file->stream = NULL;
}

/* Reads `count` items of `item` bytes. The buffer grows with what is there, so that a header that
 * promises too much costs no memory. If these are all items, the data must end behind them. */
static clc_status read_items(idx_file *file, size_t count, size_t item, uint8_t **data) {
    clc_status status = CLC_OK;
    size_t total = count * item, done = 0, got = 0, capacity = 0;
    while (done < total) {
        capacity = capacity == 0 ? FIRST_CHUNK : 2 * capacity;
        capacity = capacity < total ? capacity : total;
        uint8_t *grown = realloc(*data, capacity);
        if (!grown)
            return clc_fail_alloc(capacity);
        *data = grown;
        CLC_TRY(read_some(file, grown + done, capacity - done, &got));
        done += got;
        if (done < capacity)
            return clc_fail(CLC_FORMAT,
                            "%s: truncated: its header promises %u items of %zu bytes, %zu are "
                            "present; get the file anew",
                            file->path, file->sizes[0], item, done / item);
    }
    uint8_t extra;
    if (count == file->sizes[0]) {
        CLC_TRY(read_some(file, &extra, 1, &got));
        if (file->cut)
            status = clc_fail(CLC_FORMAT, "%s: truncated: the end of its gzip data is missing",
                              file->path);
        else if (got > 0)
            status = clc_fail(CLC_FORMAT, "%s: more data follow the %u items that it promises",
                              file->path, file->sizes[0]);
    }
fail:
    return status;
}

static clc_status load_images(idx_file *file, size_t limit, clc_dataset *dataset) {
    const uint32_t *sizes = file->sizes;
    uint32_t channels = file->rank == 4 ? sizes[3] : 1;
    if (sizes[1] > MAX_SIDE || sizes[2] > MAX_SIDE)
        return clc_fail(CLC_FORMAT, "%s: images of %u x %u pixels; at most %d x %d are supported",
                        file->path, sizes[1], sizes[2], MAX_SIDE, MAX_SIDE);
    if (channels != 1 && channels != 3)
        return clc_fail(CLC_FORMAT, "%s: images of %u channels; 1 and 3 are supported", file->path,
                        channels);
    dataset->count = limit > 0 && limit < sizes[0] ? limit : sizes[0];
    dataset->height = (int)sizes[1];
    dataset->width = (int)sizes[2];
    dataset->channels = (int)channels;
    /* Below 2^15 * 2^15 * 3 * 2^31 < 2^63. */
    uint64_t item = (uint64_t)sizes[1] * sizes[2] * channels;
    if (item * dataset->count > SIZE_MAX / 2)
        return clc_fail(CLC_FORMAT, "%s: %zu images of %u x %u x %u are more than memory can hold",
                        file->path, dataset->count, sizes[1], sizes[2], channels);
    return read_items(file, dataset->count, (size_t)item, &dataset->pixels);
}

/* All labels are read, whatever the limit: the number of classes must not depend on it. */
static clc_status load_labels(idx_file *file, clc_dataset *dataset) {
    clc_status status = CLC_OK;
    uint8_t *bytes = NULL;
    CLC_TRY(read_items(file, file->sizes[0], 1, &bytes));
    CLC_NEW(dataset->labels, dataset->count);
    for (size_t i = 0; i < file->sizes[0]; i++) {
        if (i < dataset->count)
            dataset->labels[i] = bytes[i];
        if (bytes[i] >= dataset->classes)
            dataset->classes = bytes[i] + 1;
    }
fail:
    free(bytes);
    return status;
}

clc_status clc_dataset_load_idx(const char *images, const char *labels, size_t limit,
                                clc_dataset *dataset) {
    clc_status status = CLC_OK;
    idx_file image_file = {0}, label_file = {0};
    CLC_TRY(open_file(images, 3, 4, &image_file));
    if (labels) {
        CLC_TRY(open_file(labels, 1, 1, &label_file));
        if (image_file.sizes[0] != label_file.sizes[0])
            CLC_TRY(clc_fail(CLC_FORMAT,
                             "%s has %u images, but %s has %u labels; check that both belong to "
                             "the same part of the data set",
                             images, image_file.sizes[0], labels, label_file.sizes[0]));
    }
    CLC_TRY(load_images(&image_file, limit, dataset));
    if (labels)
        CLC_TRY(load_labels(&label_file, dataset));
fail:
    close_file(&image_file);
    close_file(&label_file);
    return status;
}
