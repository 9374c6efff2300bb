#include "data/store.h"

#include "core/log.h"
#include "core/parallel.h"
#include "core/signals.h"
#include "data/pack.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum { SHOW_EVERY = 64 };

void clc_pixel_sums_add(clc_pixel_sums *sums, const clc_image *image) {
    const size_t pixels = (size_t)image->height * (size_t)image->width;
    const size_t channels = (size_t)image->channels;
    sums->pixels += pixels;
    for (size_t c = 0; c < channels; c++) {
        uint64_t sum = 0, squares = 0;
        for (size_t i = 0; i < pixels; i++) {
            const uint32_t v = image->pixels[i * channels + c];
            sum += v;
            squares += (uint64_t)v * v;
        }
        sums->sum[c] += sum;
        sums->squares[c] += squares;
    }
}

static void merge_sums(clc_pixel_sums *to, const clc_pixel_sums *from) {
    to->pixels += from->pixels;
    for (int c = 0; c < CLC_CHANNELS_MAX; c++) {
        to->sum[c] += from->sum[c];
        to->squares[c] += from->squares[c];
    }
}

clc_status clc_bad_files_check(const clc_bad_files *bad, size_t total, bool stop, double limit) {
    if (!bad->count || (!stop && (double)bad->count <= limit * (double)total))
        return CLC_OK;
    const char *name = clc_names_at(&bad->entries, 0), *reason = clc_names_at(&bad->entries, 1);
    if (stop)
        return clc_fail(CLC_FORMAT, "%s: %s; with data.on_bad = skip training goes on without it",
                        name, reason);
    return clc_fail(CLC_FORMAT,
                    "%zu of %zu files are no usable pictures, more than data.bad_limit = %g; the "
                    "first is %s: %s",
                    bad->count, total, limit, name, reason);
}

/* ---- decoding everything ---- */

typedef struct bad_item {
    uint32_t item;
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

static clc_status add_bad(builder *b, uint32_t item, const char *reason) {
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
    b->bad[b->bad_count++] = (bad_item){item, copy};
    return CLC_OK;
}

/* Whether there are so many bad files already that nothing can come of it. */
static bool hopeless(const builder *b) {
    const size_t bad = b->bad_count + b->source->bad.count;
    const double total = (double)(b->source->count + b->source->bad.count);
    return bad && (b->options->stop || (double)bad > b->options->bad_limit * total);
}

static clc_status write_pixels(builder *b, const clc_image *image, uint64_t offset) {
    const size_t bytes = (size_t)image->height * (size_t)image->width * (size_t)image->channels;
    for (size_t done = 0; done < bytes;) {
        const ssize_t n = pwrite(b->writer->file, image->pixels + done, bytes - done,
                                 (off_t)(CLC_PACK_PIXELS_AT + offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return clc_fail(CLC_IO,
                            "cannot write decoded pictures to %s: %s; make room, choose another "
                            "place by XDG_CACHE_HOME, or set data.pack = false",
                            *b->writer->path ? b->writer->path : "memory", strerror(errno));
        done += (size_t)n;
    }
    return CLC_OK;
}

static uint64_t hash_of(const clc_image *image) {
    const int size[3] = {image->height, image->width, image->channels};
    const size_t bytes = (size_t)image->height * (size_t)image->width * (size_t)image->channels;
    return XXH3_64bits_withSeed(image->pixels, bytes, XXH3_64bits(size, sizeof size));
}

/* Decodes one item and puts it into the store. A picture that is none is no failure. */
static clc_status take_item(builder *b, size_t item, clc_pixel_sums *sums) {
    clc_status status = CLC_OK;
    clc_image image = {0};
    status = clc_source_read(b->source, item, &b->options->image, &image);
    if (status == CLC_MEMORY || status == CLC_INVALID)
        return status;
    pthread_mutex_lock(&b->lock);
    const uint64_t offset = b->store->bytes;
    if (status == CLC_OK)
        b->store->bytes +=
            (uint64_t)image.height * (uint64_t)image.width * (uint64_t)image.channels;
    else
        status = add_bad(b, (uint32_t)item, clc_error());
    b->stop = b->stop || hopeless(b);
    if (++b->done % SHOW_EVERY == 0)
        clc_live("decoding %s: %zu of %zu, %zu bad", b->source->name, b->done, b->source->count,
                 b->bad_count);
    pthread_mutex_unlock(&b->lock);
    if (!image.pixels)
        return status;
    CLC_TRY(write_pixels(b, &image, offset));
    clc_pixel_sums_add(sums, &image);
    b->store->hashes[item] = hash_of(&image);
    b->store->places[item] = (clc_place){offset, image.height, image.width};
fail:
    clc_image_free(&image);
    return status;
}

static clc_status work(void *context) {
    builder *b = context;
    clc_status status = CLC_OK;
    clc_pixel_sums sums = {0};
    for (;;) {
        pthread_mutex_lock(&b->lock);
        const size_t item = b->next;
        const bool more = item < b->source->count && !b->stop && !clc_signals_stop();
        b->next += more;
        pthread_mutex_unlock(&b->lock);
        if (!more)
            break;
        CLC_TRY(take_item(b, item, &sums));
    }
fail:
    pthread_mutex_lock(&b->lock);
    b->stop = b->stop || status != CLC_OK;
    merge_sums(&b->store->sums, &sums);
    pthread_mutex_unlock(&b->lock);
    return status;
}

static int by_item(const void *a, const void *b) {
    const uint32_t x = ((const bad_item *)a)->item, y = ((const bad_item *)b)->item;
    return (x > y) - (x < y);
}

/* The bad files of the list, then those met, in the order of the items whatever thread met them. */
static clc_status list_bad(builder *b) {
    clc_status status = CLC_OK;
    const clc_bad_files *listed = &b->source->bad;
    for (size_t i = 0; i < listed->count; i++)
        CLC_TRY(clc_bad_files_add(&b->store->bad, clc_names_at(&listed->entries, 2 * i),
                                  clc_names_at(&listed->entries, 2 * i + 1)));
    if (b->bad_count)
        qsort(b->bad, b->bad_count, sizeof *b->bad, by_item);
    for (size_t i = 0; i < b->bad_count; i++)
        CLC_TRY(clc_bad_files_add(&b->store->bad, clc_names_at(&b->source->names, b->bad[i].item),
                                  b->bad[i].reason));
fail:
    return status;
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
    CLC_TRY(list_bad(b));
    CLC_TRY(clc_bad_files_check(&b->store->bad, count + b->source->bad.count, b->options->stop,
                                b->options->bad_limit));
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

clc_status clc_store_open(const clc_source *source, const clc_store_options *options,
                          clc_store **store) {
    clc_status status = CLC_OK;
    char name[CLC_PACK_NAME];
    clc_store *found = NULL;
    *store = NULL;
    CLC_TRY(clc_pack_name(source, &options->image, name));
    if (options->pack)
        CLC_TRY(clc_pack_load(name, &found));
    if (found)
        CLC_TRY(clc_bad_files_check(&found->bad, source->count + source->bad.count, options->stop,
                                    options->bad_limit));
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
