#include "data/pack_format.h"

#include "core/cache.h"
#include "core/file.h"
#include "core/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

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
    XXH3_128bits_update(state, CLC_PACK_MAGIC, sizeof CLC_PACK_MAGIC - 1);
    XXH3_128bits_update(state, numbers, sizeof numbers);
    XXH3_128bits_update(state, source->stamps, source->count * sizeof *source->stamps);
    for (size_t i = 0; i < source->count; i++) {
        const char *item = clc_names_at(&source->names, i);
        XXH3_128bits_update(state, item, strlen(item) + 1);
    }
    const XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    snprintf(name, CLC_PACK_NAME, "%016llx%016llx%s", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64, CLC_PACK_END);
    return CLC_OK;
}

static bool header_is_whole(const clc_pack_header *h, uint64_t file_bytes) {
    return !memcmp(h->magic, CLC_PACK_MAGIC, sizeof h->magic) &&
           XXH3_64bits(h, clc_pack_header_hashed()) == h->header_hash && h->channels >= 1 &&
           h->channels <= CLC_CHANNELS_MAX && h->count <= UINT32_MAX &&
           h->pixel_bytes <= file_bytes && h->bad_bytes <= file_bytes &&
           h->bad_count <= UINT32_MAX &&
           clc_pack_tables_at(h) + clc_pack_tables_bytes(h) == file_bytes;
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
    const clc_pack_header *h = (const clc_pack_header *)map;
    if (bytes < CLC_PACK_PIXELS_AT || !header_is_whole(h, bytes))
        return false;
    const uint8_t *at = map + clc_pack_tables_at(h);
    if (XXH3_64bits(at, clc_pack_tables_bytes(h)) != h->tables_hash)
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
    if (!clc_cache_path(CLC_PACK_FOLDER, "", false, folder, sizeof folder))
        return;
    DIR *directory = opendir(folder);
    if (!directory)
        return;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (!ends_with(entry->d_name, CLC_PACK_TEMPORARY_END))
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
    if (!clc_cache_path(CLC_PACK_FOLDER, name, false, path, sizeof path))
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
