#include "new/look.h"

#include "core/log.h"
#include "core/parallel.h"
#include "core/signals.h"
#include "data/format.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { SHOW_EVERY = 1024 };

typedef struct looker {
    const clc_source *source;
    const clc_image_options *options;
    clc_image_info *infos; /* (count); a height of 0: no picture */
    atomic_size_t next;
} looker;

static clc_status interrupted(void) {
    return clc_fail(CLC_INTERRUPTED, "interrupted while looking at the pictures");
}

static clc_status probe_some(void *context) {
    looker *l = context;
    for (;;) {
        const size_t i = atomic_fetch_add(&l->next, 1);
        if (i >= l->source->count)
            return CLC_OK;
        if (clc_signals_stop())
            return interrupted();
        if (i % SHOW_EVERY == 0)
            clc_live("looking at pictures: %zu of %zu", i, l->source->count);
        if (clc_source_probe(l->source, i, l->options, &l->infos[i]) != CLC_OK)
            l->infos[i] = (clc_image_info){0};
    }
}

static int short_side(const clc_image_info *info) {
    return info->height < info->width ? info->height : info->width;
}

static int ascending(const void *a, const void *b) {
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* The first picture that is none, asked again for the reason. */
static void note_bad(const looker *l, size_t item, clc_look *look) {
    clc_image_info info;
    const bool again = clc_source_probe(l->source, item, l->options, &info) != CLC_OK;
    snprintf(look->first_bad, sizeof look->first_bad, "%.80s: %.70s",
             clc_base_name(clc_names_at(&l->source->names, item)), again ? clc_error() : "");
}

static clc_status summarise(const looker *l, clc_look *look) {
    clc_status status = CLC_OK;
    int *sides = NULL;
    CLC_NEW(sides, l->source->count + 1);
    look->uniform = true;
    for (size_t i = 0; i < l->source->count; i++) {
        const clc_image_info *info = &l->infos[i];
        if (!info->height) {
            if (!look->bad++)
                note_bad(l, i, look);
            continue;
        }
        sides[look->count++] = short_side(info);
        look->uniform = look->uniform && info->height == info->width && info->height == sides[0];
        look->channels = info->channels > look->channels ? info->channels : look->channels;
        look->grey += info->channels == 1;
    }
    if (!look->count)
        CLC_TRY(clc_fail(CLC_FORMAT, "%s: none of its %zu files is a picture; the first: %s",
                         l->source->name, l->source->count, look->first_bad));
    qsort(sides, look->count, sizeof *sides, ascending);
    look->least = sides[0];
    look->middle = sides[look->count / 2];
    look->greatest = sides[look->count - 1];
fail:
    free(sides);
    return status;
}

/* ---- copies ---- */

typedef struct file_key {
    uint64_t bytes, hash;
    size_t item;
} file_key;

static int by_size_and_hash(const void *a, const void *b) {
    const file_key *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static bool is_file(const clc_source *source, size_t item) {
    const clc_format *format = clc_item_part(source, item)->format;
    return format == &clc_format_folder || format == &clc_format_list || format == &clc_format_file;
}

/* Sizes of the files; of those that can't be asked for, and of no files, none. */
static size_t list_sizes(const clc_source *source, file_key *keys) {
    size_t n = 0;
    struct stat info;
    for (size_t i = 0; i < source->count; i++)
        if (is_file(source, i) && stat(clc_names_at(&source->names, i), &info) == 0)
            keys[n++] = (file_key){.bytes = (uint64_t)info.st_size, .item = i};
    return n;
}

/* 0 where it can't be read. */
static uint64_t hash_of(const char *path) {
    void *map = NULL;
    size_t n = 0;
    if (clc_file_map(path, &map, &n) != CLC_OK)
        return 0;
    const uint64_t hash = XXH3_64bits(map, n);
    clc_file_unmap(&map, n);
    return hash;
}

/* Only files of equal sizes are read. */
static clc_status count_copies(const clc_source *source, clc_look *look) {
    clc_status status = CLC_OK;
    file_key *keys = NULL;
    CLC_NEW(keys, source->count + 1);
    const size_t n = list_sizes(source, keys);
    look->files = n > 0;
    qsort(keys, n, sizeof *keys, by_size_and_hash);
    for (size_t i = 0; i < n; i++) {
        const bool alone = (i == 0 || keys[i - 1].bytes != keys[i].bytes) &&
                           (i + 1 == n || keys[i + 1].bytes != keys[i].bytes);
        if (clc_signals_stop())
            CLC_TRY(interrupted());
        if (i % SHOW_EVERY == 0)
            clc_live("looking for copies: %zu of %zu files", i, n);
        if (!alone)
            keys[i].hash = hash_of(clc_names_at(&source->names, keys[i].item));
    }
    qsort(keys, n, sizeof *keys, by_size_and_hash);
    for (size_t i = 1; i < n; i++)
        look->copies += keys[i].hash != 0 && by_size_and_hash(&keys[i - 1], &keys[i]) == 0;
fail:
    free(keys);
    return status;
}

clc_status clc_look_at(const clc_source *source, const clc_image_options *options, clc_look *look) {
    clc_status status = CLC_OK;
    looker l = {.source = source, .options = options};
    *look = (clc_look){.classes = source->labels ? source->classes.count : 0};
    CLC_NEW(l.infos, source->count + 1);
    CLC_TRY(clc_parallel(clc_processors(), probe_some, &l));
    CLC_TRY(summarise(&l, look));
    look->bad += source->bad.count;
    if (!*look->first_bad && source->bad.count)
        snprintf(look->first_bad, sizeof look->first_bad, "%.80s: %.70s",
                 clc_base_name(clc_names_at(&source->bad.entries, 0)),
                 clc_names_at(&source->bad.entries, 1));
    CLC_TRY(count_copies(source, look));
fail:
    clc_live("%s", "");
    free(l.infos);
    return status;
}
