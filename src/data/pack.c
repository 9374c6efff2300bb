#define _GNU_SOURCE /* memfd_create, fallocate */
#include "data/pack.h"

#include "core/cache.h"
#include "core/file.h"
#include "core/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

static const char pack_magic[8] = "clcpack3";
static const char packs[] = "packs", pack_end[] = ".pack";
static const char temporary_name[] = "XXXXXX.tmp", temporary_end[] = ".tmp";
static const char in_memory[] = "a file in memory";

/* At the beginning of the file. The tables follow the pixels, in this order: places, hashes (both
 * (count)), bad items (bad_count), items (count), and the reasons why items are bad, each ended by
 * a zero. */
typedef struct pack_header {
    char magic[8];
    uint64_t count, channels, pixel_bytes, bad_count, bad_bytes;
    uint64_t tables_hash;
    uint64_t header_hash; /* of all before it */
} pack_header;

static size_t header_hashed(void) {
    return offsetof(pack_header, header_hash);
}

/* Tables begin at a multiple of 8. */
static uint64_t tables_at(const pack_header *h) {
    return CLC_PACK_PIXELS_AT + (h->pixel_bytes + 7) / 8 * 8;
}

static uint64_t tables_bytes(const pack_header *h) {
    return h->count * (sizeof(clc_place) + sizeof(uint64_t) + sizeof(uint32_t)) +
           h->bad_count * sizeof(clc_bad_item) + h->bad_bytes;
}

clc_status clc_pack_name(const clc_source *source, const clc_image_options *o,
                         char name[CLC_PACK_NAME]) {
    XXH3_state_t *state = XXH3_createState();
    const double numbers[] = {(double)o->channels,
                              (double)o->side,
                              (double)o->background[0],
                              (double)o->background[1],
                              (double)o->background[2],
                              (double)o->orientation,
                              o->low,
                              o->high,
                              o->max_pixels,
                              (double)source->count};
    if (!state)
        return clc_fail_alloc(sizeof(XXH128_hash_t));
    XXH3_128bits_reset(state);
    XXH3_128bits_update(state, pack_magic, sizeof pack_magic);
    XXH3_128bits_update(state, numbers, sizeof numbers);
    XXH3_128bits_update(state, source->stamps, source->count * sizeof *source->stamps);
    for (size_t i = 0; i < source->count; i++) {
        const char *item = clc_names_at(&source->names, i);
        XXH3_128bits_update(state, item, strlen(item) + 1);
    }
    const XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    snprintf(name, CLC_PACK_NAME, "%016llx%016llx%s", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64, pack_end);
    return CLC_OK;
}

/* ---- reading ---- */

static bool header_is_whole(const pack_header *h, uint64_t file_bytes) {
    return !memcmp(h->magic, pack_magic, sizeof pack_magic) &&
           XXH3_64bits(h, header_hashed()) == h->header_hash && h->channels >= 1 &&
           h->channels <= CLC_CHANNELS_MAX && h->count <= UINT32_MAX &&
           h->pixel_bytes <= file_bytes && h->bad_bytes <= file_bytes &&
           h->bad_count <= UINT32_MAX && tables_at(h) + tables_bytes(h) == file_bytes;
}

static bool places_are_inside(const clc_store *store) {
    for (size_t i = 0; i < store->count; i++) {
        const clc_place *p = &store->places[i];
        if (p->height < 1 || p->width < 1 || p->offset > store->bytes ||
            (uint64_t)p->height * (uint64_t)p->width >
                (store->bytes - p->offset) / (uint64_t)store->channels)
            return false;
    }
    return true;
}

/* Good and bad items, both ascending, are all that there are. */
static bool items_are_sound(const clc_store *store, size_t items) {
    size_t good = 0, bad = 0;
    for (size_t i = 0; i < items; i++) {
        if (good < store->count && store->items[good] == i)
            good++;
        else if (bad < store->met_count && store->met[bad].item == i)
            bad++;
        else
            return false;
    }
    return good == store->count && bad == store->met_count;
}

static bool read_reasons(const char *text, uint64_t bytes, uint64_t count, clc_names *reasons) {
    const char *end = text + bytes;
    for (uint64_t i = 0; i < count; i++) {
        const char *last = memchr(text, 0, (size_t)(end - text));
        if (!last || clc_names_add(reasons, text, (size_t)(last - text)) != CLC_OK)
            return false;
        text = last + 1;
    }
    return text == end;
}

static void *take(const uint8_t **at, size_t bytes) {
    void *copy = malloc(bytes ? bytes : 1);
    if (copy)
        memcpy(copy, *at, bytes);
    *at += bytes;
    return copy;
}

