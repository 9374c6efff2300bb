#include "data/statistics.h"

#include "core/parallel.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

enum { DECODED_MOST = 2048, BARE_BYTES_MOST = 256 << 20 };

/* Sums over all pixels of a channel: integers, whose sum depends on no order. */
typedef struct pixel_sums {
    uint64_t pixels;
    uint64_t sum[CLC_CHANNELS_MAX], squares[CLC_CHANNELS_MAX];
} pixel_sums;

typedef struct sampler {
    const clc_dataset *data;
    pthread_mutex_t lock;
    size_t next, count, of; /* `count` pictures, evenly spread over `of` */
    pixel_sums sums;
    uint64_t pictures;
} sampler;

static void add_picture(pixel_sums *sums, const clc_image *image) {
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

static void merge_sums(pixel_sums *to, const pixel_sums *from) {
    to->pixels += from->pixels;
    for (int c = 0; c < CLC_CHANNELS_MAX; c++) {
        to->sum[c] += from->sum[c];
        to->squares[c] += from->squares[c];
    }
}

static size_t sample_count(const clc_dataset *d, size_t of) {
    const clc_source *source = d->source;
    size_t most = DECODED_MOST;
    if (!source)
        return of;
    if (source->bare) {
        const size_t bytes =
            (size_t)source->height * (size_t)source->width * (size_t)source->channels;
        const size_t fit = bytes ? BARE_BYTES_MOST / bytes : 0;
        most = fit > most ? fit : most;
    }
    return of < most ? of : most;
}

static int by_item(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The picture of an item where pictures are stored: not to be freed. No pixels: it is a bad one. */
static clc_image stored_picture(const clc_dataset *d, size_t item) {
    const uint32_t key = (uint32_t)item;
    size_t i = item;
    if (d->items) {
        const uint32_t *found = bsearch(&key, d->items, d->count, sizeof key, by_item);
        if (!found)
            return (clc_image){0};
        i = (size_t)(found - d->items);
    }
    const clc_place *p = &d->places[i];
    return (clc_image){p->height, p->width, d->channels, (uint8_t *)d->pixels + p->offset};
}

static void sample_picture(const clc_dataset *d, size_t item, pixel_sums *sums, uint64_t *count) {
    clc_image image = {0};
    if (d->places)
        image = stored_picture(d, item);
    else if (clc_source_read(d->source, item, &d->image, &image) != CLC_OK)
        return; /* counted when training meets it */
    if (image.pixels) {
        add_picture(sums, &image);
        ++*count;
    }
    if (!d->places)
        clc_image_free(&image);
}

static clc_status sample_some(void *context) {
    sampler *s = context;
    pixel_sums sums = {0};
    uint64_t pictures = 0;
    for (;;) {
        pthread_mutex_lock(&s->lock);
        const size_t i = s->next++;
        pthread_mutex_unlock(&s->lock);
        if (i >= s->count)
            break;
        sample_picture(s->data, (size_t)((double)i * (double)s->of / (double)s->count), &sums,
                       &pictures);
    }
    pthread_mutex_lock(&s->lock);
    merge_sums(&s->sums, &sums);
    s->pictures += pictures;
    pthread_mutex_unlock(&s->lock);
    return CLC_OK;
}

static void set_statistics(const pixel_sums *sums, clc_dataset *d) {
    const double n = (double)sums->pixels;
    for (int c = 0; c < d->channels; c++) {
        d->mean[c] = (double)sums->sum[c] / n / 255;
        const double variance =
            (double)sums->squares[c] / n / (255.0 * 255.0) - d->mean[c] * d->mean[c];
        /* Images all alike: nothing to scale. */
        d->deviation[c] = variance > 1e-6 ? sqrt(variance) : 1;
    }
}

clc_status clc_dataset_measure(clc_dataset *d, double *bytes) {
    clc_status status = CLC_OK;
    const size_t of = d->source ? d->source->count : d->count;
    sampler s = {.data = d, .count = sample_count(d, of), .of = of};
    pthread_mutex_init(&s.lock, NULL);
    CLC_TRY(clc_parallel(d->threads, sample_some, &s));
    if (!s.pictures)
        CLC_TRY(clc_fail(CLC_FORMAT, "%s: none of %zu files, evenly spread, is a picture", d->name,
                         s.count));
    set_statistics(&s.sums, d);
    if (bytes)
        *bytes = (double)s.sums.pixels * d->channels / (double)s.pictures * (double)of;
fail:
    pthread_mutex_destroy(&s.lock);
    return status;
}
