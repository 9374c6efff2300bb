#include "data/store.h"

#include "core/log.h"
#include "core/parallel.h"
#include "core/signals.h"
#include "data/pack.h"

#include <pthread.h>
#include <string.h>
#include <xxhash.h>

enum { SHOW_EVERY = 64 };

/* ---- decoding everything ---- */

typedef struct bad_item {
    uint32_t item;
    clc_status status;
    char *reason;
} bad_item;

typedef struct builder {
    const clc_source *source;
    const clc_store_options *options;
    clc_pack_writer *writer;
    clc_store *store; /* its arrays by item, until they are closed up */
    pthread_mutex_t lock;
    size_t next, done; /* items taken, finished */
    bool stop;
    bad_item *bad;
    size_t bad_count, bad_capacity;
} builder;

static clc_status add_bad(builder *b, uint32_t item, clc_status met, const char *reason) {
    if (b->bad_count == b->bad_capacity) {
        const size_t capacity = b->bad_capacity ? 2 * b->bad_capacity : 16;
        bad_item *grown = realloc(b->bad, capacity * sizeof *grown);
        if (!grown)
            return clc_fail_alloc(capacity * sizeof *grown);
        b->bad = grown;
        b->bad_capacity = capacity;
    }
    char *copy = strdup(reason);
    if (!copy)
        return clc_fail_alloc(strlen(reason));
    b->bad[b->bad_count++] = (bad_item){item, met, copy};
    return CLC_OK;
}

/* Whether there are so many bad files already that nothing can come of it. */
static bool hopeless(const builder *b) {
    const size_t bad = b->bad_count + b->source->bad.count;
    const double total = (double)(b->source->count + b->source->bad.count);
    return bad && (b->options->stop || (double)bad > b->options->bad_limit * total);
}

static size_t bytes_of(const clc_image *image) {
    return (size_t)image->height * (size_t)image->width * (size_t)image->channels;
}

static uint64_t hash_of(const clc_image *image) {
    const int size[3] = {image->height, image->width, image->channels};
    return XXH3_64bits_withSeed(image->pixels, bytes_of(image), XXH3_64bits(size, sizeof size));
}

/* Decodes one item and puts it into the store. A picture that is none is no failure. */
static clc_status take_item(builder *b, size_t item) {
    clc_status status = CLC_OK;
    clc_image image = {0};
    status = clc_source_read(b->source, item, &b->options->image, &image);
    if (status == CLC_MEMORY || status == CLC_INVALID)
        return status;
    pthread_mutex_lock(&b->lock);
    const uint64_t offset = b->store->bytes;
    if (status == CLC_OK)
        b->store->bytes += bytes_of(&image);
    else
        status = add_bad(b, (uint32_t)item, status, clc_error());
    b->stop = b->stop || hopeless(b);
    if (++b->done % SHOW_EVERY == 0)
        clc_live("decoding %s: %zu of %zu, %zu bad", b->source->name, b->done, b->source->count,
                 b->bad_count);
    pthread_mutex_unlock(&b->lock);
    if (!image.pixels)
        return status;
    CLC_TRY(clc_pack_write(b->writer, image.pixels, bytes_of(&image), CLC_PACK_PIXELS_AT + offset));
    b->store->hashes[item] = hash_of(&image);
    b->store->places[item] = (clc_place){offset, image.height, image.width};
fail:
    clc_image_free(&image);
    return status;
}

static clc_status work(void *context) {
    builder *b = context;
    clc_status status = CLC_OK;
    for (;;) {
        pthread_mutex_lock(&b->lock);
        const size_t item = b->next;
        b->stop = b->stop || clc_signals_stop();
        const bool more = item < b->source->count && !b->stop;
        b->next += more;
        pthread_mutex_unlock(&b->lock);
        if (!more)
            break;
        CLC_TRY(take_item(b, item));
    }
fail:
    pthread_mutex_lock(&b->lock);
    b->stop = b->stop || status != CLC_OK;
    pthread_mutex_unlock(&b->lock);
    return status;
}

static int by_item(const void *a, const void *b) {
    const uint32_t x = ((const bad_item *)a)->item, y = ((const bad_item *)b)->item;
    return (x > y) - (x < y);
}

/* Those met, in the order of the items whatever thread met them. */
static clc_status list_met(builder *b) {
    clc_status status = CLC_OK;
    CLC_NEW(b->store->met, b->bad_count);
    if (b->bad_count)
        qsort(b->bad, b->bad_count, sizeof *b->bad, by_item);
    for (; b->store->met_count < b->bad_count; b->store->met_count++) {
        const bad_item *bad = &b->bad[b->store->met_count];
        CLC_TRY(clc_names_add(&b->store->reasons, bad->reason, strlen(bad->reason)));
        b->store->met[b->store->met_count] = (clc_bad_item){bad->item, (int32_t)bad->status};
    }
fail:
    return status;
}