/* Fills `store` from the mapped file; false if it is torn. */
static bool read_store(const uint8_t *map, uint64_t bytes, size_t items, clc_store *store) {
    const pack_header *h = (const pack_header *)map;
    if (bytes < CLC_PACK_PIXELS_AT || !header_is_whole(h, bytes))
        return false;
    const uint8_t *at = map + tables_at(h);
    if (XXH3_64bits(at, tables_bytes(h)) != h->tables_hash)
        return false;
    store->count = h->count;
    store->met_count = h->bad_count;
    store->channels = (int)h->channels;
    store->pixels = map + CLC_PACK_PIXELS_AT;
    store->bytes = h->pixel_bytes;
    store->places = take(&at, h->count * sizeof *store->places);
    store->hashes = take(&at, h->count * sizeof *store->hashes);
    store->met = take(&at, h->bad_count * sizeof *store->met);
    store->items = take(&at, h->count * sizeof *store->items);
    return store->places && store->hashes && store->met && store->items &&
           places_are_inside(store) && items_are_sound(store, items) &&
           read_reasons((const char *)at, h->bad_bytes, h->bad_count, &store->reasons);
}

static bool ends_with(const char *name, const char *end) {
    const size_t n = strlen(name), m = strlen(end);
    return n > m && !strcmp(name + n - m, end);
}

/* What dead writers have left: a writer's temporary file is locked as long as it lives. */
static void remove_abandoned(void) {
    char folder[1024];
    if (!clc_cache_path(packs, "", false, folder, sizeof folder))
        return;
    DIR *directory = opendir(folder);
    if (!directory)
        return;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (!ends_with(entry->d_name, temporary_end))
            continue;
        const int file = openat(dirfd(directory), entry->d_name, O_RDWR | O_CLOEXEC);
        if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dirfd(directory), entry->d_name, 0);
        if (file >= 0)
            close(file);
    }
    closedir(directory);
}

clc_status clc_pack_load(const char *name, size_t items, clc_store **store) {
    clc_status status = CLC_OK;
    char path[1024];
    struct stat info;
    clc_store *s = NULL;
    int file = -1;
    *store = NULL;
    remove_abandoned();
    CLC_NEW(s, 1);
    if (!clc_cache_path(packs, name, false, path, sizeof path))
        goto fail;
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &info) != 0)
        goto fail;
    void *map = info.st_size < CLC_PACK_PIXELS_AT
                    ? MAP_FAILED
                    : mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, file, 0);
    if (map != MAP_FAILED) {
        s->map = map;
        s->map_bytes = (size_t)info.st_size;
    }
    if (s->map && read_store(map, s->map_bytes, items, s)) {
        *store = s;
        s = NULL;
    } else {
        clc_warn("%s is torn: the pictures are decoded anew", path);
    }
fail:
    if (file >= 0)
        close(file);
    clc_store_close(&s);
    return status;
}

void clc_store_close(clc_store **store) {
    clc_store *s = *store;
    if (!s)
        return;
    if (s->map)
        munmap(s->map, s->map_bytes);
    free(s->items);
    free(s->places);
    free(s->hashes);
    free(s->met);
    clc_names_free(&s->reasons);
    clc_names_free(&s->bad.entries);
    free(s);
    *store = NULL;
}

/* ---- writing ---- */

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
        writer->file = mkostemps(path, (int)strlen(temporary_end), O_CLOEXEC);
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
    if (!clc_cache_path(packs, "", true, folder, sizeof folder) ||
        !clc_cache_path(packs, temporary_name, true, writer->path, sizeof writer->path)) {
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
static clc_status make_tables(const clc_store *store, pack_header *h, uint8_t **tables) {
    clc_status status = CLC_OK;
    const clc_names *reasons = &store->reasons;
    const size_t n = store->count;
    h->bad_bytes = reasons->bytes;
    CLC_NEW(*tables, tables_bytes(h));
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
    h->tables_hash = XXH3_64bits(*tables, tables_bytes(h));
    h->header_hash = XXH3_64bits(h, header_hashed());
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
    if (!clc_cache_path(packs, name, false, path, sizeof path) || rename(writer->path, path) != 0)
        return clc_fail_file("rename", writer->path);
    *writer->path = '\0';
    return CLC_OK;
}

clc_status clc_pack_finish(clc_pack_writer *writer, const char *name, clc_store *store) {
    clc_status status = CLC_OK;
    uint8_t *tables = NULL;
    pack_header h = {.count = store->count,
                     .channels = (uint64_t)store->channels,
                     .pixel_bytes = store->bytes,
                     .bad_count = store->met_count};
    memcpy(h.magic, pack_magic, sizeof pack_magic);
    CLC_TRY(make_tables(store, &h, &tables));
    CLC_TRY(clc_pack_write(writer, tables, tables_bytes(&h), tables_at(&h)));
    CLC_TRY(clc_pack_write(writer, &h, sizeof h, 0));
    store->map_bytes = tables_at(&h) + tables_bytes(&h);
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
