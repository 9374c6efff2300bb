#define _GNU_SOURCE /* memfd_create, fallocate */
#include "data/pack_format.h"

#include "core/cache.h"
#include "core/file.h"
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

static const char in_memory[] = "a file in memory";

static clc_status begin_memory(clc_pack_writer *writer) {
#ifdef __linux__
    writer->file = memfd_create("clcontrast pictures", MFD_CLOEXEC);
#else
    FILE *file = tmpfile();
    writer->file = file ? dup(fileno(file)) : -1;
    if (file)
        fclose(file);
#endif
    return writer->file < 0 ? clc_fail_file("make", in_memory) : CLC_OK;
}

static const char *path_of(const clc_pack_writer *writer) {
    return *writer->path ? writer->path : in_memory;
}

static clc_status fail_writing(const clc_pack_writer *writer) {
    const char *reason = strerror(errno);
    if (!*writer->path)
        return clc_fail(CLC_IO,
                        "cannot keep decoded pictures in memory: %s; a smaller data.store_side "
                        "takes less, data.residency = stream next to none",
                        reason);
    return clc_fail(CLC_IO,
                    "cannot write decoded pictures to %s: %s; make room, choose another place by "
                    "XDG_CACHE_HOME, or set data.pack = false",
                    writer->path, reason);
}

/* A locked temporary file; false with errno. Another start may take it for abandoned before it is
 * locked: then it has no name any more. */
static bool begin_file(clc_pack_writer *writer) {
    struct stat info;
    for (;;) {
        char path[sizeof writer->path];
        memcpy(path, writer->path, sizeof path);
        writer->file = mkostemps(path, (int)strlen(CLC_PACK_TEMPORARY_END), O_CLOEXEC);
        if (writer->file < 0)
            return false;
        while (flock(writer->file, LOCK_EX) != 0 && errno == EINTR)
            ;
        if (fstat(writer->file, &info) == 0 && info.st_nlink > 0) {
            memcpy(writer->path, path, sizeof path);
            return true;
        }
        close(writer->file);
    }
}

clc_status clc_pack_begin(bool pack, clc_pack_writer *writer) {
    char folder[1024];
    *writer = (clc_pack_writer){.file = -1};
    if (!pack)
        return begin_memory(writer);
    if (!clc_cache_path(CLC_PACK_FOLDER, "", true, folder, sizeof folder) ||
        !clc_cache_path(CLC_PACK_FOLDER, "XXXXXX" CLC_PACK_TEMPORARY_END, true, writer->path,
                        sizeof writer->path)) {
        clc_warn("there is no folder for decoded pictures (XDG_CACHE_HOME or HOME): they are kept "
                 "in memory");
        *writer->path = '\0';
        return begin_memory(writer);
    }
    if (begin_file(writer))
        return CLC_OK;
    if (errno == ENOSPC || errno == EDQUOT)
        return fail_writing(writer);
    clc_warn("cannot write to %s: %s; decoded pictures are kept in memory", folder,
             strerror(errno));
    *writer->path = '\0';
    return begin_memory(writer);
}

/* Room on the disk is asked for in large pieces: finding it a page at a time takes a third of the
 * time of writing. Where that can't be done, writing says what is wrong. */
static void reserve(clc_pack_writer *writer, uint64_t end) {
#ifdef __linux__
    enum { PIECE = 64 << 20 };
    uint64_t reserved = atomic_load(&writer->reserved);
    while (*writer->path && reserved < end) {
        if (!atomic_compare_exchange_weak(&writer->reserved, &reserved, reserved + PIECE))
            continue;
        if (fallocate(writer->file, 0, (off_t)reserved, PIECE) != 0)
            return;
        reserved += PIECE;
    }
#else
    (void)writer;
    (void)end;
#endif
}

clc_status clc_pack_write(clc_pack_writer *writer, const void *data, size_t bytes, uint64_t at) {
    const char *from = data;
    reserve(writer, at + bytes);
    while (bytes) {
        const ssize_t n = pwrite(writer->file, from, bytes, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_writing(writer);
        from += n;
        at += (uint64_t)n;
        bytes -= (size_t)n;
    }
    return CLC_OK;
}

/* The tables as one block, which the caller frees. */
static clc_status make_tables(const clc_store *store, clc_pack_header *h, uint8_t **tables) {
    clc_status status = CLC_OK;
    const clc_names *reasons = &store->reasons;
    const size_t n = store->count;
    h->bad_bytes = reasons->bytes;
    CLC_NEW(*tables, clc_pack_tables_bytes(h));
    uint8_t *at = *tables;
    const struct {
        const void *from;
        size_t bytes;
    } all[] = {{store->places, n * sizeof *store->places},
               {store->hashes, n * sizeof *store->hashes},
               {store->met, store->met_count * sizeof *store->met},
               {store->items, n * sizeof *store->items},
               {reasons->text, reasons->bytes}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i].bytes)
            memcpy(at, all[i].from, all[i].bytes);
        at += all[i].bytes;
    }
    h->tables_hash = XXH3_64bits(*tables, clc_pack_tables_bytes(h));
    h->header_hash = XXH3_64bits(h, clc_pack_header_hashed());
fail:
    return status;
}

/* The file is complete on the disk before it gets its name. */
static clc_status publish(clc_pack_writer *writer, const char *name) {
    char path[1024];
    if (!*writer->path)
        return CLC_OK;
    if (fsync(writer->file) != 0)
        return fail_writing(writer);
    if (!clc_cache_path(CLC_PACK_FOLDER, name, false, path, sizeof path) ||
        rename(writer->path, path) != 0)
        return clc_fail_file("rename", writer->path);
    *writer->path = '\0';
    return CLC_OK;
}

clc_status clc_pack_finish(clc_pack_writer *writer, const char *name, clc_store *store) {
    clc_status status = CLC_OK;
    uint8_t *tables = NULL;
    clc_pack_header h = {.count = store->count,
                         .channels = (uint64_t)store->channels,
                         .pixel_bytes = store->bytes,
                         .bad_count = store->met_count};
    memcpy(h.magic, CLC_PACK_MAGIC, sizeof h.magic);
    CLC_TRY(make_tables(store, &h, &tables));
    CLC_TRY(clc_pack_write(writer, tables, clc_pack_tables_bytes(&h), clc_pack_tables_at(&h)));
    CLC_TRY(clc_pack_write(writer, &h, sizeof h, 0));
    store->map_bytes = clc_pack_tables_at(&h) + clc_pack_tables_bytes(&h);
    if (ftruncate(writer->file, (off_t)store->map_bytes) != 0)
        CLC_TRY(fail_writing(writer));
    void *map = mmap(NULL, store->map_bytes, PROT_READ, MAP_SHARED, writer->file, 0);
    if (map == MAP_FAILED)
        CLC_TRY(clc_fail_file("map", path_of(writer)));
    store->map = map;
    store->pixels = (const uint8_t *)map + CLC_PACK_PIXELS_AT;
    CLC_TRY(publish(writer, name));
fail:
    free(tables);
    return status;
}

void clc_pack_abort(clc_pack_writer *writer) {
    if (*writer->path)
        unlink(writer->path);
    if (writer->file >= 0)
        close(writer->file);
    *writer = (clc_pack_writer){.file = -1};
}