/* The bad files of the list, then those met. */
static clc_status list_bad(const clc_source *source, clc_store *store) {
    clc_status status = CLC_OK;
    const clc_bad_files *listed = &source->bad;
    for (size_t i = 0; i < listed->count; i++)
        CLC_TRY(clc_bad_files_add(&store->bad, clc_names_at(&listed->entries, 2 * i),
                                  clc_names_at(&listed->entries, 2 * i + 1)));
    for (size_t i = 0; i < store->met_count; i++)
        CLC_TRY(clc_bad_files_add(&store->bad, clc_names_at(&source->names, store->met[i].item),
                                  clc_names_at(&store->reasons, i)));
fail:
    return status;
}

static clc_status check_bad(const clc_source *source, const clc_store_options *options,
                            clc_store *store) {
    const clc_status status = list_bad(source, store);
    return status != CLC_OK ? status
                            : clc_bad_files_check(&store->bad, source->count + source->bad.count,
                                                  options->stop, options->bad_limit);
}

/* Leaves only the good items in the arrays. */
static void close_up(clc_store *store, size_t items) {
    store->count = 0;
    for (size_t i = 0; i < items; i++)
        if (store->places[i].height) {
            store->items[store->count] = (uint32_t)i;
            store->places[store->count] = store->places[i];
            store->hashes[store->count++] = store->hashes[i];
        }
}

static clc_status decode_all(builder *b) {
    clc_status status = CLC_OK;
    const size_t count = b->source->count;
    CLC_NEW(b->store->items, count);
    CLC_NEW(b->store->places, count);
    CLC_NEW(b->store->hashes, count);
    CLC_TRY(clc_parallel(b->options->threads, work, b));
    if (clc_signals_stop())
        CLC_TRY(clc_fail(CLC_INTERRUPTED, "interrupted while %s was decoded: %zu of %zu pictures",
                         b->source->name, b->done, count));
    CLC_TRY(list_met(b));
    CLC_TRY(check_bad(b->source, b->options, b->store));
    close_up(b->store, count);
fail:
    clc_live("%s", "");
    return status;
}

static clc_status build(const clc_source *source, const clc_store_options *options,
                        const char *name, clc_store **made) {
    clc_status status = CLC_OK;
    clc_pack_writer writer = {.file = -1};
    builder b = {.source = source, .options = options, .writer = &writer};
    pthread_mutex_init(&b.lock, NULL);
    CLC_NEW(b.store, 1);
    b.store->channels = options->image.channels;
    CLC_TRY(clc_pack_begin(options->pack, &writer));
    CLC_TRY(decode_all(&b));
    CLC_TRY(clc_pack_finish(&writer, name, b.store));
    *made = b.store;
    b.store = NULL;
fail:
    clc_pack_abort(&writer);
    clc_store_close(&b.store);
    for (size_t i = 0; i < b.bad_count; i++)
        free(b.bad[i].reason);
    free(b.bad);
    pthread_mutex_destroy(&b.lock);
    return status;
}

/* Whether a file that couldn't be read when the pack was made can be now. What was no picture is
 * none as long as its stamp stays. */
static bool is_stale(const clc_source *source, const clc_store_options *options,
                     const clc_store *store) {
    bool stale = false;
    for (size_t i = 0; i < store->met_count && !stale; i++) {
        clc_image image = {0};
        if (store->met[i].status != CLC_IO)
            continue;
        stale = clc_source_read(source, store->met[i].item, &options->image, &image) != CLC_IO;
        clc_image_free(&image);
    }
    return stale;
}

clc_status clc_store_open(const clc_source *source, const clc_store_options *options,
                          clc_store **store) {
    clc_status status = CLC_OK;
    char name[CLC_PACK_NAME];
    clc_store *found = NULL;
    *store = NULL;
    CLC_TRY(clc_pack_name(source, &options->image, name));
    if (options->pack)
        CLC_TRY(clc_pack_load(name, source->count, &found));
    if (found && is_stale(source, options, found))
        clc_store_close(&found);
    if (found)
        CLC_TRY(check_bad(source, options, found));
    else
        CLC_TRY(build(source, options, name, &found));
    *store = found;
    found = NULL;
fail:
    clc_store_close(&found);
    return status;
}

static int by_hash(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

clc_status clc_store_duplicates(const clc_store *store, size_t *duplicates) {
    clc_status status = CLC_OK;
    uint64_t *sorted = NULL;
    *duplicates = 0;
    CLC_NEW(sorted, store->count);
    memcpy(sorted, store->hashes, store->count * sizeof *sorted);
    qsort(sorted, store->count, sizeof *sorted, by_hash);
    for (size_t i = 1; i < store->count; i++)
        *duplicates += sorted[i] == sorted[i - 1];
fail:
    free(sorted);
    return status;
}
